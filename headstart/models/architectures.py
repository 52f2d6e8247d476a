"""Networks without a pretrained base: from an image's pixels to logits, every weight trained from scratch."""

import itertools
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

import numpy as np

from headstart.base import convolution
from headstart.base.lazy import keras
from headstart.foundation.errors import InputError
from headstart.foundation.framing import Fit, Framing
from headstart.models import classifier
from headstart.settings.schema import Architecture

# What red, green and blue give to luminance (ITU-R BT.601, the weights of Pillow's greyscale). They sum to 1: a grey
# pixel keeps its value.
_LUMINANCE = (0.299, 0.587, 0.114)
# Share of the old value that a moving average keeps at each step. A small set has some ten steps an epoch: with
# Keras's 0.99 the averages would lag epochs behind the weights.
_MOMENTUM = 0.9


class Network(Architecture):
    """Everything needed to build a network again."""

    channels: int  # how many the first convolution sees: 3, or 1, the luminance
    policy: str  # precision policy
    fit: Fit  # how pictures are brought into a square
    white_level: int  # the value shown white in images of 16 bits

    @property
    def framing(self) -> Framing:
        """How a picture becomes what the network sees."""
        return Framing(self.image_size, self.fit, self.white_level)


class Plan(NamedTuple):
    """How a network is built."""

    # From pixels (images, size, size, channels) of 0 to 1, the dropout and the seeds of random weights to what enters
    # the classifier, (images, values).
    body: Callable[["keras.KerasTensor", float, Iterator[int]], "keras.KerasTensor"]
    least: int  # the smallest side that gives each layer something to see, pixels


def describe(settings: Architecture, framing: Framing, policy: str, grey: bool) -> Network:
    """Return the network that ``settings`` ask for, with one input channel if the training images are ``grey``."""
    return Network(
        architecture=settings.architecture,
        image_size=framing.size,
        channels=1 if grey else 3,
        dropout=settings.dropout,
        policy=policy,
        fit=framing.fit,
        white_level=framing.white,
    )


def in_words(network: Network) -> str:
    """The network in a few words, for people."""
    channels = "grey" if network.channels == 1 else "colour"
    return f"{network.architecture} at {network.image_size} × {network.image_size} pixels, {channels}"


def check_size(settings: Architecture, section: str) -> None:
    """Check that the images of a ``section`` of params.yaml are large enough for its architecture.

    Raises:
        InputError: they aren't.
    """
    least = ARCHITECTURES[settings.architecture].least
    if settings.image_size < least:
        raise InputError(
            f"params.yaml: {section}.image_size: found {settings.image_size}, but {settings.architecture} needs "
            f"{least} pixels or more: raise it, or choose another {section}.architecture"
        )


def build(network: Network, classes: int, seed: int) -> "keras.Model":
    """Build a network, in the precision that :func:`runtime.set_policy` set; ``seed`` starts its weights and dropout.

    Returns:
        A model from RGB pixels of 0 to 255, (images, size, size, 3), to logits, float32 (images, units).
    """
    seeds = itertools.count(seed)
    pixels = keras.Input((network.image_size, network.image_size, 3), name="pixels")
    values = pixels
    if network.channels == 1:
        values = keras.ops.sum(values * np.array(_LUMINANCE, np.float32), axis=-1, keepdims=True)
    values = keras.layers.Rescaling(1 / 255, name="rescaling")(values)
    values = ARCHITECTURES[network.architecture].body(values, network.dropout, seeds)
    logits = keras.layers.Dense(
        classifier.output_units(classes),
        kernel_initializer=keras.initializers.GlorotUniform(next(seeds)),
        dtype="float32",
        name="logits",
    )(values)
    model = keras.Model(pixels, logits, name=network.architecture)
    convolution.multiply_gradients(model)
    return model


def _stack(
    values: "keras.KerasTensor", dropout: float, seeds: Iterator[int], filters: tuple[int, ...], pooling: bool
) -> "keras.KerasTensor":
    """Convolutions one after the other, as in Chollet, Deep Learning with Python, chapter 8."""
    for number, count in enumerate(filters, start=1):
        if pooling and number > 1:
            values = keras.layers.MaxPooling2D(2, name=f"pool{number - 1}")(values)
        values = _convolution(count, "valid", seeds, f"conv{number}")(values)
    return _dropped(keras.layers.Flatten(name="flatten")(values), dropout, seeds, "dropout")


def _vgg_small(values: "keras.KerasTensor", dropout: float, seeds: Iterator[int]) -> "keras.KerasTensor":
    """Two blocks and two hidden layers in the manner of VGG (Simonyan & Zisserman, 2015)."""
    for block, filters in enumerate((32, 64), start=1):
        for number in (1, 2):
            values = _convolution(filters, "same", seeds, f"block{block}_conv{number}")(values)
        values = keras.layers.MaxPooling2D(2, name=f"block{block}_pool")(values)
        values = _dropped(values, dropout, seeds, f"block{block}_dropout")
    values = keras.layers.Flatten(name="flatten")(values)
    for number, units in enumerate((512, 256), start=1):
        initializer = keras.initializers.GlorotUniform(next(seeds))
        values = keras.layers.Dense(units, "relu", kernel_initializer=initializer, name=f"hidden{number}")(values)
        values = _dropped(values, dropout, seeds, f"hidden{number}_dropout")
    return values


def _resnet34(values: "keras.KerasTensor", dropout: float, seeds: Iterator[int]) -> "keras.KerasTensor":
    """ResNet-34 (He, Zhang, Ren & Sun, 2016), as Géron writes it in Hands-On Machine Learning, chapter 14."""
    values = _normalised(values, 64, 7, 2, seeds, "stem")
    values = keras.layers.ReLU(name="stem_relu")(values)
    values = keras.layers.MaxPooling2D(3, strides=2, padding="same", name="stem_pool")(values)
    for stage, (filters, units) in enumerate(((64, 3), (128, 4), (256, 6), (512, 3)), start=1):
        for unit in range(1, units + 1):
            strides = 2 if unit == 1 and stage > 1 else 1
            values = _residual_unit(values, filters, strides, seeds, f"unit{stage}_{unit}")
    return _dropped(keras.layers.GlobalAveragePooling2D(name="pooling")(values), dropout, seeds, "dropout")


def _residual_unit(
    values: "keras.KerasTensor", filters: int, strides: int, seeds: Iterator[int], name: str
) -> "keras.KerasTensor":
    """Two convolutions whose outcome is added to what entered them, brought to the same shape where need be."""
    skip = values if strides == 1 else _normalised(values, filters, 1, strides, seeds, f"{name}_skip")
    values = _normalised(values, filters, 3, strides, seeds, f"{name}_first")
    values = keras.layers.ReLU(name=f"{name}_first_relu")(values)
    values = _normalised(values, filters, 3, 1, seeds, f"{name}_second")
    values = keras.layers.Add(name=f"{name}_add")([values, skip])
    return keras.layers.ReLU(name=f"{name}_relu")(values)


def _normalised(
    values: "keras.KerasTensor", filters: int, kernel: int, strides: int, seeds: Iterator[int], name: str
) -> "keras.KerasTensor":
    """A convolution and batch normalization, whose shift makes a bias of its own needless."""
    values = keras.layers.Conv2D(
        filters,
        kernel,
        strides=strides,
        padding="same",
        use_bias=False,
        kernel_initializer=keras.initializers.HeNormal(next(seeds)),
        name=f"{name}_conv",
    )(values)
    return keras.layers.BatchNormalization(momentum=_MOMENTUM, name=f"{name}_norm")(values)


def _convolution(filters: int, padding: str, seeds: Iterator[int], name: str) -> "keras.layers.Layer":
    initializer = keras.initializers.GlorotUniform(next(seeds))
    return keras.layers.Conv2D(
        filters, 3, padding=padding, activation="relu", kernel_initializer=initializer, name=name
    )


def _dropped(values: "keras.KerasTensor", dropout: float, seeds: Iterator[int], name: str) -> "keras.KerasTensor":
    return keras.layers.Dropout(dropout, seed=next(seeds), name=name)(values) if dropout else values


# At the least sizes some layer sees a single position: one pixel less, and it would see none. ResNet-34 pads, but
# halves images five times over.
ARCHITECTURES = {
    "convnet": Plan(partial(_stack, filters=(32, 64, 128, 256, 256), pooling=True), least=78),
    "convnet_small": Plan(partial(_stack, filters=(32, 64, 128), pooling=True), least=18),
    "convnet_no_pooling": Plan(partial(_stack, filters=(32, 64, 128), pooling=False), least=7),
    "vgg_small": Plan(_vgg_small, least=4),
    "resnet34": Plan(_resnet34, least=32),
}
