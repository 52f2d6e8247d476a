"""Predictions of images that no model has seen, and everything that is measured of them."""
