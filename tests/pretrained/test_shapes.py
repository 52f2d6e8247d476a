"""The tables of tensors say what the bases have that Keras builds."""

import pytest

from headstart.base import network
from headstart.base.bases import KINDS
from headstart.pretrained.imagenet import CANONICAL

pytest_plugins = ["tests.pipeline_fixtures"]


@pytest.mark.usefixtures("tensorflow")
@pytest.mark.parametrize("name", CANONICAL)
def test_shapes_and_their_order_are_those_of_the_network(name: str) -> None:
    variables = network.variables(network.construct(name, KINDS[name].least_size))
    found = {key: tuple(variable.shape) for key, variable in variables.items()}
    assert list(CANONICAL[name].shapes.items()) == list(found.items())
