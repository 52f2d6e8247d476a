"""EfficientNet-Lite 0 to 2, which Keras does not have: EfficientNets for processors without much to compute with.

They are EfficientNet (Tan & Le, 2019) as Google published it in 2020 for phones: without squeeze and excitation, with
ReLU6 in place of swish, and with a stem and a head that do not grow with the rest. Layers are named as those of Keras's
EfficientNet.
"""

import math
from typing import NamedTuple

from headstart.base.lazy import keras, tf

# Channels of the first convolution, and of the last.
STEM, HEAD = 32, 1280

# What widths and depths are multiplied by.
_FACTORS = {"efficientnet_lite0": (1.0, 1.0), "efficientnet_lite1": (1.0, 1.1), "efficientnet_lite2": (1.1, 1.2)}
# Of EfficientNet-B0, per stage: blocks, side of the kernel, stride of the first block, expansion, filters.
_STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
# Google's; Keras's own default for the layer as well, but this network depends on it.
_EPSILON = 1e-3


class Block(NamedTuple):
    """An inverted residual block (Sandler et al., 2018): expanded, filtered channel by channel, projected."""

    name: str
    side: int  # of the kernel
    stride: int
    channels: int  # that come in
    expanded: int  # as many where it does not expand
    filters: int  # channels that go out

    @property
    def adds(self) -> bool:
        """Whether what comes in is added to what goes out."""
        return self.stride == 1 and self.channels == self.filters


def blocks(name: str) -> list[Block]:
    """Return the blocks of the base ``name``, from the stem to the head."""
    width, depth = _FACTORS[name]
    found = []
    channels = STEM
    for stage, (count, side, stride, expansion, filters) in enumerate(_STAGES, start=1):
        # Neither the first nor the last stage gets deeper.
        repeats = count if stage in (1, len(_STAGES)) else math.ceil(count * depth)
        for place in range(repeats):
            block = f"block{stage}{chr(ord('a') + place)}"
            wide = _rounded(filters * width)
            found.append(Block(block, side, 1 if place else stride, channels, channels * expansion, wide))
            channels = wide
    return found


def construct(name: str, image_size: int) -> "keras.Model":
    """Build the base ``name`` with random weights.

    Returns:
        A model from preprocessed images, float (images, size, size, 3), to feature maps (images, size / 32,
        size / 32, 1280), sides rounded up.
    """
    layers = keras.layers
    image = keras.Input((image_size, image_size, 3))
    # Keras pads as TensorFlow does, and so does the original: where the stride is 2, more below and to the right.
    maps = layers.Conv2D(STEM, 3, strides=2, padding="same", use_bias=False, name="stem_conv")(image)
    maps = _normalized(maps, "stem")
    for block in blocks(name):
        before = maps
        if block.expanded != block.channels:
            expand = layers.Conv2D(block.expanded, 1, use_bias=False, name=f"{block.name}_expand_conv")
            maps = _normalized(expand(maps), f"{block.name}_expand")
        depthwise = layers.DepthwiseConv2D(
            block.side, strides=block.stride, padding="same", use_bias=False, name=f"{block.name}_dwconv"
        )
        maps = _normalized(depthwise(maps), block.name)
        maps = layers.Conv2D(block.filters, 1, use_bias=False, name=f"{block.name}_project_conv")(maps)
        maps = layers.BatchNormalization(epsilon=_EPSILON, name=f"{block.name}_project_bn")(maps)
        if block.adds:
            maps = layers.Add(name=f"{block.name}_add")([maps, before])
    maps = _normalized(layers.Conv2D(HEAD, 1, use_bias=False, name="top_conv")(maps), "top")
    return keras.Model(image, maps, name=name)


def preprocess(images: "tf.Tensor") -> "tf.Tensor":
    """Turn RGB images of 0 to 255 into what the networks were trained on: -0.99 to 1."""
    return (tf.cast(images, tf.float32) - 127) / 128


def _normalized(maps: "keras.KerasTensor", name: str) -> "keras.KerasTensor":
    normalized = keras.layers.BatchNormalization(epsilon=_EPSILON, name=f"{name}_bn")(maps)
    return keras.layers.ReLU(6, name=f"{name}_activation")(normalized)


def _rounded(channels: float) -> int:
    """Return the multiple of 8 next to a number of channels, or the one above if that is less than nine tenths."""
    nearest = max(8, int(channels + 4) // 8 * 8)
    return nearest if nearest >= 0.9 * channels else nearest + 8
