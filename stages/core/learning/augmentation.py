"""Augmented views of training images, reproducible image by image.

Each view is one affine map, so an image is interpolated once however many changes it goes through.
The random numbers of a view depend on the seed, the view's number and the image's own bytes, and on
nothing else: not on the order of images, the batch size, or how many threads run.
"""

import hashlib
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from stages.core.schema import Augmentation

if TYPE_CHECKING:
    import tensorflow as tf


def transforms(settings: Augmentation, sha256s: list[str], view: int, seed: int, size: int) -> NDArray[np.float32]:
    """Draw the affine map of one view of each image.

    Args:
        settings: how far images may change.
        sha256s: digest of each image's bytes.
        view: number of the view.
        seed: the run's seed.
        size: side of the images, pixels.

    Returns:
        Shape (images, 8): ``a0, a1, a2, b0, b1, b2, 0, 0``; the pixel (x, y) of the view is the pixel
        (a0 x + a1 y + a2, b0 x + b1 y + b2) of the image.
    """
    return np.stack([_transform(settings, _generator(seed, view, sha256), size) for sha256 in sha256s])


def augment(images: "tf.Tensor", maps: "tf.Tensor") -> "tf.Tensor":
    """Apply affine maps, in float32 with bilinear interpolation; outside, the image is mirrored.

    Args:
        images: (images, height, width, channels), any numeric type.
        maps: (images, 8), as :func:`transforms` returns them.

    Returns:
        float32, the shape of ``images``.
    """
    import keras

    return keras.ops.image.affine_transform(
        keras.ops.cast(images, "float32"), maps, interpolation="bilinear", fill_mode="reflect"
    )


def _generator(seed: int, view: int, sha256: str) -> np.random.Generator:
    digest = hashlib.sha256(f"{seed}/{view}/{sha256}".encode()).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(digest[:16], "little")))


def _transform(settings: Augmentation, generator: np.random.Generator, size: int) -> NDArray[np.float32]:
    # Always the same number of draws: switching one change on leaves the others as they were.
    mirror_x, mirror_y, turn, scale = generator.random(4)
    matrix = np.eye(3)
    if settings.flip in ("horizontal", "both") and mirror_x < 0.5:
        matrix = np.diag([-1.0, 1.0, 1.0]) @ matrix
    if settings.flip in ("vertical", "both") and mirror_y < 0.5:
        matrix = np.diag([1.0, -1.0, 1.0]) @ matrix
    angle = 2 * np.pi * settings.rotation * (2 * turn - 1)
    cosine, sine = np.cos(angle), np.sin(angle)
    matrix = np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]]) @ matrix
    zoom = 1 + settings.zoom * (2 * scale - 1)
    matrix = np.diag([zoom, zoom, 1.0]) @ matrix
    centre = (size - 1) / 2
    to_centre = np.array([[1, 0, -centre], [0, 1, -centre], [0, 0, 1]])
    back = np.array([[1, 0, centre], [0, 1, centre], [0, 0, 1]])
    whole: NDArray[np.float64] = back @ matrix @ to_centre
    return whole.reshape(-1)[:8].astype(np.float32)
