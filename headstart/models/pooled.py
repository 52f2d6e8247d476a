"""What a classifier makes of feature maps before its first weight, computed once for all of its trainings.

A classifier that averages scales the maps of an image and takes each channel's mean, in every epoch of every training
the same. That is nearly all of its work: of 9 × 9 positions 1 number is left.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numpy.typing import NDArray

from headstart.base import batches
from headstart.base.lazy import keras, tf
from headstart.foundation.arrays import open_array
from headstart.foundation.atomic import replacing
from headstart.models import classifier, computed
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
        shape = (*maps.values.shape[:2], stem.output_shape[-1])
        rows = maps.values.reshape(-1, *maps.values.shape[2:])
        average = compile_stem(stem, rows.dtype)
        with replacing(file) as temporary:
            computed.write(temporary, shape, np.float32, rows, average, batches.SIZE, "average the feature maps")
    return Stored(open_array(file), maps.first)


def compile_stem(stem: "keras.Model", dtype: npt.DTypeLike) -> Callable[[NDArray[Any]], NDArray[Any]]:
    """Return a function from any number of feature maps of a type to what ``stem`` makes of them."""
    return batches.compiled(
        lambda maps: stem(tf.cast(maps, stem.input.dtype), training=False), stem.input_shape[1:], dtype
    )
