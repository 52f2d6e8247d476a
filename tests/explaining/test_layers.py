"""Layers are found by what they are, in a line and in a graph."""

from typing import Any

import pytest

from headstart.base import base
from headstart.explaining import layers
from headstart.foundation.errors import InputError
from tests.networks import branched, straight

pytest_plugins = ["tests.pipeline_fixtures"]
pytestmark = pytest.mark.usefixtures("tensorflow")


def names(found: list[Any]) -> list[str]:
    return [layer.name for layer in found]


def test_every_convolution_and_pooling_of_vgg16_is_seen() -> None:
    vgg16 = base.build("vgg16", {}, 64)
    found = names(layers.seen(vgg16))
    assert found == [layer.name for layer in vgg16.layers[1:]]
    assert len(found) == 18
    assert layers.last_map(vgg16).name == "block5_conv3"
    assert names(layers.chosen(vgg16, "auto")) == [f"block{block}_conv1" for block in range(1, 6)]


def test_a_layer_of_one_position_has_nothing_to_show() -> None:
    """At 32 pixels the last pooling of VGG16 leaves one position."""
    assert names(layers.seen(base.build("vgg16", {}, 32)))[-1] == "block5_conv3"
    assert "excite" not in names(layers.seen(branched()))


def test_in_a_graph_too() -> None:
    graph = branched()
    assert names(layers.seen(graph)) == ["stem", "shrink", "depthwise", "separable"]
    assert layers.last_map(graph).name == "last_relu", "what follows the convolution at its resolution counts in"
    assert names(layers.chosen(graph, "auto")) == ["stem", "depthwise"]


def test_layers_are_chosen_by_name_in_the_order_given() -> None:
    assert names(layers.chosen(straight(), ["conv3", "conv1"])) == ["conv3", "conv1"]


@pytest.mark.parametrize("name", ["block9_conv1", "pool1", "auto", ""])
def test_what_is_no_convolution_is_named_with_those_there_are(name: str) -> None:
    with pytest.raises(InputError) as error:
        layers.chosen(straight(), ["conv1", name])
    assert str(error.value) == (
        f"params.yaml: explain.layers: vgg16 has no convolution {name!r}; it has conv1, conv2, conv3"
    )


def test_of_very_many_layers_evenly_spaced_ones_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    every = layers.seen(straight())
    assert layers.thinned(every) == every
    monkeypatch.setattr(layers, "MOST", 3)
    assert names(layers.thinned(every)) == ["conv1", "conv2", "pool2"]
