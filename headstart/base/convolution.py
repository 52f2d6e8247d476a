"""Convolutions computed in another way than Keras has them computed on processors.

oneDNN, which TensorFlow computes with there, splits the sum that is a kernel's gradient by the number of threads, so
that its last digits depend on it. TensorFlow sums the gradient of a bfloat16 convolution's bias in bfloat16: of some
thousand summands a tenth can be lost, of a million half. And the deeper layers of a base get the gradient of their
bfloat16 kernels at about half the rate of a matrix product. As matrix products both gradients depend on no threads, are
summed in float32, and are as fast or faster.

A convolution with as many groups as channels (ConvNeXt's) is a depthwise one. TensorFlow has a kernel for these,
but none for groups, which it has compiled into something many times slower.
"""

from functools import partial
from typing import Any

from headstart.base.lazy import keras, tf

# Columns of a matrix product at the least: fewer leave processors idle. Channels of several positions of the kernel are
# put side by side to fill them; many at once take memory, and copying them takes time.
_COLUMNS = 256


def multiply_gradients(model: "keras.Model") -> None:
    """Give the convolutions of ``model`` gradients by matrix products, but for grouped and dilated ones.

    Their outputs stay the same. GPUs have deterministic kernels of their own.
    """
    if tf.config.list_physical_devices("GPU"):
        return
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2D) and _is_plain(layer):
            layer.call = partial(_call, layer)


def ungroup(model: "keras.Model") -> None:
    """Compute the depthwise convolutions of ``model`` that are written as grouped ones as what they are.

    Their outputs stay the same but for rounding. GPUs have kernels for groups, and none with a reproducible gradient
    for depthwise convolutions.
    """
    if tf.config.list_physical_devices("GPU"):
        return
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2D) and _is_depthwise(layer):
            layer.convolution_op = _depthwise


def _is_depthwise(layer: "keras.layers.Conv2D") -> bool:
    """Whether a convolution takes each channel separately, to one output each, with stride 1 and zeros around it."""
    return bool(
        layer.groups > 1
        and layer.kernel.shape[-2:] == (1, layer.groups)
        and layer.padding == "same"
        and layer.strides == (1, 1)
        and layer.dilation_rate == (1, 1)
        and layer.data_format == "channels_last"
    )


def _depthwise(images: "tf.Tensor", kernel: "tf.Tensor") -> "tf.Tensor":
    by_channel = tf.transpose(tf.cast(kernel, images.dtype), (0, 1, 3, 2))  # (height, width, channels, 1)
    return tf.nn.depthwise_conv2d(images, by_channel, strides=(1, 1, 1, 1), padding="SAME")


def _is_plain(layer: "keras.layers.Conv2D") -> bool:
    """Whether a convolution takes all channels together, and neighbouring positions."""
    return bool(
        layer.groups == 1
        and layer.dilation_rate == (1, 1)
        and layer.padding in ("same", "valid")
        and layer.data_format == "channels_last"
    )


def _call(layer: "keras.layers.Conv2D", inputs: "tf.Tensor") -> "tf.Tensor":
    """What the layer's own ``call`` does."""
    kernel = tf.cast(layer.kernel, inputs.dtype)
    weights = [kernel, tf.cast(layer.bias, inputs.dtype)] if layer.use_bias else [kernel]
    how = layer.strides, layer.padding.upper()
    outputs = tf.custom_gradient(lambda images, *weights: _convolve(images, *how, *weights))(inputs, *weights)
    return outputs if layer.activation is None else layer.activation(outputs)


def _convolve(
    images: "tf.Tensor", strides: tuple[int, int], padding: str, kernel: "tf.Tensor", *bias: "tf.Tensor"
) -> tuple["tf.Tensor", Any]:
    """A convolution and the function that gives its gradients, as ``tf.custom_gradient`` wants them."""
    outputs = tf.nn.conv2d(images, kernel, strides, padding)
    for values in bias:
        outputs = tf.nn.bias_add(outputs, values)

    def gradients(upstream: "tf.Tensor") -> list["tf.Tensor"]:
        of_images = tf.nn.conv2d_transpose(upstream, kernel, tf.shape(images), strides, padding)
        of_weights = _weight_gradients(images, kernel.shape, upstream, strides, padding)
        return [of_images, *of_weights[: 1 + len(bias)]]

    return outputs, gradients


def _weight_gradients(
    images: "tf.Tensor", shape: tuple[int, ...], gradient: "tf.Tensor", strides: tuple[int, int], padding: str
) -> tuple["tf.Tensor", "tf.Tensor"]:
    """The gradients of kernel and bias: what each of their weights was multiplied with, times the outputs' gradient.

    That is the pixels that a position of the kernel was laid on, and for the bias 1.

    Args:
        images: (n, height, width, channels).
        shape: (kernel height, kernel width, channels, filters).
        gradient: of the outputs, (n, output height, output width, filters).
        strides: of the kernel, down and across.
        padding: ``SAME`` or ``VALID``.

    Returns:
        Those of the kernel, as ``shape`` says, and of the bias, (filters,).
    """
    rows, columns, channels, filters = shape
    height, width = _sides(gradient)
    if padding == "SAME":
        sizes = zip((height, width), (rows, columns), strides, _sides(images), strict=True)
        images = tf.pad(images, [(0, 0), *(_margins(*of_side) for of_side in sizes), (0, 0)])

    def seen(row: int, column: int) -> "tf.Tensor":
        """What a position of the kernel was laid on, (n, output height, output width, channels)."""
        down, across = strides
        return images[
            :, row : row + (height - 1) * down + 1 : down, column : column + (width - 1) * across + 1 : across
        ]

    positions = [(row, column) for row in range(rows) for column in range(columns)]
    together = max(1, _COLUMNS // channels)
    upstream = tf.reshape(gradient, (-1, filters))
    products = []
    for start in range(0, len(positions), together):
        part = [seen(*position) for position in positions[start : start + together]]
        if start + together >= len(positions):
            # A product with a single column would be split by the number of threads: the bias goes with others.
            part.append(tf.ones_like(part[0][..., :1]))
        values = tf.reshape(tf.concat(part, axis=-1), (tf.shape(upstream)[0], -1))
        products.append(tf.matmul(values, upstream, transpose_a=True))
    gradients = tf.concat(products, axis=0)
    return tf.reshape(gradients[:-1], shape), gradients[-1]


def _sides(images: "tf.Tensor") -> list[Any]:
    """Height and width: numbers where they are known as it is compiled, which makes for far fewer operations."""
    known = images.shape[1:3]
    return list(known) if known.is_fully_defined() else tf.unstack(tf.shape(images)[1:3])


def _margins(outputs: Any, kernel: int, stride: int, inputs: Any) -> tuple[Any, Any]:
    """Rows or columns of zeros that TensorFlow adds before and after with padding ``SAME``."""
    total = (outputs - 1) * stride + kernel - inputs
    total = max(total, 0) if isinstance(total, int) else tf.maximum(total, 0)
    return total // 2, total - total // 2
