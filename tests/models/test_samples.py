"""Every image once an epoch, every view in turn, in an order that the seed alone decides."""

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.models.samples import Samples, epoch_batches, in_order

sizes = st.tuples(st.integers(1, 4), st.integers(1, 40), st.integers(1, 50))


def numbered(views: int, images: int) -> Samples:
    """Examples whose value says which they are: 100 × view + image; an image's label is its number."""
    values = 100 * np.arange(views)[:, None] + np.arange(images)
    return Samples(values[..., None].astype(np.float16), np.arange(images))


def epoch(samples: Samples, batch_size: int, number: int, seed: int) -> tuple[list[int], list[int]]:
    """Views and images of an epoch, in its order."""
    batches = list(epoch_batches(samples, batch_size, number, seed))
    found = np.concatenate([values[:, 0] for values, _ in batches]).astype(int)
    labels = np.concatenate([labels for _, labels in batches])
    assert (found % 100).tolist() == labels.tolist()
    assert all(len(values) == batch_size for values, _ in batches[:-1])
    return (found // 100).tolist(), labels.tolist()


@given(sizes, st.integers(0, 100), st.integers(0, 2**31 - 1))
def test_an_epoch_shows_every_image_once(size: tuple[int, int, int], number: int, seed: int) -> None:
    views, images, batch_size = size
    _, shown = epoch(numbered(views, images), batch_size, number, seed)
    assert sorted(shown) == list(range(images))


@given(sizes, st.integers(0, 3), st.integers(0, 2**31 - 1))
def test_an_image_shows_each_of_its_views_in_turn(size: tuple[int, int, int], cycle: int, seed: int) -> None:
    views, images, batch_size = size
    shown: Counter[tuple[int, int]] = Counter()
    for number in range(cycle * views, (cycle + 1) * views):
        shown.update(zip(*epoch(numbered(views, images), batch_size, number, seed), strict=True))
    assert set(shown.values()) == {1}
    assert len(shown) == views * images


def test_images_change_views_independently_of_each_other() -> None:
    views, shown = epoch(numbered(4, 40), 8, 0, seed=1)
    assert len(set(views)) == 4
    assert shown != sorted(shown)


@given(sizes, st.integers(0, 9), st.integers(0, 2**31 - 1), st.integers(1, 50))
def test_the_order_is_that_of_the_seed_whatever_the_batch(
    size: tuple[int, int, int], number: int, seed: int, other_batch: int
) -> None:
    views, images, batch_size = size
    samples = numbered(views, images)
    assert epoch(samples, batch_size, number, seed) == epoch(samples, other_batch, number, seed)


def test_seeds_and_epochs_have_orders_of_their_own() -> None:
    samples = numbered(3, 30)
    orders = {tuple(epoch(samples, 8, number, seed)[1]) for number in range(4) for seed in range(4)}
    assert len(orders) == 16


@given(sizes)
def test_in_order_gives_the_first_view_as_it_stands(size: tuple[int, int, int]) -> None:
    views, images, batch_size = size
    batches = list(in_order(numbered(views, images), batch_size))
    found = np.concatenate([values[:, 0] for values, _ in batches])
    assert found.tolist() == list(range(images))
    assert np.concatenate([labels for _, labels in batches]).tolist() == list(range(images))


def test_types_stay() -> None:
    values, labels = next(epoch_batches(numbered(2, 5), 2, 0, seed=0))
    assert values.dtype == np.float16
    assert labels.dtype == np.int64
    assert values.shape == (2, 1)


def test_few_batches_are_read_ahead() -> None:
    """Memory holds a handful of batches, not the epoch."""

    class Counting(np.ndarray):
        read = 0

        def __getitem__(self, key: Any) -> Any:
            Counting.read += 1
            return super().__getitem__(key)

    batches = in_order(Samples(np.zeros((1, 1000, 1)).view(Counting), np.zeros(1000, np.int64)), 10)
    next(batches)
    assert Counting.read <= 6


def test_an_error_while_reading_arrives() -> None:
    too_few_labels = Samples(np.zeros((1, 4, 1)), np.zeros(3, np.int64))
    with pytest.raises(IndexError):
        list(epoch_batches(too_few_labels, 2, 0, seed=0))


def test_what_changes_examples_is_told_which_they_are() -> None:
    def change(values: Any, images: Any) -> Any:
        np.testing.assert_array_equal(values[:, 0], images)
        return values + 1000

    samples = numbered(1, 10)._replace(change=change)
    for values, labels in epoch_batches(samples, 4, 0, seed=1):
        np.testing.assert_array_equal(values[:, 0], labels + 1000)
    for values, labels in in_order(samples, 4):
        np.testing.assert_array_equal(values[:, 0], labels)
