"""A function is compiled once, whatever number of rows it gets."""

from typing import Any, NamedTuple

import numpy as np
import pytest

from headstart.base import compiling, runtime


@pytest.fixture(autouse=True)
def _tensorflow() -> None:
    runtime.start(0)


class Pair(NamedTuple):
    rows: np.ndarray
    factor: np.float32


def test_it_is_compiled_once_for_any_number_of_rows() -> None:
    import tensorflow as tf

    compilations: list[Any] = []

    def scaled(rows: tf.Tensor, nothing: None, pair: Pair) -> tf.Tensor:
        compilations.append(rows.shape.as_list())
        assert nothing is None
        return (rows + pair.rows) * pair.factor

    function = compiling.compiled_for_rows(scaled)
    for number, factor in ((4, 1.0), (4, 2.0), (3, 3.0), (1, 0.5)):
        rows = np.full((number, 2), 5, np.float32)
        found = function(rows, None, Pair(np.ones((number, 2), np.float32), np.float32(factor)))
        np.testing.assert_array_equal(found, np.full((number, 2), 6 * factor))
    assert compilations == [[None, 2]]


@pytest.mark.parametrize("rows", [1, 3])
def test_only_the_shape_that_it_was_compiled_for_is_taken(rows: int) -> None:
    import tensorflow as tf

    function = compiling.compiled(lambda values: values + 1, [tf.TensorSpec((2, 1), tf.float32)])
    np.testing.assert_array_equal(function(np.ones((2, 1), np.float32)), np.full((2, 1), 2))
    with pytest.raises((TypeError, ValueError)):
        function(np.ones((rows, 1), np.float32))


def test_python_is_taken_as_it_is() -> None:
    """Rewritten by AutoGraph, it would run, and leave a file in the folder for temporary ones until Python ends."""
    import tensorflow as tf

    def branching(values: tf.Tensor) -> tf.Tensor:
        return values if tf.reduce_sum(values) > 0 else -values

    with pytest.raises(tf.errors.OperatorNotAllowedInGraphError):
        compiling.compiled_for_rows(branching)(np.ones((2, 1), np.float32))
