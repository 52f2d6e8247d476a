"""Classifiers on a base, networks without one, and what they read and predict."""
