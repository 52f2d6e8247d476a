"""What a trained model says of examples in memory."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.typing import NDArray

from headstart.base import batches
from headstart.base.lazy import keras, tf
from headstart.foundation.array_types import FloatArray
from headstart.models import classifier
from headstart.models.samples import Samples, in_order


def predict(model: "keras.Model", values: NDArray[np.generic]) -> FloatArray:
    """Return probabilities, float64 (examples, classes), for examples (examples, …)."""
    forward = compile_predict(model, values.dtype)
    samples = Samples(values[np.newaxis], np.zeros(len(values), np.int64))
    return np.concatenate([forward(x) for x, _ in in_order(samples, batches.SIZE)])


def compile_logits(model: "keras.Model", dtype: npt.DTypeLike) -> Callable[[Samples], FloatArray]:
    """Return a function from examples of a type, in their first view, to their logits, float64 (images, classes).

    There are as many columns as classes if those are two, too. An example's logits are the same, to the last digit,
    whichever others come with it.
    """

    def rows(examples: "tf.Tensor") -> "tf.Tensor":
        with batches.by_row(model):
            found = tf.cast(model(tf.cast(examples, model.input.dtype), training=False), tf.float64)
        # A single unit is the logit of the second class against the first.
        return tf.concat([tf.zeros_like(found), found], axis=1) if found.shape[1] == 1 else found

    forward = tf.function(rows, input_signature=[tf.TensorSpec((batches.SIZE, *model.input_shape[1:]), dtype)])

    def logits(samples: Samples) -> FloatArray:
        found = [batches.apply(forward, values, batches.SIZE) for values, _ in in_order(samples, batches.SIZE)]
        return np.concatenate(found)

    return logits


def compile_predict(model: "keras.Model", dtype: npt.DTypeLike) -> Callable[[NDArray[Any]], FloatArray]:
    """Return a function from any number of examples of a type to their probabilities, float64 (examples, classes).

    Those of an example are the same, to the last digit, however many come with it.
    """

    def rows(examples: "tf.Tensor") -> "tf.Tensor":
        with batches.by_row(model):
            return probabilities(model, examples)

    forward = tf.function(rows, input_signature=[tf.TensorSpec((batches.SIZE, *model.input_shape[1:]), dtype)])
    return lambda values: batches.apply(forward, values, batches.SIZE)


def probabilities(model: "keras.Model", values: "tf.Tensor") -> "tf.Tensor":
    """Return what a model to logits says of examples: probabilities, float64 (examples, classes), rows summing to 1."""
    logits = model(tf.cast(values, model.input.dtype), training=False)
    # In float32 every probability within 1e-7 of 1 would be 1: the most confident ones would be indistinguishable.
    rows = classifier.probabilities(tf.cast(logits, tf.float64))
    return rows / tf.reduce_sum(rows, axis=1, keepdims=True)
