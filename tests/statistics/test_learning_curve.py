import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.foundation.array_types import BoolArray, FloatArray, IntArray
from headstart.page import verdicts
from headstart.statistics.doubling import doubling
from headstart.statistics.learning_curve import LearningCurve, grow, growing_order, read_curve, sizes


def drawn(sizes: list[int], errors: FloatArray, repeats: int, images: int, seed: int) -> BoolArray:
    """Which of ``images`` test images each training places right; hard images are hard for all of them."""
    source = np.random.default_rng(seed)
    hardness = source.random((1, 1, images)) + source.normal(0, 0.02, size=(len(sizes), repeats, images))
    right: BoolArray = hardness > errors[:, None, None]
    return right


@given(st.lists(st.integers(0, 3), min_size=1, max_size=60), st.integers(0, 1000))
def test_every_beginning_of_the_order_holds_the_classes_in_proportion(given_labels: list[int], seed: int) -> None:
    labels = np.array(given_labels)
    order = growing_order(labels, np.random.default_rng(seed))
    assert sorted(order) == list(range(len(labels)))
    classes = np.unique(labels)
    for size in range(classes.size, len(labels) + 1):
        for k in classes:
            held, due = (labels[order[:size]] == k).sum(), (labels == k).mean() * size
            assert held >= 1
            assert abs(held - due) <= classes.size


def test_every_size_and_repeat_is_trained_once_on_growing_parts() -> None:
    train_labels, test_labels = np.repeat([0, 1], [60, 40]), np.arange(50) % 2
    calls: list[tuple[IntArray, int]] = []

    def fit_predict(images: IntArray, seed: int) -> IntArray:
        calls.append((images, seed))
        return np.where(np.arange(50) < len(images) // 2, test_labels, 1 - test_labels)

    counts = sizes(100, 2, [1.0, 0.1, 0.5, 0.1])
    right = grow(fit_predict, train_labels, test_labels, counts, repeats=3, seed=4)
    assert [len(images) for images, _ in calls] == [10, 50, 100] * 3
    assert right.shape == (3, 3, 50)
    assert right.mean(axis=(1, 2)).tolist() == [0.1, 0.5, 1.0]
    for start in (0, 3, 6):
        (tenth, seed), (half, second_seed), (whole, third_seed) = calls[start : start + 3]
        assert seed == second_seed == third_seed
        assert set(tenth) < set(half) < set(whole)
        assert np.bincount(train_labels[tenth]).tolist() == [6, 4]
        assert (np.diff(tenth) > 0).all()
    assert len({seed for _, seed in calls}) == 3
    assert not np.array_equal(calls[0][0], calls[3][0])


def test_the_seed_decides_the_curve() -> None:
    train_labels, test_labels = np.arange(200) % 2, np.arange(100) % 2

    def fit_predict(images: IntArray, seed: int) -> IntArray:
        return (test_labels + (np.random.default_rng(seed).random(100) < 2 / len(images))) % 2

    first, again, other = (
        grow(fit_predict, train_labels, test_labels, [20, 100, 200], 2, seed).tolist() for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


def test_sizes_hold_every_class_and_count_once() -> None:
    assert sizes(8, 4, [0.01, 0.1, 0.5, 1.0]) == [4, 8]


def test_a_flat_curve_shows_no_gain() -> None:
    sizes = [200, 500, 1000, 2000]
    curve = read_curve(sizes, drawn(sizes, np.full(4, 0.04), 3, 300, seed=1), seed=0)
    said = verdicts.doubling(curve.doubling, 300)
    assert said.startswith("doubling the training images may gain nothing (")


def test_a_single_size_has_no_reading() -> None:
    curve = read_curve([10], np.ones((1, 2, 5), dtype=bool), seed=0)
    assert curve == LearningCurve(curve.points, None)
    assert verdicts.doubling(None, 5) == "too few training images, or draws of them, to extrapolate the learning curve"


def test_a_faultless_curve_claims_no_certainty() -> None:
    curve = read_curve([10, 20], np.ones((2, 3, 20), dtype=bool), seed=0)
    assert curve.points[0].mean == curve.points[0].high == 1.0
    assert curve.points[0].low == pytest.approx(0.8389, abs=1e-4)  # Wilson's end for 20 of 20
    assert "may gain nothing" in verdicts.doubling(curve.doubling, 20)


def test_bands_cover_the_truth_as_often_as_they_say() -> None:
    sizes = [100, 250, 500, 1000]
    errors = 0.15 * (np.array(sizes) / 100) ** -0.4
    curves = 80
    in_band = np.zeros(4)
    for seed in range(curves):
        curve = read_curve(sizes, drawn(sizes, errors, 4, 300, seed), seed)
        in_band += [p.low <= 1 - e <= p.high for p, e in zip(curve.points, errors, strict=True)]
    # Three standard errors of 80 curves at 95 % are 7.3 points.
    assert in_band.min() / curves > 0.877


def test_what_twice_the_images_gain_is_read_from_the_last_two_sizes_alone() -> None:
    sizes, errors = [30, 75, 150, 300], np.array([0.282, 0.202, 0.127, 0.075])
    right = drawn(sizes, errors, 5, 1000, seed=2)
    other = np.concatenate([drawn(sizes, np.full(4, 0.5), 5, 1000, seed=3)[:2], right[2:]])
    curve, changed = (read_curve(sizes, one, seed=0) for one in (right, other))
    assert curve.doubling == changed.doubling == doubling(sizes, right, 0)
