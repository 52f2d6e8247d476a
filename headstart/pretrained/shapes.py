"""The tensors of bases whose ImageNet weights have a digest of our own: names and shapes, known without Keras."""

from collections.abc import Mapping

from headstart.base.efficientnet_lite import HEAD, STEM, blocks

Shapes = Mapping[str, tuple[int, ...]]
"""Of every tensor by Keras's name, ``layer/variable``, in the order of Keras's layers."""


def vgg16() -> Shapes:
    """Shapes of VGG16 (Simonyan & Zisserman, 2015, configuration D)."""
    shapes: dict[str, tuple[int, ...]] = {}
    channels = 3
    for block, count in enumerate((2, 2, 3, 3, 3), start=1):
        filters = min(64 * 2 ** (block - 1), 512)
        for layer in range(1, count + 1):
            name = f"block{block}_conv{layer}"
            shapes |= _convolution(name, 3, channels, filters) | {f"{name}/bias": (filters,)}
            channels = filters
    return shapes


def xception() -> Shapes:
    """Shapes of Xception (Chollet, 2017). Keras names neither the convolutions beside its blocks nor what follows."""
    shapes = _convolution("block1_conv1", 3, 3, 32) | _normalization("block1_conv1_bn", 32)
    shapes |= _convolution("block1_conv2", 3, 32, 64) | _normalization("block1_conv2_bn", 64)
    channels, shortcuts = 64, 0
    blocks = ((128, 128), (256, 256), (728, 728), *[(728, 728, 728)] * 8, (728, 1024), (1536, 2048))
    for block, filters in enumerate(blocks, start=2):
        before = channels
        for number, count in enumerate(filters, start=1):
            name = f"block{block}_sepconv{number}"
            shapes |= _separable(name, channels, count) | _normalization(f"{name}_bn", count)
            channels = count
        if block in (2, 3, 4, 13):
            suffix = f"_{shortcuts}" if shortcuts else ""
            shapes |= _convolution(f"conv2d{suffix}", 1, before, channels)
            shapes |= _normalization(f"batch_normalization{suffix}", channels)
            shortcuts += 1
    return shapes


def efficientnet_lite(name: str) -> Shapes:
    """Shapes of the base ``name``, EfficientNet-Lite 0, 1 or 2."""
    shapes = _convolution("stem_conv", 3, 3, STEM) | _normalization("stem_bn", STEM)
    for block in blocks(name):
        if block.expanded != block.channels:
            shapes |= _convolution(f"{block.name}_expand_conv", 1, block.channels, block.expanded)
            shapes |= _normalization(f"{block.name}_expand_bn", block.expanded)
        shapes |= _convolution(f"{block.name}_dwconv", block.side, block.expanded, 1)  # each channel to one
        shapes |= _normalization(f"{block.name}_bn", block.expanded)
        shapes |= _convolution(f"{block.name}_project_conv", 1, block.expanded, block.filters)
        shapes |= _normalization(f"{block.name}_project_bn", block.filters)
        channels = block.filters
    return shapes | _convolution("top_conv", 1, channels, HEAD) | _normalization("top_bn", HEAD)


def _convolution(name: str, side: int, channels: int, filters: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}/kernel": (side, side, channels, filters)}


def _separable(name: str, channels: int, filters: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}/depthwise_kernel": (3, 3, channels, 1), f"{name}/pointwise_kernel": (1, 1, channels, filters)}


def _normalization(name: str, channels: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}/{variable}": (channels,) for variable in ("gamma", "beta", "moving_mean", "moving_variance")}
