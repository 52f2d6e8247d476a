"""Random weights, with Keras and without."""

import numpy as np
import pytest

from headstart.base import base
from headstart.pretrained import untrained
from headstart.pretrained.imagenet import CANONICAL

pytest_plugins = ["tests.pipeline_fixtures"]


def test_weights_are_drawn_as_by_keras_and_alike_every_time() -> None:
    shapes = {"conv/kernel": (3, 3, 64, 128), "conv/bias": (128,), "next/kernel": (3, 3, 128, 128)}
    tensors = untrained.draw(shapes)
    for name, values in untrained.draw(shapes).items():
        np.testing.assert_array_equal(values, tensors[name])
    assert {name: values.shape for name, values in tensors.items()} == shapes
    assert {values.dtype for values in tensors.values()} == {np.dtype(np.float32)}
    assert not tensors["conv/bias"].any()
    # Glorot & Bengio (2010): variance 2 / (fan in + fan out), where a fan is 9 positions of each channel.
    for name, channels in (("conv/kernel", 192), ("next/kernel", 256)):
        assert np.var(tensors[name]) == pytest.approx(2 / (9 * channels), rel=0.02)
        assert abs(tensors[name]).max() == pytest.approx(np.sqrt(6 / (9 * channels)), rel=0.001)
    assert np.corrcoef(tensors["conv/kernel"].flat[:9000], tensors["next/kernel"].flat[:9000])[0, 1] < 0.05


def test_depthwise_kernels_keep_the_size_of_what_passes() -> None:
    """He, Zhang, Ren & Sun (2015): variance 2 over what an output sums up, 9 values of one channel."""
    tensors = untrained.draw({"one/depthwise_kernel": (3, 3, 728, 1), "other/kernel": (3, 3, 728, 1)})
    for values in tensors.values():
        assert np.var(values) == pytest.approx(2 / 9, rel=0.05)


def test_normalizations_begin_with_none() -> None:
    names = ("gamma", "beta", "moving_mean", "moving_variance")
    tensors = untrained.draw({f"bn/{name}": (5,) for name in names})
    assert [values.tolist() for values in tensors.values()] == [[1] * 5, [0] * 5, [0] * 5, [1] * 5]


@pytest.mark.usefixtures("tensorflow")
def test_weights_that_keras_draws_are_the_same_whatever_was_drawn_before() -> None:
    first = untrained.weights("mobilenet_v2")
    base.build("mobilenet_v2", {}, 32)
    again = untrained.weights("mobilenet_v2")
    assert list(first) == list(again)
    for name, values in first.items():
        np.testing.assert_array_equal(again[name], values)


@pytest.mark.parametrize("name", CANONICAL)
def test_bases_with_a_table_of_tensors_have_random_weights_without_keras(name: str) -> None:
    shapes = {key: values.shape for key, values in untrained.weights(name).items()}
    assert shapes == CANONICAL[name].shapes
