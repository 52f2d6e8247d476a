"""The pattern that each filter of a layer responds to most, by gradient ascent on the image.

Erhan, Bengio, Courville & Vincent (2009) look for the input that maximises a unit's response; Chollet (Deep Learning
with Python, 3rd ed., 10.2) climbs from noise by normalised gradients. Two regularisers keep the pictures from filling
with high-frequency noise (Yosinski et al., 2015; Mordvintsev, Olah & Tyka, 2015): the ascent starts on a small image
that is enlarged on the way, so that large shapes come first, and the image is shifted a little before each step.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from headstart.base import base, compiling, gradients
from headstart.base.bases import KINDS
from headstart.base.lazy import keras, tf
from headstart.explaining.spacing import spaced

# Sizes of the image on the way, as parts of its last one.
_GROWTH = (0.5, 0.75, 1.0)
# An image is so large that the layer's output has about this many positions a side: fewer show no more than one
# unit's field of view, more repeat the pattern. The limits, in pixels, keep shallow layers legible and deep ones quick.
_POSITIONS = 12
_LEAST, _MOST = 64, 128
# Largest shift before a step, pixels either way.
_SHIFT = 4
# The noise that the ascent starts from: grey, give or take this many grey levels.
_NOISE = 20
# Standard deviation of the grey levels of a finished picture: enough contrast, few that are cut off at 0 or 255.
_CONTRAST = 55
# Below zero the response still has this slope: a filter that does not respond to noise at all would stay there.
_SLOPE = 0.1


class Patterns(NamedTuple):
    """Patterns of some filters of a layer."""

    layer: str  # its name
    shape: tuple[int, int, int]  # (height, width, channels) of its output for images of the base's size
    images: NDArray[np.uint8]  # RGB, uint8 (shown, side, side, 3)


def patterns(
    whole: "keras.Model",
    layer: "keras.Layer",
    filters: int,
    steps: int,
    rate: float,
    seed: int,
    done: Callable[[int], object],
) -> Patterns:
    """Return the patterns of some filters of a layer, all of them computed at once.

    Args:
        whole: a base; only its part up to the layer runs.
        layer: a convolution of it.
        filters: the most whose patterns are looked for, evenly spaced over all that the layer has.
        steps: of the ascent.
        rate: root mean square of one step's change, grey levels.
        seed: start of the noise and of the shifts.
        done: called with 1 after each step.
    """
    shape: tuple[int, int, int] = tuple(layer.output.shape[1:])
    numbers = spaced(shape[-1], filters)
    random = np.random.default_rng(seed)
    sides = growth(whole, layer)
    images = random.uniform(127.5 - _NOISE, 127.5 + _NOISE, (len(numbers), sides[0], sides[0], 3))
    with _leaking(layer):
        climb = _compile_step(whole, layer, numbers, rate)
        for length, part in zip(sides, np.array_split(np.arange(steps), len(sides)), strict=True):
            images = tf.image.resize(images, (length, length), tf.image.ResizeMethod.BICUBIC)
            for _ in part:
                shift = random.integers(-_SHIFT, _SHIFT + 1, 2)
                images = tf.roll(climb(tf.roll(images, shift, (1, 2))), -shift, (1, 2))
                done(1)
    return Patterns(layer.name, shape, _visible(np.asarray(images)))


def growth(whole: "keras.Model", layer: "keras.Layer") -> list[int]:
    """Return the sides, pixels, of the image in which a filter's pattern grows: as many steps at each."""
    side = int(np.clip(_POSITIONS * round(whole.input_shape[1] / layer.output.shape[1]), _LEAST, _MOST))
    return [max(round(part * side), KINDS[whole.name].least_size) for part in _GROWTH]


def _compile_step(
    whole: "keras.Model", layer: "keras.Layer", numbers: NDArray[np.int64], rate: float
) -> Callable[["tf.Tensor"], "tf.Tensor"]:
    """Return a function that takes images of any size, one a filter, one step up their filters' mean response."""
    # The same layers on an input of no fixed size.
    model = keras.models.clone_model(
        keras.Model(whole.input, layer.output),
        input_tensors=keras.Input((None, None, 3)),
        clone_function=lambda layer: layer,
    )

    def step(images: "tf.Tensor") -> "tf.Tensor":
        output = model(base.preprocess(whole.name, images), training=False)
        responses = tf.reduce_mean(tf.cast(tf.gather(output, numbers, axis=3), tf.float32), axis=(1, 2))
        own = tf.linalg.trace(responses)  # row i is image i, column i its filter
        [gradient] = gradients.compute(own, [images])
        length = tf.sqrt(tf.reduce_mean(tf.square(gradient), axis=(1, 2, 3), keepdims=True))
        return images + rate * tf.math.divide_no_nan(gradient, length)

    return compiling.compiled(step, [tf.TensorSpec((len(numbers), None, None, 3), tf.float32)])


@contextmanager
def _leaking(layer: "keras.Layer") -> Iterator[None]:
    """Give a convolution a leaky rectifier in place of its activation (Maas, Hannun & Ng, 2013)."""
    activation = layer.activation
    layer.activation = lambda values: keras.ops.leaky_relu(values, _SLOPE)
    try:
        yield
    finally:
        layer.activation = activation


def _visible(images: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Bring each image to a middle grey and the usual contrast."""
    centred = images - images.mean(axis=(1, 2, 3), keepdims=True)
    spread = centred.std(axis=(1, 2, 3), keepdims=True)
    visible: NDArray[np.uint8] = np.clip(127.5 + _CONTRAST * centred / np.maximum(spread, 1e-6), 0, 255).astype(
        np.uint8
    )
    return visible
