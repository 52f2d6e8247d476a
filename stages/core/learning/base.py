"""The pretrained convolutional base: building it, cutting it in two, its preprocessing."""

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from stages.core.errors import InputError

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

# ImageNet's mean blue, green and red, as VGG16 was trained with (Simonyan & Zisserman, 2015).
_IMAGENET_MEAN_BGR = (103.939, 116.779, 123.68)


def build(weights: Mapping[str, NDArray[np.float32]], image_size: int) -> "keras.Model":
    """Build VGG16 without its classifier, in the precision that :func:`runtime.set_policy` set.

    Args:
        weights: by Keras's layer names, ``block1_conv1/kernel`` and so on; empty for random weights.
        image_size: side of the images, pixels.

    Returns:
        A frozen model from preprocessed images, float (images, size, size, 3), to feature maps
        (images, size // 32, size // 32, 512).
    """
    import keras

    base = keras.applications.VGG16(
        weights=None, include_top=False, input_shape=(image_size, image_size, 3), name="vgg16"
    )
    if weights:
        for layer in base.layers:
            if layer.weights:
                layer.set_weights([weights[f"{layer.name}/kernel"], weights[f"{layer.name}/bias"]])
    base.trainable = False
    return base


def preprocess(images: "tf.Tensor") -> "tf.Tensor":
    """Turn RGB images of 0 to 255 into what VGG16 was trained on: BGR, less ImageNet's mean."""
    import tensorflow as tf

    return tf.reverse(tf.cast(images, tf.float32), axis=[-1]) - tf.constant(_IMAGENET_MEAN_BGR)


def cut_before(base: "keras.Model", unfreeze: int) -> str:
    """Return the name of the layer whose output is the last that no unfrozen weight changes.

    Pooling layers right above it have no weights, so the cut may stand after them.

    Args:
        base: the whole base.
        unfreeze: how many of its last layers train.

    Raises:
        InputError: the base has fewer layers.
    """
    layers = base.layers[1:]  # the input layer is no layer of the network
    if unfreeze > len(layers):
        raise InputError(
            f"params.yaml: finetune.unfreeze: found {unfreeze}, but {base.name} has {len(layers)} layers: "
            f"choose 0 to {len(layers)}"
        )
    first = len(layers) - unfreeze
    while first < len(layers) and not layers[first].weights:
        first += 1
    return str(base.layers[first].name)


def between(base: "keras.Model", lower: str | None, upper: str | None) -> "keras.Model":
    """Return the part of a base after the layer ``lower`` up to the layer ``upper``, sharing its weights.

    Args:
        base: a base whose layers stand in one line, each fed by the one before.
        lower: the layer whose output the part takes; None for the preprocessed images.
        upper: the layer whose output the part gives; None for the base's last.
    """
    import keras

    names = [layer.name for layer in base.layers]
    start = names.index(lower) if lower else 0
    end = names.index(upper) if upper else len(names) - 1
    entry = keras.Input(base.layers[start].output.shape[1:], dtype=base.layers[start].output.dtype)
    output = entry
    for layer in base.layers[start + 1 : end + 1]:
        output = layer(output)
    return keras.Model(entry, output, name=f"{base.name}_{names[end]}")


def check_layer(base: "keras.Model", name: str, parameter: str) -> None:
    """Check that the base has the layer ``name``.

    Raises:
        InputError: it has not; ``parameter`` is named as the culprit.
    """
    names = [layer.name for layer in base.layers[1:]]  # the input layer is no layer of the network
    if name not in names:
        raise InputError(f"params.yaml: {parameter}: {base.name} has no layer {name!r}; it has {', '.join(names)}")


def digests(base: "keras.Model") -> dict[str, str]:
    """Return a digest of the weights of each layer that has some."""
    return {
        layer.name: hashlib.sha256(b"".join(weight.value.numpy().tobytes() for weight in layer.weights)).hexdigest()
        for layer in base.layers
        if layer.weights
    }


def check_frozen(base: "keras.Model", before: Mapping[str, str]) -> None:
    """Check that training changed every unfrozen layer and no frozen one.

    Args:
        base: the base after training.
        before: what :func:`digests` gave before.

    Raises:
        InputError: an unfrozen layer did not change.
        RuntimeError: a frozen layer changed: the model would not be what it is said to be.
    """
    after = digests(base)
    for layer in base.layers:
        if layer.weights and (after[layer.name] != before[layer.name]) != layer.trainable:
            if layer.trainable:
                raise InputError(
                    f"params.yaml: finetune.learning_rate: too low to change {layer.name} of {base.name}: raise it"
                )
            raise RuntimeError(f"{base.name}: {layer.name} is frozen but changed")
