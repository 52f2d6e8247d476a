import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from headstart.statistics.paired import ALPHA, mcnemar, power
from headstart.statistics.sensitivity import smallest_by_t, smallest_difference


def test_the_difference_comes_on_top_of_todays_disagreement() -> None:
    """Ten pairs on 1,000 images, 5 of them discordant: 1.65 points, where 1.14 would be found too seldom."""
    found = smallest_difference(1000, 5, ALPHA / 10)
    assert found == pytest.approx(0.0165, abs=5e-5)
    assert power(1000, 0.005 + 0.0114, 0.0114, ALPHA / 10) < 0.65


def test_simulated_strategies_that_differ_by_it_are_told_apart_four_times_in_five() -> None:
    found = smallest_difference(500, 20, ALPHA)
    assert found is not None
    chances = [0.02 + found, 0.02, 0.96 - found]
    drawn = np.random.default_rng(2).multinomial(500, chances, size=3000)
    assert np.mean([mcnemar(b, c) < ALPHA for b, c, _ in drawn]) == pytest.approx(0.8, abs=0.025)


@given(st.integers(20, 3000), st.floats(0, 0.4))
def test_it_is_found_four_times_in_five(images: int, share: float) -> None:
    discordant = round(share * images)
    found = smallest_difference(images, discordant, ALPHA)
    if found is not None:
        assert power(images, discordant / images + found, found, ALPHA) == pytest.approx(0.8, abs=5e-3)


def test_no_difference_is_found_so_often_in_a_handful_of_images() -> None:
    assert smallest_difference(5, 0, ALPHA) is None
    assert smallest_difference(6, 0, ALPHA) == pytest.approx(0.8 ** (1 / 6), abs=1e-5)  # all six must differ one way
    assert smallest_difference(10, 10, ALPHA) is None


def test_the_smallest_by_t_is_found_four_times_in_five() -> None:
    variance, images = 0.04 / 1000, 1000
    found = smallest_by_t(variance, 999, images, ALPHA)
    error = np.sqrt(variance + found / images)
    # The power of a t-test against a shift, from the non-central t distribution.
    shown = stats.nct.sf(stats.t.ppf(0.975, 999), 999, found / error)
    assert shown == pytest.approx(0.8, abs=0.005)


def test_the_smallest_by_t_is_a_share() -> None:
    assert smallest_by_t(1.0, 3, 5, ALPHA) == 1.0
