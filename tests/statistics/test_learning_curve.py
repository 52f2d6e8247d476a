import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.foundation.array_types import BoolArray, FloatArray, IntArray
from headstart.page import verdicts
from headstart.statistics.learning_curve import (
    LearningCurve,
    doubling_gain,
    growing_order,
    learning_curve,
    read_curve,
)


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

    curve = learning_curve(fit_predict, train_labels, test_labels, [1.0, 0.1, 0.5, 0.1], repeats=3, seed=4)
    assert [len(images) for images, _ in calls] == [10, 50, 100] * 3
    assert [(point.images, point.mean) for point in curve.points] == [(10, 0.1), (50, 0.5), (100, 1.0)]
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
        learning_curve(fit_predict, train_labels, test_labels, [0.1, 0.5, 1.0], 2, seed) for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


def test_sizes_hold_every_class_and_count_once() -> None:
    labels = np.arange(8) % 4
    curve = learning_curve(lambda images, seed: labels, labels, labels, [0.01, 0.1, 0.5, 1.0], repeats=1, seed=0)
    assert [point.images for point in curve.points] == [4, 8]


@given(st.floats(0.05, 1.5), st.floats(0.05, 0.4), st.integers(0, 100))
def test_the_gain_is_that_of_numpys_line_through_the_logarithms(exponent: float, level: float, seed: int) -> None:
    sizes, images = [100, 250, 500, 1000], 1000
    noise = np.random.default_rng(seed).normal(1, 0.1, size=4)
    accuracies = 1 - np.clip(level * (np.array(sizes) / 100) ** -exponent * noise, 0, 1)
    errors = ((1 - accuracies) * images + 0.5) / (images + 1)
    slope, start = np.polyfit(np.log(sizes), np.log(errors), 1)
    expected = np.exp(start) * (1000**slope - 2000**slope)
    assert doubling_gain(sizes, accuracies[:, None], images) == pytest.approx([expected])


def test_a_power_law_is_read_as_what_it_gives_next() -> None:
    sizes = [200, 500, 1000, 2000]
    errors = 0.2 * (np.array(sizes) / 200) ** -0.5
    curve = read_curve(sizes, drawn(sizes, errors, 5, 2000, seed=0), seed=0)
    gain = errors[-1] - errors[-1] * 2**-0.5
    assert curve.doubling is not None
    assert curve.doubling.low < gain < curve.doubling.high
    said = verdicts.doubling(curve.doubling, 2000)
    assert said == "doubling the training images would gain about 1.9 points (95 % interval 1.7 to 2.1)"


def test_a_flat_curve_shows_no_gain() -> None:
    sizes = [200, 500, 1000, 2000]
    curve = read_curve(sizes, drawn(sizes, np.full(4, 0.04), 3, 300, seed=1), seed=0)
    said = verdicts.doubling(curve.doubling, 300)
    assert said.startswith("doubling the training images would bring no significant gain (")


def test_a_single_size_has_no_reading() -> None:
    curve = read_curve([10], np.ones((1, 2, 5), dtype=bool), seed=0)
    assert curve == LearningCurve(curve.points, None)
    assert verdicts.doubling(None, 5) == "too few training images to draw a learning curve"


def test_a_faultless_curve_claims_no_certainty() -> None:
    curve = read_curve([10, 20], np.ones((2, 3, 20), dtype=bool), seed=0)
    assert curve.points[0].mean == curve.points[0].high == 1.0
    assert curve.points[0].low == pytest.approx(0.8389, abs=1e-4)  # Wilson's end for 20 of 20
    assert "no significant gain" in verdicts.doubling(curve.doubling, 20)


def test_bands_and_gain_cover_the_truth_as_often_as_they_say() -> None:
    sizes = [100, 250, 500, 1000]
    errors = 0.15 * (np.array(sizes) / 100) ** -0.4
    gain = errors[-1] * (1 - 2**-0.4)
    curves = 80
    in_band, in_gain = np.zeros(4), 0
    for seed in range(curves):
        curve = read_curve(sizes, drawn(sizes, errors, 4, 300, seed), seed)
        in_band += [p.low <= 1 - e <= p.high for p, e in zip(curve.points, errors, strict=True)]
        assert curve.doubling is not None
        in_gain += curve.doubling.low <= gain <= curve.doubling.high
    # Three standard errors of 80 curves at 95 % are 7.3 points.
    assert in_band.min() / curves > 0.877
    assert in_gain / curves > 0.877
