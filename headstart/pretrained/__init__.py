"""The ImageNet weights of a base: what counts as them, and the files in which they are published."""
