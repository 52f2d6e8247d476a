"""A function on whole batches gives for each row what it gives for it in any other company."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.base import batches, runtime
from tests.policies import POLICIES

pytest_plugins = ["tests.pipeline_fixtures"]


@given(rows=st.integers(0, 7), size=st.integers(7, 9), width=st.integers(1, 3))
def test_what_is_missing_is_zeros(rows: int, size: int, width: int) -> None:
    values = np.arange(1, rows * width + 1, dtype=np.uint8).reshape(rows, width)
    whole = batches.padded(values, size)
    assert whole.shape == (size, width)
    assert whole.dtype == np.uint8
    np.testing.assert_array_equal(whole[:rows], values)
    assert not whole[rows:].any()


def test_a_batch_has_no_more_rows_than_its_size() -> None:
    with pytest.raises(AssertionError, match="a batch has 2 rows, found 3"):
        batches.padded(np.zeros((3, 1)), 2)


@pytest.mark.usefixtures("tensorflow")
@pytest.mark.parametrize("count", [1, 4, 5, 8, 11])
def test_each_row_gets_its_own_result_from_batches_of_one_size(count: int) -> None:
    import tensorflow as tf

    seen = []

    def doubled(values: Any) -> Any:
        seen.append(len(values))
        return 2 * tf.constant(values)

    values = np.arange(2.0 * count).reshape(count, 2)
    np.testing.assert_array_equal(batches.apply(doubled, values, 4), 2 * values)
    assert set(seen) == {4}


@pytest.mark.usefixtures("tensorflow")
@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("shape", [(700,), (3, 2, 40)])
def test_by_row_a_dense_layer_gives_the_same_at_every_place_of_a_batch(shape: tuple[int, ...], policy: str) -> None:
    import keras
    import tensorflow as tf

    runtime.set_policy(policy)
    inner = keras.Sequential([keras.Input(shape), keras.layers.Dense(30, "relu"), keras.layers.Dense(1)])
    model = keras.Sequential([keras.Input(shape), inner, keras.layers.Activation("sigmoid")])
    values = np.random.default_rng(0).normal(size=(32, *shape)).astype(np.float32)

    @tf.function  # type: ignore[untyped-decorator]
    def by_row(rows: Any) -> Any:
        with batches.by_row(model):
            return tf.cast(model(rows, training=False), tf.float32)

    found = by_row(values).numpy()
    own = np.asarray(tf.cast(model(values), tf.float32))
    np.testing.assert_allclose(found, own, rtol=0, atol=1e-6 if policy == "float32" else 0.05)
    for shift in range(1, 32, 3):
        np.testing.assert_array_equal(by_row(np.roll(values, shift, axis=0)).numpy(), np.roll(found, shift, axis=0))
    np.testing.assert_array_equal(np.asarray(tf.cast(model(values), tf.float32)), own)
