"""The rate of a step follows from its number alone, along the curves of the papers."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.settings import params
from headstart.settings.schema import Optimization
from headstart.training import schedules
from tests.pipeline import ROOT, trained_by

pytest_plugins = ["tests.pipeline_fixtures"]

QUICK = params.load(ROOT / "presets" / "quick.yaml").train_head
STEPS = 7


def settings(**changes: Any) -> Optimization:
    values = trained_by(QUICK, **{"epochs": 10, **changes})
    return Optimization.model_validate({name: values[name] for name in Optimization.model_fields})


def factors(chosen: Optimization) -> np.ndarray[Any, Any]:
    return np.array([schedules.factor(chosen, step, STEPS) for step in range(chosen.epochs * STEPS)])


def test_a_constant_rate_is_the_rate() -> None:
    assert (factors(settings()) == 1).all()


def test_half_a_cosine_is_that_of_keras(tensorflow: None) -> None:
    import keras

    curve = keras.optimizers.schedules.CosineDecay(1.0, decay_steps=10 * STEPS)
    expected = [float(curve(step)) for step in range(10 * STEPS)]
    np.testing.assert_allclose(factors(settings(schedule="cosine")), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("schedule", ["constant", "cosine"])
def test_a_warmup_rises_in_a_straight_line_to_the_full_rate(schedule: str) -> None:
    found = factors(settings(schedule=schedule, warmup=2.0))
    np.testing.assert_allclose(found[: 2 * STEPS], np.arange(1, 2 * STEPS + 1) / (2 * STEPS))
    assert found.argmax() == 2 * STEPS - 1
    assert found[2 * STEPS] == 1


def test_a_warmup_may_end_within_an_epoch() -> None:
    found = factors(settings(warmup=0.5))
    np.testing.assert_allclose(found[:4], [1 / 3.5, 2 / 3.5, 3 / 3.5, 1])
    assert (found[4:] == 1).all()


def test_after_a_warmup_the_cosine_takes_what_is_left() -> None:
    found = factors(settings(schedule="cosine", warmup=4.0))
    shorter = factors(settings(schedule="cosine", epochs=6))
    np.testing.assert_allclose(found[4 * STEPS :], shorter)


def test_one_cycle_goes_up_and_down_alike_and_then_to_next_to_nothing() -> None:
    found = factors(settings(schedule="one_cycle", epochs=100))  # 700 steps: the cycle has 630
    assert found[0] == pytest.approx(0.1)
    assert found[315] == pytest.approx(1)
    np.testing.assert_allclose(found[1:315], found[629:315:-1])
    np.testing.assert_allclose(np.diff(found[:316], n=2), 0, atol=1e-12)
    assert found[630] == pytest.approx(0.1)
    assert 0.001 < found[-1] < 0.003


@given(
    schedule=st.sampled_from(["constant", "cosine", "one_cycle"]),
    epochs=st.integers(1, 30),
    part=st.floats(0, 0.99),
    steps=st.integers(1, 20),
)
def test_a_rate_is_never_nothing_and_never_more_than_all(schedule: str, epochs: int, part: float, steps: int) -> None:
    warmup = 0.0 if schedule == "one_cycle" else part * epochs
    chosen = settings(schedule=schedule, epochs=epochs, warmup=warmup)
    found = [schedules.factor(chosen, step, steps) for step in range(epochs * steps)]
    assert all(0 < factor <= 1 for factor in found)
