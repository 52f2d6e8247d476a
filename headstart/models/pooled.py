"""What a classifier makes of feature maps before its first weight, computed once for all of its trainings.

A classifier that averages scales the maps of an image and takes each channel's mean, in every epoch of every training
the same. That is nearly all of its work: of 9 × 9 positions 1 number is left.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numpy.typing import NDArray

from headstart.base import batches, compiling
from headstart.base.lazy import keras, tf
from headstart.foundation.arrays import ArrayFile, create_array, open_array, release
from headstart.foundation.atomic import replacing
from headstart.foundation.progress import bar
from headstart.models import classifier
from headstart.models.samples import Stored


class Divided(NamedTuple):
    """A classifier in two parts, which share its weights."""

    stem: "keras.Model"  # from feature maps to each channel's mean; it has no weights
    top: "keras.Model"  # from these to logits


def divide(head: "keras.Model") -> Divided:
    """Divide a classifier that averages behind its pooling."""
    means = head.get_layer("pooling").output
    return Divided(keras.Model(head.input, means), keras.Model(means, head.output, name=classifier.NAME))


def prepare(stem: "keras.Model", maps: Stored, file: Path) -> Stored:
    """Return what ``stem`` makes of stored feature maps, each image's by itself.

    Args:
        stem: see :class:`Divided`.
        maps: (views, rows, height, width, channels).
        file: where the result is written, unless an interrupted run has done that; it must outlive the result.

    Returns:
        float32 memory map, (views, rows, channels).
    """
    if not file.exists():
        with replacing(file) as temporary:
            create_array(temporary, (*maps.values.shape[:2], stem.output_shape[-1]), np.float32)
            _fill(stem, maps.values, temporary)
    return Stored(open_array(file), maps.first)


def compile_stem(stem: "keras.Model", dtype: npt.DTypeLike) -> Callable[[NDArray[np.generic]], NDArray[np.generic]]:
    """Return a function from any number of feature maps of a type to what ``stem`` makes of them."""

    def averaged(values: "tf.Tensor") -> "tf.Tensor":
        return stem(tf.cast(values, stem.input.dtype), training=False)

    forward = compiling.compiled(averaged, [tf.TensorSpec((batches.SIZE, *stem.input_shape[1:]), dtype)])
    return lambda maps: batches.apply(forward, maps, batches.SIZE)


def _fill(stem: "keras.Model", maps: NDArray[np.generic], file: Path) -> None:
    views, rows = maps.shape[:2]
    average = compile_stem(stem, maps.dtype)
    target = ArrayFile(file)
    try:
        with bar("average the feature maps", views * rows, " images") as progress:
            for view in range(views):
                for start in range(0, rows, batches.SIZE):
                    taken = np.array(maps[view, start : start + batches.SIZE])
                    release(maps)
                    target.write(view * rows + start, average(taken))
                    progress.update(len(taken))
    finally:
        target.close()
