"""A threshold finds what was asked for on the images that set it, and is judged on others."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from headstart.statistics import thresholds
from headstart.statistics.intervals import wilson
from tests.outcomes import once


@given(st.integers(0, 1000), st.floats(0.01, 1), st.integers(2, 60))
def test_the_wanted_share_is_found_and_no_more_than_needed(seed: int, wanted: float, images: int) -> None:
    source = np.random.default_rng(seed)
    positive = np.arange(images) % 2 == 0
    scores = np.round(source.random(images), 2)
    found = thresholds.by_recall(positive, scores, wanted)
    assert found is not None
    assert (scores[positive] >= found).mean() >= wanted - 1e-9
    assert (scores[positive] > found).mean() < wanted


def test_nineteen_of_twenty_are_enough_for_095() -> None:
    scores = np.arange(20) / 20
    assert thresholds.by_recall(np.ones(20, bool), scores, 0.95) == pytest.approx(0.05)
    assert thresholds.by_recall(np.zeros(20, bool), scores, 0.95) is None


@given(st.integers(0, 1000), st.floats(0.1, 50))
@example(473, 0.125)  # nothing is worth an alarm
def test_no_threshold_is_cheaper(seed: int, miss_cost: float) -> None:
    source = np.random.default_rng(seed)
    scores = np.round(source.random(40), 2)
    positive = source.random(40) < scores

    def cost(threshold: float) -> float:
        found = scores >= threshold
        return float(miss_cost * (~found & positive).sum() + (found & ~positive).sum())

    chosen = thresholds.by_cost(positive, scores, miss_cost)
    assert cost(chosen) <= min(cost(threshold) for threshold in np.linspace(0, 1.01, 203)) + 1e-9


def test_of_equally_cheap_thresholds_it_is_that_of_exact_probabilities() -> None:
    positive = np.array([False, False, True, True])
    scores = np.array([0.05, 0.1, 0.8, 0.9])
    assert thresholds.by_cost(positive, scores, 1.0) == 0.5
    assert thresholds.by_cost(positive, scores, 4.0) == pytest.approx(0.2)
    assert thresholds.by_cost(positive, scores, 99.0) == 0.8


def test_what_a_threshold_does_on_other_images() -> None:
    scores = np.array([0.9] * 8 + [0.3] * 2 + [0.6] * 5 + [0.1] * 85)
    outcome = once(np.array([1] * 10 + [0] * 90), np.stack([1 - scores, scores], axis=1))
    found = thresholds.drawn(outcome, 1, 0.5)
    assert found.recall is not None
    assert found.specificity is not None
    assert found.precision is not None
    assert (found.recall.value, found.specificity.value) == pytest.approx((0.8, 85 / 90))
    assert found.precision.value == pytest.approx(8 / 13)
    assert (found.recall.low, found.precision.low) == pytest.approx((wilson(8, 10).low, wilson(8, 13).low))
    assert thresholds.drawn(outcome, 1, 0.95).precision is None
    nobody = thresholds.drawn(once(np.zeros(5, np.int64), np.full((5, 2), 0.5)), 1, 0.5)
    assert nobody.recall is None
