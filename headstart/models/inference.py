"""What a trained model says of examples in memory."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from headstart.models import classifier
from headstart.models.samples import Samples, in_order

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

# Examples at once.
BATCH = 128


def predict(model: "keras.Model", values: NDArray[np.generic]) -> NDArray[np.float64]:
    """Return probabilities, float64 (examples, classes), for examples (examples, …)."""
    import tensorflow as tf

    forward = tf.function(
        lambda x: probabilities(model, x), input_signature=[tf.TensorSpec((None, *values.shape[1:]), values.dtype)]
    )
    samples = Samples(values[np.newaxis], np.zeros(len(values), np.int64))
    return np.concatenate([forward(x).numpy() for x, _ in in_order(samples, BATCH)])


def probabilities(model: "keras.Model", values: "tf.Tensor") -> "tf.Tensor":
    """Return what a model to logits says of examples: probabilities, float64 (examples, classes), rows summing to 1."""
    import tensorflow as tf

    logits = model(tf.cast(values, model.input.dtype), training=False)
    # In float32 every probability within 1e-7 of 1 would be 1: the surest ones could not be told apart.
    rows = classifier.probabilities(tf.cast(logits, tf.float64))
    return rows / tf.reduce_sum(rows, axis=1, keepdims=True)
