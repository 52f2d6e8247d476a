"""What Keras builds keeps its names and its inference, whatever else happens in the process."""

from typing import Any

import numpy as np
import pytest

from headstart.base import network

pytest_plugins = ["tests.pipeline_fixtures"]
pytestmark = pytest.mark.usefixtures("tensorflow")


def unnamed() -> Any:
    """A model whose names Keras makes up, but for two that look as if it had."""
    import keras

    image = values = keras.Input((4, 4, 3))
    values = keras.layers.Conv2D(2, 1)(values)
    values = keras.layers.ReLU()(values) + 1.0
    values = keras.layers.Conv2D(2, 1, name="conv_2")(values)
    values = keras.layers.Conv2D(2, 1)(values) + 1.0
    values = keras.layers.BatchNormalization(name="block_1")(values)
    return keras.Model(image, values)


def test_names_are_those_of_a_fresh_process() -> None:
    for _ in range(2):
        model = unnamed()
        network.settle_names(model)
        assert [operation.name for operation in model.operations] == [
            "input_layer",
            "conv2d",
            "re_lu",
            "add",
            "conv_2",
            "conv2d_1",
            "add_1",
            "block_1",
        ]
        assert list(network.variables(model)) == [
            *(f"{layer}/{variable}" for layer in ("conv2d", "conv_2", "conv2d_1") for variable in ("kernel", "bias")),
            *(f"block_1/{variable}" for variable in ("gamma", "beta", "moving_mean", "moving_variance")),
        ]


def test_a_normalisation_uses_the_weights_that_it_is_given() -> None:
    import keras

    image = keras.Input((2, 2, 3))
    model = keras.Model(image, keras.layers.Normalization(name="norm")(image))
    mean, variance = np.array([1, 2, 3], np.float32), np.array([4, 9, 16], np.float32)
    network.assign(model, {"norm/mean": mean, "norm/variance": variance, "norm/count": np.zeros((), np.float32)})
    values = np.random.default_rng(0).normal(size=(2, 2, 2, 3)).astype(np.float32)
    np.testing.assert_allclose(model(values), (values - mean) / np.sqrt(variance), rtol=1e-6)


def test_a_missing_weight_is_no_surprise_later() -> None:
    model = unnamed()
    network.settle_names(model)
    tensors = {name: np.zeros(variable.shape, np.float32) for name, variable in network.variables(model).items()}
    del tensors["block_1/beta"]
    with pytest.raises(KeyError, match="block_1/beta"):
        network.assign(model, tensors)
