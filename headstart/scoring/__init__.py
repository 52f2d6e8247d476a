"""Predictions on the test split and everything that is measured of them."""
