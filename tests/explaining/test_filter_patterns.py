"""A pattern drives its own filter, more than noise does and more than the patterns of the others do."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from headstart.base import base, runtime
from headstart.explaining import filter_patterns
from tests.networks import branched, straight
from tests.policies import needs_bfloat16

pytest_plugins = ["tests.pipeline_fixtures"]
pytestmark = pytest.mark.usefixtures("tensorflow")


def found(whole: Any, layer: str, filters: int = 4, steps: int = 30, seed: int = 0) -> filter_patterns.Patterns:
    return filter_patterns.patterns(whole, whole.get_layer(layer), filters, steps, 8.0, seed, lambda done: None)


def responses(whole: Any, layer: str, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Mean response of each filter to each image, (images, filters)."""
    import keras

    model = keras.Model(whole.input, whole.get_layer(layer).output)
    means: NDArray[np.float32] = np.asarray(model(base.preprocess(whole.name, images))).mean(axis=(1, 2))
    return means


def lean(whole: Any, layer: str) -> None:
    """Give each filter of a layer a kernel that another one's pattern can't suit: one sees one colour or its lack."""
    convolution = whole.get_layer(layer)
    kernel, bias = convolution.get_weights()
    kernel[:] = 0
    kernel[1, 1, :, 0], kernel[1, 1, :, 1] = (1, -1, 0), (-1, 1, 0)
    kernel[1, 0, :, 2], kernel[1, 2, :, 2] = 1, -1
    kernel[0, 1, :, 3], kernel[2, 1, :, 3] = 1, -1
    convolution.set_weights([kernel, bias])


def test_each_pattern_suits_its_own_filter_best() -> None:
    whole = straight(64)
    lean(whole, "conv1")
    patterns = found(whole, "conv1")
    assert patterns.shape == (64, 64, 4)
    assert patterns.images.shape == (4, 64, 64, 3)
    table = responses(whole, "conv1", patterns.images)
    noise = responses(whole, "conv1", np.random.default_rng(1).integers(107, 148, (4, 64, 64, 3), np.uint8))
    assert (table.argmax(axis=0) == np.arange(4)).all()
    assert (np.diagonal(table) > 2 * noise.mean(axis=0)).all()


def test_a_filter_that_noise_leaves_cold_finds_its_pattern() -> None:
    """A plain rectifier would pass no gradient, and the picture would stay the noise that it began as."""
    whole = straight(64)
    lean(whole, "conv1")
    convolution = whole.get_layer("conv1")
    kernel, bias = convolution.get_weights()
    convolution.set_weights([kernel, bias - 80])
    random = np.random.default_rng(1)
    faint, strong = (random.normal(127.5, spread, (4, 64, 64, 3)).clip(0, 255).astype(np.uint8) for spread in (12, 55))
    assert responses(whole, "conv1", faint).max() < 0.1, "as in the noise that the ascent starts from"
    own = np.diagonal(responses(whole, "conv1", found(whole, "conv1").images))
    assert (own > 1.5 * responses(whole, "conv1", strong).mean(axis=0)).all()


def test_patterns_of_a_graph_and_of_a_normalised_convolution() -> None:
    graph = branched(64)
    for layer in ("stem", "depthwise", "separable"):
        images = found(graph, layer, filters=2, steps=6).images
        assert images.shape == (2, 64, 64, 3)
        assert images.std(axis=(1, 2, 3)).min() > 20


def test_the_base_is_left_as_it_was() -> None:
    whole = straight(64)
    activations = [layer.activation for layer in whole.layers if hasattr(layer, "activation")]
    before = base.digests(whole)
    first = found(whole, "conv2", steps=3).images
    assert [layer.activation for layer in whole.layers if hasattr(layer, "activation")] == activations
    assert base.digests(whole) == before
    np.testing.assert_array_equal(found(whole, "conv2", steps=3).images, first)
    assert (found(whole, "conv2", steps=3, seed=1).images != first).any()


def test_steps_are_counted_and_fewer_than_the_sizes_do_no_harm() -> None:
    whole = straight(64)
    done: list[int] = []
    filter_patterns.patterns(whole, whole.get_layer("conv1"), 1, 2, 8.0, 0, done.append)
    assert done == [1, 1]


@pytest.mark.parametrize(("size", "layer", "side"), [(64, "conv1", 64), (256, "conv1", 64), (32, "pooled_conv", 128)])
def test_deep_layers_get_larger_images(size: int, layer: str, side: int) -> None:
    import keras

    image = keras.Input((size, size, 3))
    values = keras.layers.Conv2D(1, 3, padding="same", name="conv1")(image)
    values = keras.layers.AveragePooling2D(16)(values)
    values = keras.layers.Conv2D(1, 1, name="pooled_conv")(values)
    whole = keras.Model(image, values, name="vgg16")
    assert found(whole, layer, filters=1, steps=1).images.shape == (1, side, side, 3)


@needs_bfloat16
def test_in_half_precision_the_patterns_are_alike() -> None:
    images = []
    for policy in ("float32", "mixed_bfloat16"):
        runtime.set_policy(policy)
        whole = straight(64)
        lean(whole, "conv1")
        images.append(found(whole, "conv1").images.astype(float).reshape(4, -1))
    for full, half in zip(*images, strict=True):
        assert np.corrcoef(full, half)[0, 1] > 0.9
