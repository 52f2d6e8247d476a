"""The maps are the layers' own outputs, brought to a scale that shows them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from headstart.base import base, runtime
from headstart.explaining import activation_maps, layers
from headstart.explaining.spacing import spaced
from tests.networks import branched, straight
from tests.policies import needs_bfloat16

pytest_plugins = ["tests.pipeline_fixtures"]
pytestmark = pytest.mark.usefixtures("tensorflow")

PIXELS = np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)


def test_they_are_what_each_layer_gives() -> None:
    whole = straight()
    found = activation_maps.activations(whole, layers.seen(whole), PIXELS, 3)
    assert [(maps.layer, maps.shape) for maps in found] == [
        ("conv1", (16, 16, 4)),
        ("pool1", (8, 8, 4)),
        ("conv2", (8, 8, 4)),
        ("conv3", (8, 8, 4)),
        ("pool2", (4, 4, 4)),
    ]
    for maps in found:
        expected = np.asarray(base.between(whole, None, maps.layer)(base.preprocess(whole.name, PIXELS[np.newaxis])))[0]
        np.testing.assert_allclose(maps.values, np.moveaxis(expected[..., spaced(4, 3)], -1, 0), rtol=1e-5)


def test_of_a_graph_and_of_a_single_layer_too() -> None:
    graph = branched()
    assert len(activation_maps.activations(graph, layers.seen(graph), PIXELS, 9)) == 4
    (alone,) = activation_maps.activations(graph, layers.seen(graph)[:1], PIXELS, 9)
    assert alone.values.shape == (4, 16, 16)


def test_channels_that_find_nothing_are_counted_among_all() -> None:
    whole = straight()
    convolution = whole.get_layer("conv1")
    kernel, bias = convolution.get_weights()
    convolution.set_weights([kernel, bias - np.array([1e9, 0, 1e9, 0], np.float32)])
    (maps,) = activation_maps.activations(whole, [convolution], PIXELS, 1)
    assert maps.silent == 2
    assert len(maps.values) == 1


@needs_bfloat16
def test_half_precision_is_shown_in_full() -> None:
    runtime.set_policy("mixed_bfloat16")
    whole = straight()
    for maps in activation_maps.activations(whole, layers.seen(whole), PIXELS, 4):
        assert maps.values.dtype == np.float32


@given(values=arrays(np.float32, (3, 5, 5), elements=st.floats(-1e6, 1e6, width=32)))
def test_each_channel_fills_the_scale_by_itself(values: np.ndarray) -> None:
    found = activation_maps.stretched(values)
    assert ((found >= 0) & (found <= 1)).all()
    for channel, scaled in zip(values, found, strict=True):
        assert scaled.min() == 0
        assert scaled.max() == (1 if channel.max() > channel.min() else 0)
        # What is stronger is never darker.
        order = np.argsort(channel, axis=None, kind="stable")
        assert (np.diff(scaled.ravel()[order]) >= 0).all()


def test_one_glaring_position_does_not_hide_the_others() -> None:
    channel = np.tile(np.linspace(0, 1, 20, dtype=np.float32), (20, 1))
    channel[0, 0] = 1000
    found = activation_maps.stretched(channel[np.newaxis])[0]
    assert found[10, 10] > 0.4
    assert found[0, 0] == 1


def test_a_single_position_is_seen() -> None:
    channel = np.zeros((1, 20, 20), np.float32)
    channel[0, 3, 4] = 0.001
    assert np.argwhere(activation_maps.stretched(channel)[0] == 1).tolist() == [[3, 4]]
