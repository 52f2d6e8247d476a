"""Augmented views, and the frozen base's outputs on them."""
