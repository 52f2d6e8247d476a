"""Small bases of every shape that the explanations have to cope with, their images preprocessed as VGG16's."""

from typing import Any


def straight(size: int = 16) -> Any:
    """Layers in one line, as VGG16: 2 convolutions, pooling, convolution, pooling."""
    from tests.pipeline import small_base

    return small_base(size, "vgg16")


def branched(size: int = 16) -> Any:
    """A shortcut, normalisation after each convolution, and a squeeze-and-excite block, as newer bases have."""
    import keras

    layers = keras.layers
    image = keras.Input((size, size, 3))
    values = layers.Conv2D(4, 3, padding="same", name="stem")(image)
    values = layers.ReLU(name="stem_relu")(layers.BatchNormalization(name="stem_bn")(values))
    shortcut = values = layers.AveragePooling2D(2, name="shrink")(values)
    values = layers.DepthwiseConv2D(3, padding="same", name="depthwise")(values)
    squeezed = layers.GlobalAveragePooling2D(keepdims=True, name="squeeze")(values)
    values = layers.multiply([values, layers.Conv2D(4, 1, activation="sigmoid", name="excite")(squeezed)])
    values = layers.SeparableConv2D(4, 3, padding="same", name="separable")(values)
    values = layers.ReLU(name="last_relu")(layers.add([values, shortcut], name="sum"))
    base = keras.Model(image, values, name="vgg16")
    base.trainable = False
    return base


def open_ended(size: int = 16) -> Any:
    """One convolution and nothing after it."""
    import keras

    image = keras.Input((size, size, 3))
    initializer = keras.initializers.HeUniform(seed=3)
    values = keras.layers.Conv2D(
        5, 3, strides=2, padding="same", activation="relu", kernel_initializer=initializer, name="only"
    )(image)
    base = keras.Model(image, values, name="vgg16")
    base.trainable = False
    return base
