"""EfficientNet-Lite is what Google published: its sizes, and what it computes, by plain NumPy."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from headstart.base import base, efficientnet_lite
from headstart.pretrained.imagenet import CANONICAL

pytest_plugins = ["tests.pipeline_fixtures"]

Values = NDArray[np.float64]


@pytest.mark.parametrize(
    ("name", "millions", "blocks"),
    [("efficientnet_lite0", 4.7, 16), ("efficientnet_lite1", 5.4, 21), ("efficientnet_lite2", 6.1, 21)],
)
def test_there_are_as_many_weights_as_published(name: str, millions: float, blocks: int) -> None:
    """With the classifier of ImageNet's 1,000 classes, and without statistics, which are not trained."""
    shapes = {key: shape for key, shape in CANONICAL[name].shapes.items() if "moving" not in key}
    classifier = 1280 * 1000 + 1000
    assert round((sum(int(np.prod(shape)) for shape in shapes.values()) + classifier) / 1e6, 1) == millions
    assert len(efficientnet_lite.blocks(name)) == blocks


def test_channels_are_multiples_of_8_and_the_stem_does_not_grow() -> None:
    found = efficientnet_lite.blocks("efficientnet_lite2")
    assert found[0].channels == 32
    # 1.1 times 16, 24, 40, 80, 112, 192 and 320.
    assert list(dict.fromkeys(block.filters for block in found)) == [16, 24, 48, 88, 120, 208, 352]


def test_images_are_preprocessed_as_in_the_original(tensorflow: None) -> None:
    pixels = np.array([[[[0, 127, 255]]]], np.uint8)
    np.testing.assert_array_equal(base.preprocess("efficientnet_lite0", pixels), [[[[-127 / 128, 0, 1]]]])


def lively_weights(name: str) -> dict[str, NDArray[np.float32]]:
    """Weights that leave no layer without effect: with them many values come above 6, and many below 0."""
    random = np.random.default_rng(0)
    weights = {}
    for key, shape in CANONICAL[name].shapes.items():
        variable = key.partition("/")[2]
        if variable == "kernel":
            values = random.normal(0, np.sqrt(2 / np.prod(shape[:2] if shape[-1] == 1 else shape[:3])), shape)
        elif variable in ("beta", "moving_mean"):
            values = random.normal(0, 1, shape)
        else:
            values = random.uniform(0.5, 1.5, shape)
        weights[key] = values.astype(np.float32)
    return weights


def padded(images: Values, side: int, stride: int) -> Values:
    """Zeros around images as TensorFlow puts them: the odd one below and to the right."""
    margins = []
    for size in images.shape[1:3]:
        total = max((-(-size // stride) - 1) * stride + side - size, 0)
        margins.append((total // 2, total - total // 2))
    return np.pad(images, [(0, 0), *margins, (0, 0)])


def convolved(images: Values, kernel: NDArray[Any], stride: int, separately: bool = False) -> Values:
    side = kernel.shape[0]
    images = padded(images, side, stride)
    windows = np.lib.stride_tricks.sliding_window_view(images, (side, side), axis=(1, 2))[:, ::stride, ::stride]
    if separately:
        return np.asarray(np.einsum("nhwcij,ijc->nhwc", windows, kernel[..., 0]))
    return np.asarray(np.einsum("nhwcij,ijcf->nhwf", windows, kernel, optimize=True))


def normalized(maps: Values, weights: dict[str, Any], name: str) -> Values:
    gamma, beta, mean, variance = (
        weights[f"{name}/{variable}"] for variable in ("gamma", "beta", "moving_mean", "moving_variance")
    )
    return np.asarray((maps - mean) / np.sqrt(variance + 1e-3) * gamma + beta)


def features(name: str, weights: dict[str, Any], images: Values) -> tuple[Values, float]:
    """What the base gives, and the part of its activations that are cut off at 6."""
    cut: list[float] = []

    def active(maps: Values, layer: str) -> Values:
        maps = normalized(maps, weights, layer)
        cut.append(float((maps > 6).mean()))
        return np.clip(maps, 0, 6)

    maps = active(convolved(images, weights["stem_conv/kernel"], 2), "stem_bn")
    for block in efficientnet_lite.blocks(name):
        before = maps
        if f"{block.name}_expand_conv/kernel" in weights:
            maps = active(convolved(maps, weights[f"{block.name}_expand_conv/kernel"], 1), f"{block.name}_expand_bn")
        kernel = weights[f"{block.name}_dwconv/kernel"]
        maps = active(convolved(maps, kernel, block.stride, separately=True), f"{block.name}_bn")
        maps = convolved(maps, weights[f"{block.name}_project_conv/kernel"], 1)
        maps = normalized(maps, weights, f"{block.name}_project_bn")
        if maps.shape == before.shape:
            maps = maps + before
    return active(convolved(maps, weights["top_conv/kernel"], 1), "top_bn"), float(np.mean(cut))


def test_it_computes_what_the_original_does(tensorflow: None) -> None:
    """At 36 pixels maps are padded both on one side and on both: their sides are 18, 9, 5, 3 and 2."""
    name = "efficientnet_lite0"
    weights = lively_weights(name)
    images = np.random.default_rng(1).uniform(-1, 1, (2, 36, 36, 3)).astype(np.float32)
    expected, cut = features(name, weights, images.astype(np.float64))
    assert cut > 0.01
    found = np.asarray(base.build(name, weights, 36)(images))
    assert found.shape == expected.shape == (2, 2, 2, 1280)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)
