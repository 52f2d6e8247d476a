import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.foundation.array_types import BoolArray, FloatArray
from headstart.statistics.doubling import doubling, doubling_gain


def drawn(errors: FloatArray, luck: float, repeats: int, images: int, seed: int) -> BoolArray:
    """Correctness (sizes, repeats, images): images are hard or not, draws lucky or not, the last all the same."""
    source = np.random.default_rng(seed)
    lucky = source.normal(0, luck, size=(len(errors), repeats, 1))
    lucky[-1] = lucky[-1, 0]
    hardness = source.random((1, 1, images)) + source.normal(0, 0.02, size=(len(errors), repeats, images))
    hardness[-1] = hardness[-1, 0]
    right: BoolArray = hardness > np.clip(errors[:, None, None] + lucky, 0, 1)
    return right


@given(st.floats(0.05, 1.5), st.floats(0.05, 0.4))
def test_a_power_law_is_continued(exponent: float, level: float) -> None:
    sizes, images = [100, 250, 500, 1000], 10**9
    errors = level * (np.array([*sizes, 2000]) / 100) ** -exponent
    gain = doubling_gain(sizes, 1 - errors[:4, None], images)
    assert gain == pytest.approx([errors[3] - errors[4]], rel=1e-5)


def test_smaller_sizes_have_no_say() -> None:
    rates = np.array([[0.3, 0.9], [0.202, 0.5], [0.127, 0.127], [0.075, 0.075]])
    first, second = doubling_gain([30, 75, 150, 300], 1 - rates, 1000)
    # Half an error in one image more, by hand: e (1 - e / e of half the images).
    assert first == second == pytest.approx(75.5 / 1001 * (1 - 75.5 / 127.5))


@given(st.floats(0, 1), st.floats(0, 1))
def test_less_error_than_none_is_never_promised(half: float, whole: float) -> None:
    gain = doubling_gain([50, 100], 1 - np.array([[half], [whole]]), 200)
    assert gain[0] <= (whole * 200 + 0.5) / 201


def test_the_interval_holds_what_a_curve_that_flattens_out_really_gains() -> None:
    """The error .06 + .3 exp(-n / 100) falls by .014 from 300 to 600 images; no power law foresees how it flattens."""
    sizes = [30, 75, 150, 300]
    errors = 0.06 + 0.3 * np.exp(-np.array([*sizes, 600]) / 100)
    gain, curves = errors[3] - errors[4], 100
    assert gain == pytest.approx(0.014, abs=5e-4)
    found = [doubling(sizes, drawn(errors[:4], 0.015, 4, 1000, seed), seed) for seed in range(curves)]
    held = [one.low <= gain <= one.high for one in found if one]
    assert len(held) == curves
    assert np.mean(held) > 0.88


def test_the_interval_holds_the_gain_of_a_power_law() -> None:
    sizes = [100, 250, 500, 1000]
    errors = 0.15 * (np.array(sizes) / 100) ** -0.4
    gain, curves = errors[-1] * (1 - 2**-0.4), 100
    found = [doubling(sizes, drawn(errors, 0.01, 4, 300, seed), seed) for seed in range(curves)]
    assert np.mean([one is not None and one.low <= gain <= one.high for one in found]) > 0.88


def test_the_luck_of_the_draws_widens_the_interval() -> None:
    errors = np.array([0.2, 0.15, 0.1])
    calm, lucky = (doubling([100, 200, 400], drawn(errors, luck, 5, 1000, 3), 0) for luck in (0.0, 0.05))
    assert calm is not None
    assert lucky is not None
    assert lucky.high - lucky.low > 2 * (calm.high - calm.low)


def test_no_interval_goes_beyond_the_error_that_is_left() -> None:
    found = doubling([50, 100], drawn(np.array([0.2, 0.02]), 0.05, 3, 100, 0), 0)
    assert found is not None
    assert found.low < found.value <= found.high <= 0.06


def test_nothing_to_go_by() -> None:
    assert doubling([100], np.ones((1, 3, 10), dtype=np.bool_), 0) is None
    assert doubling([50, 100], np.ones((2, 1, 10), dtype=np.bool_), 0) is None


def test_the_seed_decides() -> None:
    right = drawn(np.array([0.2, 0.1]), 0.01, 3, 100, 0)
    assert doubling([50, 100], right, 1) == doubling([50, 100], right, 1) != doubling([50, 100], right, 2)
