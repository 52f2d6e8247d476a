"""Augmented views of training images, reproducible image by image.

Colours change first; then one affine map turns, scales, mirrors, shears and shifts, so an image is interpolated once
however many changes it goes through. The random numbers of a view depend on the seed, the view's number and the image's
own bytes, and on nothing else: not on the order of images, the batch size, or how many threads run.
"""

import hashlib
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from headstart.base.lazy import keras, tf
from headstart.features import rand_augment
from headstart.features.affine import affine, in_pixels, rotation
from headstart.foundation.array_types import FloatArray, IntArray
from headstart.foundation.threads import map_ordered
from headstart.settings.schema import Augmentation

# Random numbers of each view, whatever is switched on; RandAugment's follow, two for each operation.
_NUMBERS = 10

UNCHANGED = Augmentation(
    flip="none",
    rotation=0.0,
    zoom=0.0,
    shift_horizontal=0.0,
    shift_vertical=0.0,
    shear=0.0,
    brightness=0.0,
    contrast=0.0,
    fill="reflect",
    randaugment=0,
    randaugment_magnitude=0,
)


class Draws(NamedTuple):
    """What was drawn for one view of some images."""

    # float32 (images, 8): ``a0, a1, a2, b0, b1, b2, 0, 0``; the pixel (x, y) of the view is the pixel (a0 x + a1 y +
    # a2, b0 x + b1 y + b2) of the image.
    maps: NDArray[np.float32]
    # float32 (images, 2): the contrast, a factor, and the brightness, added to values from 0 to 255.
    tones: NDArray[np.float32]
    operations: IntArray  # (images, operations), RandAugment's, positions in ``rand_augment.OPERATIONS``
    levels: FloatArray  # (images, operations), their strength and direction, −1 to 1


def draw(settings: Augmentation, sha256s: list[str], view: int, seed: int, size: int) -> Draws:
    """Draw the random changes of the view of this number of each image, given by the digests of their bytes."""
    # Always the same numbers for the same purpose: switching one change on leaves the others as they were.
    count = _NUMBERS + 2 * settings.randaugment
    numbers = np.stack([_generator(seed, view, sha256).random(count) for sha256 in sha256s])
    mirror_x, mirror_y, turn, scale, shift_x, shift_y, shear_x, shear_y, contrast, brightness = numbers.T[:_NUMBERS]
    operations, levels = rand_augment.choose(numbers[:, _NUMBERS:], settings.randaugment_magnitude)
    zoom = 1 + _either_way(settings.zoom, scale)
    whole = (
        affine(xx=zoom, yy=zoom)
        @ rotation(2 * np.pi * _either_way(settings.rotation, turn))
        @ affine(xy=_either_way(settings.shear, shear_x), yx=_either_way(settings.shear, shear_y))
        @ affine(
            xx=np.where((mirror_x < 0.5) & (settings.flip in ("horizontal", "both")), -1.0, 1.0),
            yy=np.where((mirror_y < 0.5) & (settings.flip in ("vertical", "both")), -1.0, 1.0),
        )
        @ affine(
            x=-size * _either_way(settings.shift_horizontal, shift_x),
            y=-size * _either_way(settings.shift_vertical, shift_y),
        )
        @ rand_augment.maps(operations, levels, size)
    )
    tones = [1 + _either_way(settings.contrast, contrast), 255 * _either_way(settings.brightness, brightness)]
    return Draws(
        maps=in_pixels(whole, size).reshape(-1, 9)[:, :8].astype(np.float32),
        tones=np.stack(tones, axis=1).astype(np.float32),
        operations=operations,
        levels=levels,
    )


def paint(images: NDArray[np.uint8], draws: Draws) -> NDArray[np.uint8]:
    """Apply RandAugment's changes of colour, the part that is not for TensorFlow; the first step of a view.

    From and to (images, height, width, 3); the very same array where there is nothing to do.
    """
    if not rand_augment.repaints(np.unique(draws.operations)):
        return images
    items = zip(images, draws.operations, draws.levels, strict=True)
    return np.stack(list(map_ordered(lambda item: rand_augment.paint(*item), items)))


def augment(images: "tf.Tensor", maps: "tf.Tensor", tones: "tf.Tensor", settings: Augmentation) -> "tf.Tensor":
    """Change contrast and brightness, then apply the affine maps with bilinear interpolation; usable in tf.function.

    Contrast is about the mean of each channel of the image. Values stay within 0 to 255. TensorFlow repeats an
    image (``wrap``) once on each side; farther out its border is drawn on, and across the seam nothing is interpolated.

    From what :func:`paint` gave, uint8 (images, height, width, channels), to float32 of the same shape. ``maps`` and
    ``tones`` are those of :class:`Draws`, which were made with the same ``settings``.
    """
    values = keras.ops.cast(images, "float32")
    if settings.contrast or settings.brightness:
        values = _toned(images, values, tones)
    return keras.ops.image.affine_transform(values, maps, interpolation="bilinear", fill_mode=settings.fill)


def _toned(images: "tf.Tensor", values: "tf.Tensor", tones: "tf.Tensor") -> "tf.Tensor":
    # Whole numbers add up to the same in any order; floats would depend on how a batch is cut among threads.
    total = keras.ops.sum(keras.ops.cast(images, "int32"), axis=(1, 2), keepdims=True)
    mean = keras.ops.cast(total, "float32") / (images.shape[1] * images.shape[2])
    factor, offset = tones[:, 0, None, None, None], tones[:, 1, None, None, None]
    return keras.ops.clip(values * factor + ((1 - factor) * mean + offset), 0, 255)


def _generator(seed: int, view: int, sha256: str) -> np.random.Generator:
    digest = hashlib.sha256(f"{seed}/{view}/{sha256}".encode()).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(digest[:16], "little")))


def _either_way(largest: float, numbers: FloatArray) -> FloatArray:
    """Numbers from [0, 1) spread over −``largest`` to ``largest``."""
    return largest * (2 * numbers - 1)
