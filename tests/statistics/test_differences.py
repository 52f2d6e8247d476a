import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from benchmarks.simulation import FOLDS, HEADS, ONE_TRAINING, REPEATED, RUNS, TWINS, coverage, grouped
from headstart.statistics import clusters, differences
from headstart.statistics.differences import Scope
from headstart.statistics.paired import mcnemar, tango


def answered(seed: int, runs: int, images: int, share: float = 0.9) -> np.ndarray:
    right: np.ndarray = np.random.default_rng(seed).random((runs, images)) < share
    return right


@given(st.integers(0, 1000), st.integers(1, 200))
def test_one_training_is_a_statement_about_the_trained_models(seed: int, images: int) -> None:
    first, second = answered(seed, 1, images), answered(seed + 1, 1, images, 0.8)
    found = differences.between_runs(first, second)
    only_first, only_second = int((first & ~second).sum()), int((second & ~first).sum())
    assert found.scope is Scope.MODELS
    assert (found.low, found.high) == tango(only_first, only_second, images)
    assert found.p_value == mcnemar(only_first, only_second)
    assert found.value == pytest.approx(first.mean() - second.mean())
    assert found.luck is None


def test_one_training_in_groups_flips_groups() -> None:
    groups = np.repeat(np.arange(12), 5)
    first, second = answered(1, 1, 60, 0.95), answered(2, 1, 60, 0.7)
    found = differences.between_runs(first, second, groups=groups)
    assert found.scope is Scope.MODELS
    assert found.groups == 12
    assert found.p_value == clusters.sign_flip(first[0].astype(float) - second[0], groups, 0)


def test_losses_of_one_training_take_the_paired_t_test() -> None:
    source = np.random.default_rng(0)
    first, second = source.exponential(1, (1, 80)), source.exponential(1.3, (1, 80))
    found = differences.between_runs(first, second)
    expected = stats.ttest_rel(first[0], second[0])
    interval = expected.confidence_interval()
    assert found.p_value == pytest.approx(expected.pvalue)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))


def test_losses_of_one_training_in_groups_of_equal_size_take_the_t_test_of_the_groups() -> None:
    source = np.random.default_rng(1)
    groups = np.repeat(np.arange(15), 4)
    gaps = source.normal(size=15)[groups] + source.normal(size=60)
    found = differences.between_runs(gaps[None], np.zeros((1, 60)), groups=groups)
    expected = stats.ttest_1samp(gaps.reshape(15, 4).mean(axis=1), 0).confidence_interval()
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))


@pytest.mark.parametrize(("offsets", "own", "freedom"), [((-0.1, 0.0, 0.1), 0.01, 4), ((0.0, 0.0, 0.0), 0.0, 2)])
def test_several_runs_of_a_worked_example(offsets: tuple[float, ...], own: float, freedom: int) -> None:
    """Losses, three runs on four images, by hand: every run is off by the same on each image.

    Runs that never differ bring no degrees of freedom.
    """
    second = np.array([1.0, 2.0, 3.0, 6.0]) + np.array(offsets)[:, None]
    first = np.array([1.0, 2.0, 3.0, 6.0]) + np.array([0.3, 0.6, 0.9])[:, None] + np.array([0.1, -0.1, 0.1, -0.1])
    found = differences.between_runs(first, second)
    assert found.scope is Scope.STRATEGIES
    assert found.luck is not None
    assert found.value == pytest.approx(0.6)
    assert found.luck.images == pytest.approx(np.var([0.1, -0.1, 0.1, -0.1], ddof=1) / 4)
    assert found.luck.training == pytest.approx((0.09 + own) / 3)  # the variance of .3, .6 and .9 over three runs
    error = np.sqrt(found.luck.variance)
    degrees = error**4 / (found.luck.images**2 / 3 + found.luck.training**2 / freedom)
    half = stats.t.ppf(0.975, degrees) * error
    assert (found.low, found.high) == pytest.approx((0.6 - half, 0.6 + half))
    assert found.p_value == pytest.approx(2 * stats.t.sf(0.6 / error, degrees))


def test_strategies_that_never_disagree_still_may() -> None:
    """Bonett and Price (2012): with an image more for either side, 2 / 102² is what is left of the variance."""
    found = differences.between_runs(np.ones((3, 100), bool), np.ones((3, 100), bool))
    assert found.value == 0
    assert found.p_value == 1
    assert found.high == -found.low == pytest.approx(stats.t.ppf(0.975, 99) * np.sqrt(2) / 102)


@given(st.integers(0, 500), st.integers(1, 4))
def test_folds_turn_with_the_strategies_and_interval_and_p_value_agree(seed: int, repeats: int) -> None:
    source = np.random.default_rng(seed)
    folds = np.stack([source.permutation(120) % 5 for _ in range(repeats)])
    first, second = answered(seed, repeats, 120), answered(seed + 1, repeats, 120, 0.8)
    one, other = differences.between_folds(first, second, folds), differences.between_folds(second, first, folds)
    assert (one.value, one.low, one.high) == pytest.approx((-other.value, -other.high, -other.low))
    assert one.p_value == pytest.approx(other.p_value)
    assert (one.p_value < 0.05) == (one.low > 0 or one.high < 0)
    assert one.scope is Scope.STRATEGIES
    assert one.runs == 5 * repeats


def test_one_group_decides_nothing() -> None:
    groups = np.zeros(40, dtype=np.int64)
    found = differences.between_runs(np.ones((2, 40), bool), np.zeros((2, 40), bool), groups=groups)
    assert (found.low, found.high, found.p_value) == (-1, 1, 1)


@pytest.mark.parametrize("design", [RUNS, FOLDS, REPEATED])
@pytest.mark.parametrize("pictures", [100, 300])
def test_simulated_differences_are_covered(design: object, pictures: int) -> None:
    """The short form of `python -m benchmarks.simulation`: 150 sets leave a standard error of 1.8 points."""
    found = coverage(design, HEADS, pictures, sets=150, seed=7)  # type: ignore[arg-type]
    assert found.difference >= 0.90
    assert found.beats <= 0.10
    assert found.accuracy >= 0.90


def test_simulated_differences_in_groups_are_covered() -> None:
    found = coverage(REPEATED, grouped(HEADS), 600, sets=150, seed=7)
    assert found.difference >= 0.90
    assert found.accuracy >= 0.90


def test_one_training_calls_twins_different_where_several_do_not() -> None:
    """The same head twice: 13 to 27 % of pairs of single trainings differ, which is true of the trained models."""
    one = coverage(ONE_TRAINING, TWINS, 1000, sets=200, seed=1)
    several = coverage(RUNS, TWINS, 1000, sets=200, seed=1)
    assert one.beats >= 0.13
    assert several.beats <= 0.08
