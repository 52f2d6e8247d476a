"""Whole batches, so that what is computed for an image does not depend on how many images come with it.

Convolutions and matrix products choose their kernels, and with them the order of their sums, by the shape of their
inputs: in a batch of 3 the last digits for an image differ from those in a batch of 32. So a model is always called on
batches of one size, compiled for that size alone; rows that are missing are zeros, and what comes of them is dropped.
Training steps are the exception. Which images make a batch is part of what they compute: the mean of its gradients.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import tensorflow as tf

# Images in a batch where no parameter says it. Larger batches are no faster on a CPU, and cost more where most of a
# batch is padding.
SIZE = 32


def padded(rows: NDArray[Any], size: int) -> NDArray[Any]:
    """Return ``size`` rows: those given, (n, …) with n up to ``size``, and zeros after them."""
    assert len(rows) <= size, f"a batch has {size} rows, found {len(rows)}"
    if len(rows) == size:
        return rows
    whole = np.zeros((size, *rows.shape[1:]), rows.dtype)
    whole[: len(rows)] = rows
    return whole


def apply(function: Callable[[NDArray[Any]], "tf.Tensor"], rows: NDArray[Any], size: int) -> NDArray[Any]:
    """Return what ``function`` gives for each of the rows, (n, …) with any n from 1, calling it on whole batches."""
    parts = []
    for start in range(0, len(rows), size):
        batch = rows[start : start + size]
        parts.append(function(padded(batch, size)).numpy()[: len(batch)])
    return np.concatenate(parts)
