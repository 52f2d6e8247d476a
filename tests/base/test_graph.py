"""A network is cut where its graph says, whatever its graph."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headstart.base import graph

pytest_plugins = ["tests.pipeline_fixtures"]
pytestmark = pytest.mark.usefixtures("tensorflow")


def network(feeds: list[set[int]]) -> Any:
    """A network whose node i adds up the nodes ``feeds[i]``, each scaled; node 0 is the input, the last the output."""
    import keras

    nodes = [keras.Input((4, 4, 2), name="node0")]
    for number, sources in enumerate(feeds, start=1):
        scaled = [
            keras.layers.Rescaling(number + source / 8, name=f"edge{source}_{number}")(nodes[source])
            for source in sorted(sources)
        ]
        merge = keras.layers.Add(name=f"node{number}")
        nodes.append(merge(scaled if len(scaled) > 1 else [scaled[0], scaled[0]]))
    return keras.Model(nodes[0], nodes[-1])


def edges(model: Any) -> set[tuple[str, str]]:
    import keras

    makers = {id(operation.output): operation.name for operation in model.operations}
    return {
        (makers[id(tensor)], operation.name)
        for operation in model.operations[1:]
        for tensor in keras.tree.flatten(operation.input)
    }


def reaches_without(edges: set[tuple[str, str]], start: str, end: str, avoided: str) -> bool:
    found, waiting = {start}, [start]
    while waiting:
        at = waiting.pop()
        new = {upper for lower, upper in edges if lower == at and upper not in found | {avoided}}
        found |= new
        waiting += new
    return end in found


@st.composite
def feeds(draw: st.DrawFn) -> list[set[int]]:
    """Random graphs in which every node lies on a way from the first to the last."""
    count = draw(st.integers(1, 7))
    chosen = [draw(st.sets(st.integers(0, number), min_size=1, max_size=3)) for number in range(count)]
    for source in range(count):  # what feeds nothing feeds the next
        if not any(source in sources for sources in chosen):
            chosen[source].add(source)
    return chosen


@settings(max_examples=25)
@given(feeds=feeds())
def test_cuts_are_what_every_way_must_pass(feeds: list[set[int]]) -> None:
    model = network(feeds)
    names = list(graph.places(model))
    found = edges(model)
    inner = [name for name in names[1:-1] if not reaches_without(found, names[0], names[-1], name)]
    assert graph.cuts(model) == [names[0], *inner, names[-1]]


def test_two_parts_are_the_whole() -> None:
    model = network([{0}, {0, 1}, {2}, {2, 3}])
    values = np.random.default_rng(0).normal(size=(3, 4, 4, 2)).astype(np.float32)
    assert [name for name in graph.cuts(model) if name.startswith("node")] == ["node0", "node2", "node4"]
    for cut in graph.cuts(model):
        lower, upper = graph.part(model, "node0", cut), graph.part(model, cut, "node4")
        np.testing.assert_allclose(upper(lower(values)), model(values), rtol=1e-6)
    # Parts leave the whole as it was.
    assert graph.cuts(model) == graph.cuts(network([{0}, {0, 1}, {2}, {2, 3}]))


@pytest.mark.parametrize("cut", ["node0", "node2"])
def test_a_part_may_be_nothing(cut: str) -> None:
    model = network([{0}, {0, 1}, {2}])
    values = np.random.default_rng(0).normal(size=(3, 4, 4, 2)).astype(np.float32)
    np.testing.assert_array_equal(graph.part(model, cut, cut)(values), values)


def test_only_feature_maps_are_cuts() -> None:
    import keras

    image = keras.Input((4, 4, 2), name="image")
    pooled = keras.layers.GlobalAveragePooling2D(name="pooled")(image)
    map_again = keras.layers.Reshape((1, 1, 2), name="map")(pooled)
    assert graph.cuts(keras.Model(image, map_again)) == ["image", "map"]
