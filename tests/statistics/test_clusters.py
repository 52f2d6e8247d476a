from itertools import product

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from headstart.foundation.array_types import BoolArray, IntArray
from headstart.statistics import clusters
from headstart.statistics.intervals import score_interval, wilson
from headstart.statistics.paired import mcnemar


def alike(groups: int, size: int, share: float, correlation: float, seed: int) -> tuple[BoolArray, IntArray]:
    """Correctness in groups: with the square root of the correlation an image does as its group does."""
    source = np.random.default_rng(seed)
    members = np.repeat(np.arange(groups), size)
    follows = source.random(groups * size) < np.sqrt(correlation)
    own, common = source.random(groups * size) < share, source.random(groups) < share
    right: BoolArray = np.where(follows, common[members], own)
    return right, members


@given(st.floats(0, 1), st.floats(1.5, 2000))
def test_score_interval_agrees_with_statsmodels(share: float, trials: float) -> None:
    low, high = proportion_confint(share * trials, trials, method="wilson")
    found = score_interval(share, trials)
    assert (found.low, found.high) == pytest.approx((max(0, low), min(1, high)), abs=1e-9)
    assert found.low <= share <= found.high


def test_score_interval_of_whole_numbers_is_wilsons() -> None:
    one, other = score_interval(0.9, 20), wilson(18, 20)
    assert (one.low, one.high) == pytest.approx((other.low, other.high))


def test_names_become_numbers() -> None:
    assert clusters.numbered(["b", "a", "b"]).tolist() == [1, 0, 1]
    assert clusters.numbered(np.array([7, 3, 7])).tolist() == [1, 0, 1]


@given(st.integers(0, 1000), st.integers(2, 12))
def test_variance_of_a_mean_agrees_with_statsmodels_cluster_robust(seed: int, number: int) -> None:
    source = np.random.default_rng(seed)
    groups = np.concatenate([np.arange(number), source.integers(number, size=40)])
    values = source.normal(size=number)[groups] + source.normal(size=len(groups))
    fitted = sm.OLS(values, np.ones(len(values))).fit(
        cov_type="cluster", cov_kwds={"groups": groups, "use_correction": False}
    )
    expected = float(fitted.bse[0]) ** 2 * number / (number - 1)
    assert clusters.mean_variance(values, groups) == pytest.approx((expected, number - 1))


def test_variance_of_a_mean_of_strangers_is_the_textbooks() -> None:
    values = np.random.default_rng(0).normal(size=30)
    expected = (values.var(ddof=1) / 30, 29)
    assert clusters.mean_variance(values) == pytest.approx(expected)
    assert clusters.mean_variance(values, np.arange(30)) == pytest.approx(expected)


def test_one_group_says_nothing() -> None:
    assert clusters.mean_variance(np.arange(5.0), np.zeros(5, dtype=np.int64)).variance == np.inf
    assert clusters.effective_images(np.arange(5.0), np.zeros(5, dtype=np.int64)) == 1


def test_intraclass_correlation_of_a_published_example() -> None:
    """Shrout and Fleiss (1979), Psychol. Bull. 86, 420-428, table 2: six targets, four judges, ICC(1,1) = .17."""
    ratings = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
    found = clusters.intraclass_correlation(np.array(ratings, dtype=np.float64).ravel(), np.repeat(np.arange(6), 4))
    assert found == pytest.approx(0.17, abs=0.005)


def test_intraclass_correlation_agrees_with_a_fit_by_analysis_of_variance_of_unequal_groups() -> None:
    source = np.random.default_rng(4)
    groups = source.integers(15, size=90)
    values = source.normal(size=15)[groups] + source.normal(size=90)
    dummies = (groups[:, None] == np.arange(15)).astype(np.float64)
    within = sm.OLS(values, dummies).fit().ssr / 75
    between = (sm.OLS(values, np.ones(90)).fit().ssr - within * 75) / 14
    sizes = dummies.sum(axis=0)
    typical = (90 - (sizes**2).sum() / 90) / 14
    expected = (between - within) / (between + (typical - 1) * within)
    assert clusters.intraclass_correlation(values, groups) == pytest.approx(expected)


@given(st.integers(0, 500), st.floats(0, 1))
def test_the_effective_number_lies_between_groups_and_images(seed: int, correlation: float) -> None:
    right, groups = alike(12, 5, 0.8, correlation, seed)
    found = clusters.effective_images(right.astype(np.float64), groups)
    assert 12 - 1e-9 <= found <= 60


def test_all_right_counts_groups_alone() -> None:
    groups = np.repeat(np.arange(12), 5)
    assert clusters.effective_images(np.ones(60), groups) == pytest.approx(12)
    assert clusters.effective_images(np.ones(60), None) == 60
    # Korn and Graubard's correction makes 12 groups worth 9.5: Wilson's end for 9.5 of 9.5.
    assert clusters.accuracy(np.ones(60, dtype=np.bool_), groups).low == pytest.approx(0.712, abs=1e-3)


def test_accuracy_in_groups_is_covered_where_counting_images_is_not() -> None:
    """Groups of 10 with a correlation of .7: Wilson's interval on the images covers some 62 %."""
    truth, sets = 0.85, 400
    in_groups = in_images = 0
    for seed in range(sets):
        right, groups = alike(40, 10, truth, 0.7, seed)
        share, naive = clusters.accuracy(right, groups), clusters.accuracy(right, None)
        in_groups += share.low <= truth <= share.high
        in_images += naive.low <= truth <= naive.high
    assert in_images / sets < 0.7
    assert 0.92 <= in_groups / sets <= 0.98


def naive_sign_flip(gaps: list[float]) -> float:
    """Every assignment of signs, one after the other."""
    sums = [abs(sum(s * g for s, g in zip(signs, gaps, strict=True))) for signs in product([-1, 1], repeat=len(gaps))]
    return float(np.mean([total >= abs(sum(gaps)) - 1e-9 for total in sums]))


@given(st.lists(st.floats(-3, 3).map(lambda x: round(x, 2)), min_size=1, max_size=9))
def test_sign_flips_agree_with_trying_them_one_by_one(gaps: list[float]) -> None:
    assert clusters.sign_flip(np.array(gaps), None, 0) == pytest.approx(naive_sign_flip(gaps))


@given(st.integers(0, 8), st.integers(0, 8))
def test_sign_flips_of_single_images_are_the_exact_mcnemar_test(only_first: int, only_second: int) -> None:
    gaps = np.array([1.0] * only_first + [-1.0] * only_second + [0.0] * 5)
    assert clusters.sign_flip(gaps, None, 0) == pytest.approx(mcnemar(only_first, only_second))


def test_sign_flips_of_many_groups_come_near_the_exact_test_and_follow_the_seed() -> None:
    gaps = np.array([1.0] * 30 + [-1.0] * 15)
    first, again, other = (clusters.sign_flip(gaps, None, seed) for seed in (1, 1, 2))
    assert first == again != other
    assert first == pytest.approx(mcnemar(30, 15), abs=0.006)


def test_sign_flips_in_groups_raise_few_false_alarms_where_counting_images_raises_many() -> None:
    sets, by_group, by_image = 300, 0, 0
    for seed in range(sets):
        first, groups = alike(30, 10, 0.8, 0.7, 2 * seed)
        second, _ = alike(30, 10, 0.8, 0.7, 2 * seed + 1)
        gaps = first.astype(np.float64) - second
        by_group += clusters.sign_flip(gaps, groups, 0) < 0.05
        by_image += mcnemar(int((gaps > 0).sum()), int((gaps < 0).sum())) < 0.05
    assert by_image / sets > 0.2
    assert by_group / sets <= 0.075
