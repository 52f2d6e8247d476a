"""The faster gradient is the gradient, and only convolutions that it fits get it."""

from typing import Any

import numpy as np
import pytest

from stages.core.learning import convolution, runtime


@pytest.fixture(autouse=True)
def _tensorflow() -> None:
    runtime.start(0)


def gradients(layer: Any, images: Any) -> tuple[Any, Any, Any]:
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(images)
        output = layer(images)
        value = tf.reduce_sum(tf.cast(output, tf.float32) * tf.cast(tf.range(output.shape[-1]), tf.float32))
    return output, *tape.gradient(value, [images, layer.kernel])


@pytest.mark.parametrize("kernel", [1, 3, 5])
def test_output_and_gradients_are_those_of_keras(kernel: int) -> None:
    import keras
    import tensorflow as tf

    layers = [keras.layers.Conv2D(6, kernel, padding="same", dtype="mixed_bfloat16") for _ in range(2)]
    generator = np.random.default_rng(0)
    images = tf.cast(generator.normal(size=(2, 7, 5, 4)), tf.bfloat16)
    for layer in layers:
        layer.build(images.shape)
    layers[1].set_weights(layers[0].get_weights())
    convolution.speed_up(keras.Sequential([layers[1]]))
    assert layers[1].convolution_op is not layers[0].convolution_op

    expected, found = gradients(layers[0], images), gradients(layers[1], images)

    for ours, theirs in zip(found, expected, strict=True):
        # bfloat16 holds 8 bits of a number; sums of some dozen products differ by a few of the last.
        np.testing.assert_allclose(tf.cast(ours, tf.float32), tf.cast(theirs, tf.float32), rtol=0.03, atol=0.1)


@pytest.mark.parametrize(
    "change",
    [
        {"padding": "valid"},
        {"strides": 2},
        {"dilation_rate": 2},
        {"groups": 2},
        {"dtype": "float32"},
        {"kernel_size": 2},
    ],
)
def test_other_convolutions_stay_as_they_are(change: dict[str, Any]) -> None:
    import keras

    settings: dict[str, Any] = {"kernel_size": 3, "padding": "same", "dtype": "mixed_bfloat16"} | change
    layer = keras.layers.Conv2D(4, **settings)
    before = layer.convolution_op
    convolution.speed_up(keras.Sequential([keras.Input((8, 8, 4)), layer]))
    assert layer.convolution_op == before


@pytest.mark.parametrize(("policy", "tolerance"), [("float32", 1e-4), ("mixed_bfloat16", 0.05)])
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
