"""The other gradients are the gradients, and only convolutions that they fit get them."""

from typing import Any

import numpy as np
import pytest

from headstart.base import convolution, runtime
from tests.policies import needs_bfloat16


@pytest.fixture(autouse=True)
def _tensorflow() -> None:
    runtime.start(0)


def gradients(layer: Any, images: Any) -> list[Any]:
    """What a layer gives for images, and the gradients of the images and of its weights."""
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(images)
        output = layer(images)
        factors = tf.range(tf.size(output, tf.int64)) % 7 - 3
        value = tf.reduce_sum(tf.cast(output, tf.float32) * tf.reshape(tf.cast(factors, tf.float32), tf.shape(output)))
    return [output, *tape.gradient(value, [images, *(weight.value for weight in layer.trainable_weights)])]


def twins(images: Any, **settings: Any) -> list[Any]:
    """Two layers of the same weights; the second has the gradients by matrix products."""
    import keras

    layers = [keras.layers.Conv2D(6, **settings) for _ in range(2)]
    for layer in layers:
        layer.build(images.shape)
    generator = np.random.default_rng(1)
    weights = [generator.normal(size=weight.shape) for weight in layers[0].weights]
    for layer in layers:
        layer.set_weights(weights)
    convolution.multiply_gradients(keras.Sequential([layers[1]]))
    assert "call" in vars(layers[1])
    return layers


@pytest.mark.parametrize("kernel_size", [1, 2, 3, (3, 5)])
@pytest.mark.parametrize("strides", [1, 2, (2, 3)])
@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("rest", [{}, {"use_bias": False}, {"activation": "relu"}])
def test_output_and_gradients_are_those_of_keras(kernel_size: Any, strides: Any, padding: str, rest: Any) -> None:
    import tensorflow as tf

    images = tf.constant(np.random.default_rng(0).normal(size=(2, 9, 8, 100)), tf.float32)
    layers = twins(images, kernel_size=kernel_size, strides=strides, padding=padding, **rest)
    expected, found = (gradients(layer, images) for layer in layers)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4 * np.abs(theirs).max())


@needs_bfloat16
def test_in_bfloat16_nothing_is_lost_in_the_sums() -> None:
    """The same as in float32, but for the rounding of what is summed and of the sum: 8 bits."""
    import tensorflow as tf

    images = tf.constant(np.random.default_rng(0).integers(0, 4, (20, 40, 40, 3)), tf.float32)
    exact, ours = twins(images, kernel_size=3, padding="same")
    half = twins(images, kernel_size=3, padding="same", dtype="mixed_bfloat16")[1]
    for layer in (exact, ours, half):
        layer.set_weights([np.round(4 * weight) / 4 for weight in exact.get_weights()])
    # A sum that TensorFlow's own kernel for bfloat16 gets wrong by tenths.
    for sum_of, expected in zip(gradients(half, images)[2:], gradients(exact, images)[2:], strict=True):
        np.testing.assert_allclose(sum_of, expected, rtol=0.01, atol=0.005 * np.abs(expected).max())


@pytest.mark.parametrize("change", [{"dilation_rate": 2}, {"groups": 2}])
def test_other_convolutions_stay_as_they_are(change: dict[str, Any]) -> None:
    import keras

    layer = keras.layers.Conv2D(4, 3, **change)
    convolution.multiply_gradients(keras.Sequential([keras.Input((8, 8, 4)), layer]))
    assert "call" not in vars(layer)


@pytest.mark.parametrize(
    ("policy", "tolerance"), [("float32", 1e-4), pytest.param("mixed_bfloat16", 0.05, marks=needs_bfloat16)]
)
def test_a_convolution_of_each_channel_gives_what_it_gave_grouped(policy: str, tolerance: float) -> None:
    import keras
    import tensorflow as tf

    layers = [keras.layers.Conv2D(5, 7, padding="same", groups=5, dtype=policy) for _ in range(2)]
    generator = np.random.default_rng(0)
    images = tf.cast(generator.normal(size=(2, 9, 8, 5)), layers[0].compute_dtype)
    for layer in layers:
        layer.build(images.shape)
    layers[1].set_weights(layers[0].get_weights())
    convolution.ungroup(keras.Sequential([layers[1]]))
    assert layers[1].convolution_op is not layers[0].convolution_op
    expected, found = gradients(layers[0], images), gradients(layers[1], images)
    for ours, theirs in zip(found, expected, strict=True):
        wanted = np.asarray(tf.cast(theirs, tf.float32))
        np.testing.assert_allclose(tf.cast(ours, tf.float32), wanted, rtol=tolerance, atol=tolerance * wanted.max())


@pytest.mark.parametrize("change", [{"groups": 1}, {"groups": 2}, {"filters": 8}, {"strides": 2}, {"padding": "valid"}])
def test_other_groups_stay(change: dict[str, Any]) -> None:
    import keras

    settings: dict[str, Any] = {"filters": 4, "kernel_size": 3, "padding": "same", "groups": 4} | change
    layer = keras.layers.Conv2D(**settings)
    before = layer.convolution_op
    convolution.ungroup(keras.Sequential([keras.Input((8, 8, 4)), layer]))
    assert layer.convolution_op == before
