import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.foundation.array_types import FloatArray, IntArray
from headstart.statistics import scoring
from headstart.statistics.intervals import wilson
from headstart.statistics.loss_interval import log_loss
from headstart.statistics.outcome import Outcome
from tests.outcomes import once


def predictions(images: int, spread: float, sharpness: float, seed: int) -> tuple[IntArray, FloatArray]:
    """Labels of three classes drawn from probabilities, and those probabilities raised to ``sharpness``."""
    source = np.random.default_rng(seed)
    logits = source.normal(size=(images, 3)) * spread
    true = np.exp(logits - logits.max(axis=1, keepdims=True))
    true /= true.sum(axis=1, keepdims=True)
    labels = (source.random(images)[:, None] > true.cumsum(axis=1)).sum(axis=1).clip(max=2)
    rows = true**sharpness
    return labels, rows / rows.sum(axis=1, keepdims=True)


def test_all_right_still_leaves_room_for_an_error() -> None:
    """100 images, all right at .99: one wrong among them would cost 4.6 nats, and up to 3.7 % may be wrong."""
    found = log_loss(once(np.zeros(100, dtype=np.int64), np.tile([0.99, 0.01], (100, 1))))
    assert found.value == pytest.approx(-np.log(0.99))
    assert found.low == pytest.approx(found.value, abs=1e-6)
    most = wilson(100, 100).low
    assert found.high == pytest.approx(found.value + (1 - most) * np.log(99), rel=1e-3)


def test_all_wrong_still_leaves_room_for_a_right_one() -> None:
    found = log_loss(once(np.ones(100, dtype=np.int64), np.tile([0.99, 0.01], (100, 1))))
    assert found.value == pytest.approx(-np.log(0.01))
    assert found.low == pytest.approx(found.value - (1 - wilson(100, 100).low) * np.log(99), rel=1e-3)


@pytest.mark.parametrize(
    ("spread", "sharpness", "images"), [(60, 1.0, 100), (60, 1.5, 300), (25, 1.5, 100), (10, 1.0, 300)]
)
def test_the_loss_is_covered_where_errors_are_few(spread: float, sharpness: float, images: int) -> None:
    """Accuracies of .94 to .99; a bootstrap interval covers 40 to 91 % there."""
    truth = scoring.log_loss(*predictions(200_000, spread, sharpness, 0))
    found = [log_loss(once(*predictions(images, spread, sharpness, seed))) for seed in range(1, 301)]
    held = [one.low is not None and one.high is not None and one.low <= truth <= one.high for one in found]
    assert 0.91 <= np.mean(held) <= 1


@given(st.integers(0, 1000), st.floats(0.5, 50), st.integers(2, 60))
def test_the_interval_holds_the_value_and_is_never_a_point(seed: int, spread: float, images: int) -> None:
    labels, probabilities = predictions(images, spread, 1.0, seed)
    found = log_loss(once(labels, probabilities))
    assert found.low is not None
    assert found.high is not None
    assert found.value == pytest.approx(scoring.log_loss(labels, probabilities))
    assert 0 <= found.low <= scoring.log_loss(labels, probabilities) < found.high


def test_images_in_groups_widen_it() -> None:
    labels, probabilities = predictions(50, 5.0, 1.0, 3)
    labels, probabilities = np.repeat(labels, 4), np.repeat(probabilities, 4, axis=0)
    alone, grouped = (log_loss(once(labels, probabilities, groups)) for groups in (None, np.arange(200) // 4))
    assert alone.value == grouped.value
    assert grouped.low < alone.low < alone.high < grouped.high  # type: ignore[operator]


def test_runs_that_agree_are_worth_one() -> None:
    labels, probabilities = predictions(200, 5.0, 1.0, 4)
    one, three = log_loss(once(labels, probabilities)), log_loss(Outcome(labels, np.stack([probabilities] * 3)))
    assert three.value == pytest.approx(one.value)
    assert (three.low, three.high) == pytest.approx((one.low, one.high), rel=0.1)
