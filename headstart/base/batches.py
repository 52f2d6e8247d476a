"""Whole batches, so that what is computed for an image does not depend on how many images come with it.

Convolutions and matrix products choose their kernels, and with them the order of their sums, by the shape of their
inputs: in a batch of 3 the last digits for an image differ from those in a batch of 32, and the product of a single row
even depends on the number of threads. So a model is always called on batches of one size, compiled for that size alone;
rows that are missing are zeros, and what comes of them is dropped. On processors with AVX2 a matrix product also takes
its last rows in another order than the others: what is to be the same for an image at any place in a batch is computed
:func:`by_row`.

Training steps are the exception. Which images make a batch is part of what they compute: the mean of its gradients.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.typing import NDArray

from headstart.base import compiling
from headstart.base.lazy import keras, tf

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


def compiled(
    function: "Callable[[tf.Tensor], tf.Tensor]", shape: tuple[int, ...], dtype: npt.DTypeLike, size: int = SIZE
) -> Callable[[NDArray[Any]], NDArray[Any]]:
    """Compile a function of whole batches of rows of a shape and type; return one of any number of rows from 1."""
    run = compiling.compiled(function, [tf.TensorSpec((size, *shape), dtype)])
    return lambda rows: apply(run, rows, size)


@contextmanager
def by_row(model: "keras.Model") -> Iterator[None]:
    """Let the dense layers of a model compute each row by itself, in what is called or compiled meanwhile.

    That is as convolutions of one pixel, which oneDNN goes through image by image. They take longer than one matrix
    product for all rows: for the 3 million weights of a large head 0.4 ms an image.
    """
    layers = _dense_layers(model)
    own = [layer.call for layer in layers]
    for layer in layers:
        layer.call = partial(_call, layer)
    try:
        yield
    finally:
        for layer, call in zip(layers, own, strict=True):
            layer.call = call


def _dense_layers(model: "keras.Model") -> list[Any]:
    found = []
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            found += _dense_layers(layer)
        elif isinstance(layer, keras.layers.Dense):
            found.append(layer)
    return found


def _call(layer: Any, inputs: "tf.Tensor", training: bool | None = None) -> "tf.Tensor":
    """What the layer's own ``call`` gives, for inputs (n, values) or (n, height, width, values)."""
    images = inputs if inputs.shape.rank == 4 else inputs[:, tf.newaxis, tf.newaxis]
    kernel = tf.cast(layer.kernel, inputs.dtype)[tf.newaxis, tf.newaxis]
    outputs = tf.nn.conv2d(images, kernel, strides=1, padding="VALID")
    if layer.use_bias:
        outputs = tf.nn.bias_add(outputs, tf.cast(layer.bias, inputs.dtype))
    outputs = outputs if inputs.shape.rank == 4 else outputs[:, 0, 0]
    return outputs if layer.activation is None else layer.activation(outputs)
