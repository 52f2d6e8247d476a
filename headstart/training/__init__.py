"""The training loop, its recipes and what a training stage does."""
