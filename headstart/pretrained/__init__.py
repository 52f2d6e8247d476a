"""The ImageNet weights of a base.

`imagenet` has those whose tensors have a digest of our own, and reads them out of foreign files; `published` takes the
files that Keras publishes for all other bases, and `pins` the digests of those for which it publishes none.
"""
