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


def compile_logits(model: "keras.Model", dtype: npt.DTypeLike) -> Callable[[Samples], FloatArray]:
    """Return a function from examples of a type, in their first view, to their logits, float64 (images, classes).

    There are as many columns as classes if those are two, too. An example's logits are the same, to the last digit,
    whichever others come with it.
    """

    def both(logits: "tf.Tensor") -> "tf.Tensor":
        # A single unit is the logit of the second class against the first.
        return tf.concat([tf.zeros_like(logits), logits], axis=1) if logits.shape[1] == 1 else logits

    forward = _compiled(model, dtype, both)
    return lambda samples: np.concatenate([forward(values) for values, _ in in_order(samples, batches.SIZE)])


def compile_predict(model: "keras.Model", dtype: npt.DTypeLike) -> Callable[[NDArray[Any]], FloatArray]:
    """Return a function from any number of examples of a type to their probabilities, float64 (examples, classes).

    Rows sum to 1. Those of an example are the same, to the last digit, however many come with it.
    """

    def probabilities(logits: "tf.Tensor") -> "tf.Tensor":
        rows = classifier.probabilities(logits)
        return rows / tf.reduce_sum(rows, axis=1, keepdims=True)

    return _compiled(model, dtype, probabilities)


def _compiled(
    model: "keras.Model", dtype: npt.DTypeLike, answer: "Callable[[tf.Tensor], tf.Tensor]"
) -> Callable[[NDArray[Any]], FloatArray]:
    """Return a function from any number of examples to what ``answer`` makes of a model's logits for them."""

    def rows(examples: "tf.Tensor") -> "tf.Tensor":
        with batches.by_row(model):
            logits = model(tf.cast(examples, model.input.dtype), training=False)
            # In float32 every probability within 1e-7 of 1 would be 1: the most confident ones were indistinguishable.
            return answer(tf.cast(logits, tf.float64))

    return batches.compiled(rows, model.input_shape[1:], dtype)
