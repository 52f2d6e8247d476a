"""Affine maps of pictures, one for each of many: matrices (maps, 3, 3) that are multiplied to follow each other.

A map takes a pixel (x, y, 1) of the new picture, counted from the picture's centre, to the place in the old one
that it shows. So the last factor of a product is the change that is made last.
"""

import numpy as np

from headstart.foundation.array_types import FloatArray


def affine(
    xx: float | FloatArray = 1.0,
    xy: float | FloatArray = 0.0,
    x: float | FloatArray = 0.0,
    yx: float | FloatArray = 0.0,
    yy: float | FloatArray = 1.0,
    y: float | FloatArray = 0.0,
) -> FloatArray:
    """Return the maps to (``xx`` x + ``xy`` y + ``x``, ``yx`` x + ``yy`` y + ``y``), by default the identity.

    Each is a number or an array (maps,). Returns shape (maps, 3, 3), or (3, 3) where all are numbers.
    """
    rows = np.broadcast_arrays(xx, xy, x, yx, yy, y, 0.0, 0.0, 1.0)
    return np.stack(rows, axis=-1).reshape(*rows[0].shape, 3, 3)


def rotation(angle: float | FloatArray) -> FloatArray:
    """Return the maps that turn a picture counterclockwise by angles in radians."""
    cosine, sine = np.cos(angle), np.sin(angle)
    return affine(xx=cosine, xy=-sine, yx=sine, yy=cosine)


def in_pixels(maps: FloatArray, size: int) -> FloatArray:
    """Return maps (maps, 3, 3) of pictures of side ``size`` for pixels counted from the corner, as image files do."""
    centre = (size - 1) / 2
    return affine(x=centre, y=centre) @ maps @ affine(x=-centre, y=-centre)
