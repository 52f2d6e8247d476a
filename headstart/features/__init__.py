"""Augmented views, and the frozen base's outputs on them.

`features` is the one pass of the base over all images. `augmentation` draws the random changes of a view, with the maps
of `affine` and the operations of `rand_augment`; `preview` draws a sheet of views.
"""
