"""The weights of a base.

`imagenet` has those whose tensors have a digest of our own, `shapes` what these tensors are, and `readers` takes them
out of foreign files; `published` takes the files that Keras publishes for all other bases, and `pins` the digests of
those for which it publishes none. `own` takes any file whose tensors fit. `untrained` draws random weights instead.
"""
