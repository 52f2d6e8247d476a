"""RandAugment: a few operations out of fourteen, drawn anew for every view, all of one magnitude.

Cubuk, Zoph, Shlens and Le: RandAugment: Practical automated data augmentation with a reduced search space (NeurIPS
2020). The operations and the ranges of their magnitudes are those of Cubuk et al.: AutoAugment (CVPR 2019), table 6.
A geometric operation becomes a factor of the view's affine map; the others repaint the picture by Pillow.

Keras's layer of that name does not serve here: it draws one choice of operations for a whole batch, and equalizes all
of its images by a common histogram, so that a view would depend on its neighbours.
"""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageOps

from headstart.features.affine import affine, rotation
from headstart.foundation.array_types import FloatArray, IntArray

LARGEST_MAGNITUDE = 10

# At the largest magnitude: tangent, part of the side, radians, and what is added to an enhancement's factor of 1.
_SHEAR = 0.3
_TRANSLATION = 150 / 331
_ROTATION = np.pi / 6
_ENHANCEMENT = 0.9
# Of 8 bits, those that are lost.
_POSTERIZED_BITS = 4

_GEOMETRIC: Final[dict[str, Callable[[FloatArray, int], FloatArray]]] = {
    "rotate": lambda level, size: rotation(_ROTATION * level),
    "shear_x": lambda level, size: affine(xy=_SHEAR * level),
    "shear_y": lambda level, size: affine(yx=_SHEAR * level),
    "translate_x": lambda level, size: affine(x=-_TRANSLATION * level * size),
    "translate_y": lambda level, size: affine(y=-_TRANSLATION * level * size),
}

_PHOTOMETRIC: Final[dict[str, Callable[[Image.Image, float], Image.Image]]] = {
    "autocontrast": lambda image, level: ImageOps.autocontrast(image),
    "equalize": lambda image, level: ImageOps.equalize(image),
    "solarize": lambda image, level: ImageOps.solarize(image, round(256 * (1 - abs(level)))),
    "posterize": lambda image, level: ImageOps.posterize(image, 8 - round(_POSTERIZED_BITS * abs(level))),
    "color": lambda image, level: ImageEnhance.Color(image).enhance(1 + _ENHANCEMENT * level),
    "contrast": lambda image, level: ImageEnhance.Contrast(image).enhance(1 + _ENHANCEMENT * level),
    "brightness": lambda image, level: ImageEnhance.Brightness(image).enhance(1 + _ENHANCEMENT * level),
    "sharpness": lambda image, level: ImageEnhance.Sharpness(image).enhance(1 + _ENHANCEMENT * level),
}

# What is drawn is a number, so a change of this order changes every view.
OPERATIONS: Final = ("identity", *_PHOTOMETRIC, *_GEOMETRIC)


def choose(numbers: FloatArray, magnitude: int) -> tuple[IntArray, FloatArray]:
    """Turn random numbers into operations.

    Args:
        numbers: shape (images, 2 × operations), uniform in [0, 1): one that chooses and one that gives the direction.
        magnitude: 0 to LARGEST_MAGNITUDE.

    Returns:
        Both (images, operations): positions in OPERATIONS, and levels, −1 to 1. The sign is the direction where an
        operation has two.
    """
    chosen = (len(OPERATIONS) * numbers[:, 0::2]).astype(np.int64)
    return chosen, magnitude / LARGEST_MAGNITUDE * np.where(numbers[:, 1::2] < 0.5, -1.0, 1.0)


def maps(operations: IntArray, levels: FloatArray, size: int) -> FloatArray:
    """Return the product of each image's geometric operations, which :func:`choose` gave; ``size`` is in pixels.

    Shape (images, 3, 3), see :mod:`headstart.features.affine`.
    """
    product = np.tile(np.eye(3), (len(operations), 1, 1))
    for chosen, level in zip(operations.T, levels.T, strict=True):
        for name, geometric in _GEOMETRIC.items():
            those = chosen == OPERATIONS.index(name)
            product[those] = product[those] @ geometric(level[those], size)
    return product


def repaints(operations: Sequence[int] | IntArray) -> bool:
    """Whether :func:`paint` would change anything."""
    return any(OPERATIONS[operation] in _PHOTOMETRIC for operation in operations)


def paint(pixels: NDArray[np.uint8], operations: IntArray, levels: FloatArray) -> NDArray[np.uint8]:
    """Apply the operations of an image, both (operations,), that are not geometric, one after the other.

    From and to RGB, (height, width, 3).
    """
    image = Image.fromarray(pixels)
    for operation, level in zip(operations, levels, strict=True):
        if photometric := _PHOTOMETRIC.get(OPERATIONS[operation]):
            image = photometric(image, float(level))
    return np.asarray(image)
