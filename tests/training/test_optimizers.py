"""The fused updates follow Keras's own, weight for weight."""

from typing import Any

import numpy as np
import pytest

from headstart.settings import params
from headstart.settings.schema import Optimization
from headstart.training import optimizers
from tests.pipeline import ROOT, trained_by

pytest_plugins = ["tests.pipeline_fixtures"]
pytestmark = pytest.mark.usefixtures("tensorflow")

QUICK = params.load(ROOT / "presets" / "quick.yaml").train_head
KERNEL = np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4)
BIAS = np.linspace(-1, 1, 4, dtype=np.float32)
STEPS = 5
RATE = 0.01


def settings(**changes: Any) -> Optimization:
    values = trained_by(QUICK, **{"learning_rate": RATE, **changes})
    return Optimization.model_validate({name: values[name] for name in Optimization.model_fields})


def trained(build: Any, gradient: float = 1.0) -> list[np.ndarray[Any, Any]]:
    """A kernel and a bias after some steps along gradients of this size."""
    import keras
    import tensorflow as tf

    weights = [keras.Variable(KERNEL), keras.Variable(BIAS)]
    optimizer = build(weights)
    step = tf.function(lambda gradients: optimizer.apply(gradients, weights))
    random = np.random.default_rng(0)
    for _ in range(STEPS):
        step([tf.constant(gradient * random.normal(size=weight.shape), tf.float32) for weight in weights])
    return [np.asarray(weight) for weight in weights]


def reference(name: str, **options: Any) -> Any:
    """Keras's own optimizer, as a function of the weights."""
    import keras

    kinds = {"rmsprop": keras.optimizers.RMSprop, "adam": keras.optimizers.Adam, "sgd": keras.optimizers.SGD}

    def build(weights: list[Any]) -> Any:
        optimizer = kinds[name](RATE, **options)
        optimizer.exclude_from_weight_decay(weights[1:])
        optimizer.build(weights)
        return optimizer

    return build


@pytest.mark.parametrize("weight_decay", [0.0, 0.5])
@pytest.mark.parametrize("name", ["rmsprop", "adam", "sgd"])
def test_an_update_is_that_of_keras(name: str, weight_decay: float) -> None:
    chosen = settings(optimizer=name, weight_decay=weight_decay)
    ours = trained(lambda weights: optimizers.build(chosen, weights))
    theirs = trained(reference(name, weight_decay=weight_decay or None))
    for mine, yours in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine, yours, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("name", ["rmsprop", "adam", "sgd"])
def test_weight_decay_is_decoupled_and_spares_biases(name: str) -> None:
    """Without a gradient a kernel shrinks by the rate times the decay, whatever the optimizer."""
    chosen = settings(optimizer=name, weight_decay=0.5)
    kernel, bias = trained(lambda weights: optimizers.build(chosen, weights), gradient=0.0)
    np.testing.assert_allclose(kernel, KERNEL * (1 - RATE * 0.5) ** STEPS, rtol=1e-5)
    np.testing.assert_array_equal(bias, BIAS)


def test_a_whole_number_is_a_rate() -> None:
    import keras

    assert optimizers.build(settings(learning_rate=1), [keras.Variable(KERNEL)]).learning_rate == 1.0
