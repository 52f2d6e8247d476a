"""The average of the weights is the exponential one, and using it changes nothing."""

from typing import Any

import numpy as np
import pytest

from headstart.training.averaging import Average

pytest_plugins = ["tests.pipeline_fixtures"]
pytestmark = pytest.mark.usefixtures("tensorflow")


@pytest.fixture
def weights() -> list[Any]:
    import keras

    return [keras.Variable(np.array([1.0, 2.0], np.float32)), keras.Variable(np.float32(3.0))]


def test_it_follows_the_weights(weights: list[Any]) -> None:
    import tensorflow as tf

    average = Average(0.6, weights)
    update = tf.function(average.update)
    expected = np.array([1.0, 2.0])
    for step in range(1, 30):
        weights[0].assign([float(step), -float(step)])
        update(tf.constant(step))
        decay = min(0.6, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * np.array([step, -step])
    np.testing.assert_allclose(average.variables[0], expected, rtol=1e-5)
    assert float(average.variables[1]) == 3.0


def test_it_stands_in_for_the_weights_for_a_while(weights: list[Any]) -> None:
    import tensorflow as tf

    average = Average(0.5, weights)
    weights[0].assign([10.0, 20.0])
    average.update(tf.constant(1))
    with average.applied():
        np.testing.assert_array_equal(weights[0], average.variables[0])
        assert weights[0].numpy()[0] < 10
    np.testing.assert_array_equal(weights[0], [10.0, 20.0])


def test_without_a_decay_there_is_none(weights: list[Any]) -> None:
    average = Average(0.0, weights)
    assert average.variables == []
    with average.applied():
        np.testing.assert_array_equal(weights[0], [1.0, 2.0])
