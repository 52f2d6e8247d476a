import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.statistics.intervals import wilson
from headstart.statistics.selective import coverage_curve, selected, threshold
from tests.outcomes import once


def test_coverage_and_accuracy_of_a_worked_example() -> None:
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [0.8, 0.2], [0.4, 0.6]])
    curve = coverage_curve(np.array([0, 1, 1, 0]), probabilities)
    assert curve.thresholds.tolist() == [0.9, 0.8, 0.6]  # the two at 0.8 come in together
    assert curve.coverage.tolist() == [0.25, 0.75, 1.0]
    assert curve.accuracy.tolist() == pytest.approx([1.0, 2 / 3, 0.5])


@given(st.integers(0, 1000), st.floats(0.5, 1))
def test_the_threshold_is_the_lowest_that_reaches_the_target(seed: int, target: float) -> None:
    source = np.random.default_rng(seed)
    confidences = np.round(source.uniform(0.5, 1, size=40), 2)
    probabilities = np.stack([confidences, 1 - confidences], axis=1)
    labels = (source.random(40) > confidences).astype(np.int64)
    found = threshold(labels, probabilities, target)
    shares = {c: (labels[confidences >= c] == 0).mean() for c in np.unique(probabilities.max(axis=1))}
    reaching = [c for c, share in shares.items() if share >= target]
    assert found == (min(reaching) if reaching else None)


def test_what_a_threshold_does_on_other_images() -> None:
    probabilities = np.array([[0.95, 0.05]] * 85 + [[0.6, 0.4]] * 15)
    labels = np.array([0] * 84 + [1] * 16)
    found = selected(once(labels, probabilities), 0.9)
    assert found.coverage.value == 0.85
    assert found.accuracy is not None
    expected = wilson(84, 85)
    assert (found.accuracy.value, found.accuracy.low) == pytest.approx((expected.value, expected.low))
    assert selected(once(labels, probabilities), 0.99).accuracy is None


def test_groups_widen_what_a_threshold_promises() -> None:
    probabilities = np.array([[0.95, 0.05]] * 80 + [[0.6, 0.4]] * 20)
    labels = np.array([1] * 10 + [0] * 90)
    groups = np.repeat(np.arange(10), 10)
    alone, grouped = selected(once(labels, probabilities), 0.9), selected(once(labels, probabilities, groups), 0.9)
    assert alone.accuracy is not None
    assert grouped.accuracy is not None
    assert grouped.accuracy.low < alone.accuracy.low
    assert grouped.coverage.low < alone.coverage.low
