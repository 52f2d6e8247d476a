"""Convolutions computed in a faster way than Keras has them computed on processors.

oneDNN, which TensorFlow computes with there, runs the weight gradient of a bfloat16 convolution at about half
the rate of a bfloat16 matrix product. The gradient is a matrix product for each position of the kernel, so it
can be had at full rate.

A convolution with as many groups as channels (ConvNeXt's) is a depthwise one. TensorFlow has a kernel for these,
but none for groups, which it has compiled into something many times slower.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras
    import tensorflow as tf


def speed_up(model: "keras.Model") -> None:
    """Give the convolutions of ``model`` that allow it the faster gradient. Their outputs stay the same."""
    import keras

    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2D) and _is_plain(layer):
            layer.convolution_op = _convolve


def ungroup(model: "keras.Model") -> None:
    """Compute the depthwise convolutions of ``model`` that are written as grouped ones as what they are.

    Their outputs stay the same but for rounding. GPUs have kernels for groups, and none with a reproducible gradient
    for depthwise convolutions.
    """
    import keras
    import tensorflow as tf

    if tf.config.list_physical_devices("GPU"):
        return
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2D) and _is_depthwise(layer):
            layer.convolution_op = _depthwise


def _is_depthwise(layer: "keras.layers.Conv2D") -> bool:
    """Whether a convolution takes each channel by itself, to one output each, with stride 1 and zeros around it."""
    return bool(
        layer.groups > 1
        and layer.kernel.shape[-2:] == (1, layer.groups)
        and layer.padding == "same"
        and layer.strides == (1, 1)
        and layer.dilation_rate == (1, 1)
        and layer.data_format == "channels_last"
    )


def _depthwise(images: "tf.Tensor", kernel: "tf.Tensor") -> "tf.Tensor":
    import tensorflow as tf

    by_channel = tf.transpose(tf.cast(kernel, images.dtype), (0, 1, 3, 2))  # (height, width, channels, 1)
    return tf.nn.depthwise_conv2d(images, by_channel, strides=(1, 1, 1, 1), padding="SAME")


def _is_plain(layer: "keras.layers.Conv2D") -> bool:
    """Whether a convolution is one with stride 1, zeros around it, an odd kernel, computed in bfloat16.

    In float32 the two ways are equally fast.
    """
    return bool(
        layer.padding == "same"
        and layer.strides == (1, 1)
        and layer.dilation_rate == (1, 1)
        and layer.groups == 1
        and all(size % 2 for size in layer.kernel_size)
        and layer.data_format == "channels_last"
        and layer.compute_dtype == "bfloat16"
    )


def _convolve(images: "tf.Tensor", kernel: "tf.Tensor") -> "tf.Tensor":
    import tensorflow as tf

    def convolve(images: "tf.Tensor", kernel: "tf.Tensor") -> tuple["tf.Tensor", object]:
        return tf.nn.conv2d(images, kernel, strides=1, padding="SAME"), lambda gradient: (
            _image_gradient(tf.shape(images), kernel, gradient),
            _kernel_gradient(images, kernel.shape, gradient),
        )

    return tf.custom_gradient(convolve)(images, tf.cast(kernel, images.dtype))


def _image_gradient(shape: "tf.Tensor", kernel: "tf.Tensor", gradient: "tf.Tensor") -> "tf.Tensor":
    import tensorflow as tf

    return tf.nn.conv2d_transpose(gradient, kernel, shape, strides=1, padding="SAME")


def _kernel_gradient(images: "tf.Tensor", shape: tuple[int, ...], gradient: "tf.Tensor") -> "tf.Tensor":
    """The gradient of the kernel: at each of its positions the images, so shifted, times the gradient.

    Args:
        images: (n, height, width, channels).
        shape: (kernel height, kernel width, channels, filters).
        gradient: (n, height, width, filters).
    """
    import tensorflow as tf

    rows, columns, channels, filters = shape
    margin = [[0, 0], [rows // 2, rows // 2], [columns // 2, columns // 2], [0, 0]]
    padded = tf.pad(images, margin)
    flat_gradient = tf.reshape(gradient, (-1, filters))  # (n * height * width, filters)
    products = [
        tf.matmul(
            # Counted from the end, since the size of the images need not be known; 0 would be the beginning.
            tf.reshape(
                padded[:, row : (row + 1 - rows) or None, column : (column + 1 - columns) or None], (-1, channels)
            ),
            flat_gradient,
            transpose_a=True,
        )
        for row in range(rows)
        for column in range(columns)
    ]
    return tf.reshape(tf.stack(products), shape)
