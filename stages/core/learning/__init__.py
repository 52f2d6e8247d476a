"""The base, classifiers, features and training."""
