"""The fused updates follow Keras's own, weight for weight."""

from typing import Any

import numpy as np
import pytest

from stages.core.learning import optimizers, runtime
from stages.core.schema import Optimization

STEPS = 5


def trained(optimizer: Any, gradients: list[np.ndarray[Any, Any]]) -> np.ndarray[Any, Any]:
    import keras
    import tensorflow as tf

    weights = keras.Variable(np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4))
    optimizer.build([weights])
    step = tf.function(lambda gradient: optimizer.apply([gradient], [weights]))
    for gradient in gradients:
        step(tf.constant(gradient))
    return np.asarray(weights)


@pytest.mark.parametrize("name", ["rmsprop", "adam", "adamw", "sgd"])
def test_an_update_is_that_of_keras(name: str) -> None:
    runtime.start(0)
    import keras

    reference = {
        "rmsprop": keras.optimizers.RMSprop,
        "adam": keras.optimizers.Adam,
        "adamw": keras.optimizers.AdamW,
        "sgd": keras.optimizers.SGD,
    }[name]
    settings = Optimization(optimizer=name, learning_rate=0.01, batch_size=1, epochs=1, patience=0)  # type: ignore[arg-type]
    generator = np.random.default_rng(0)
    gradients = [generator.normal(size=(3, 4)).astype(np.float32) for _ in range(STEPS)]

    ours = trained(optimizers.build(settings), gradients)

    np.testing.assert_allclose(ours, trained(reference(0.01), gradients), rtol=1e-5, atol=1e-7)
