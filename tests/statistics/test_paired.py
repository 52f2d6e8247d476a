import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar

from headstart.statistics.paired import ALPHA, decidable, mcnemar, power, tango


# Fagerland, Lydersen and Laake (2017), Statistical analysis of contingency tables, chapter 8: airway
# hyper-responsiveness (Bentur et al. 2009) and complete response (Cavo et al. 2012).
@pytest.mark.parametrize(
    ("only_first", "only_second", "images", "low", "high", "p"),
    [(1, 7, 21, -0.517, -0.026, 0.0703), (6, 16, 161, -0.124, -0.005, 0.0525)],
)
def test_published_examples(only_first: int, only_second: int, images: int, low: float, high: float, p: float) -> None:
    assert tango(only_first, only_second, images) == pytest.approx((low, high), abs=5e-4)
    assert mcnemar(only_first, only_second) == pytest.approx(p, abs=5e-5)


def test_tango_of_the_second_example_to_four_digits() -> None:
    """The R package contingencytables, which accompanies that book, prints -0.1240 to -0.0054."""
    assert tango(6, 16, 161) == pytest.approx((-0.1240, -0.0054), abs=5e-5)


@given(st.integers(0, 60), st.integers(0, 60), st.integers(1, 3000))
def test_tango_solves_the_quartic_of_yang_sun_and_hardin(only_first: int, only_second: int, concordant: int) -> None:
    """Yang, Sun and Hardin (2013), Stat. Med. 32, 1336-1342: the ends are roots of a quartic."""
    n, d, s = only_first + only_second + concordant, only_first - only_second, only_first + only_second
    g = stats.norm.ppf(0.975) ** 2
    quartic = [
        n**2 * (n / g + 1) ** 2,
        -n * d * (n / g + 1) * (4 * n / g + 1),
        2 * n * d**2 * (3 * n / g + 2) / g - n**2 * (s / g + 1),
        n * d * (2 * s / g + 1) - d**3 * (4 * n / g + 1) / g,
        d**2 * (d**2 / g - s) / g,
    ]
    for end in tango(only_first, only_second, n):
        terms = [c * end**k for c, k in zip(quartic, (4, 3, 2, 1, 0), strict=True)]
        assert abs(sum(terms)) <= 1e-9 * max(1.0, *map(abs, terms))


@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 3000))
def test_tango_holds_the_estimate_and_turns_with_the_strategies(
    only_first: int, only_second: int, concordant: int
) -> None:
    images = max(1, only_first + only_second + concordant)
    low, high = tango(only_first, only_second, images)
    assert -1 <= low <= (only_first - only_second) / images <= high <= 1
    assert low < high
    assert tango(only_second, only_first, images) == pytest.approx((-high, -low), abs=1e-12)


def test_tango_of_strategies_that_never_agree() -> None:
    assert tango(5, 0, 5)[1] == 1.0
    assert tango(0, 5, 5)[0] == -1.0


def test_tango_covers_the_truth_at_every_outcome_of_a_small_test() -> None:
    # Exact coverage: every outcome of 60 images, weighed by its chance.
    for only_first, only_second in ((0.1, 0.05), (0.05, 0.05), (0.2, 0.02)):
        outcomes = [(b, c) for b in range(40) for c in range(40 - b)]
        chances = stats.multinomial.pmf(
            [(b, c, 60 - b - c) for b, c in outcomes], 60, [only_first, only_second, 1 - only_first - only_second]
        )
        likely = [(outcome, chance) for outcome, chance in zip(outcomes, chances, strict=True) if chance > 1e-5]
        covered = sum(
            chance for (b, c), chance in likely if tango(b, c, 60)[0] <= only_first - only_second <= tango(b, c, 60)[1]
        )
        assert 0.93 <= covered <= 0.985


def test_tango_covers_the_truth_in_simulated_tests_of_2000_images() -> None:
    # 0.985 against 0.975 accurate, as in the chapter, and a disagreement over 2 % of the images.
    source = np.random.default_rng(0)
    drawn = source.multinomial(2000, [0.015, 0.005, 0.98], size=1500)
    ends = np.array([tango(b, c, 2000) for b, c, _ in drawn])
    assert ((ends[:, 0] <= 0.01) & (ends[:, 1] >= 0.01)).mean() == pytest.approx(0.95, abs=0.017)


@given(st.integers(0, 300), st.integers(0, 300))
def test_mcnemar_agrees_with_statsmodels(only_first: int, only_second: int) -> None:
    table = [[10, only_first], [only_second, 10]]
    assert mcnemar(only_first, only_second) == pytest.approx(statsmodels_mcnemar(table, exact=True).pvalue)


def test_a_difference_that_mcnemar_calls_real_has_an_interval_without_nought() -> None:
    for discordant in range(1, 100):
        for only_second in range(discordant // 2 + 1):
            if mcnemar(discordant - only_second, only_second) < ALPHA:
                assert tango(discordant - only_second, only_second, 2000)[0] > 0


@pytest.mark.parametrize(
    ("images", "discordance", "difference", "expected"), [(100, 0.3, 0.1, 0.373077084), (249, 0.3, 0.1, 0.8015)]
)
def test_power_agrees_with_pwrss(images: int, discordance: float, difference: float, expected: float) -> None:
    """The exact McNemar test in the R package pwrss, whose authors check it against PASS and G*Power."""
    tolerance = 1e-8 if images == 100 else 2e-4  # pwrss prints the second for whole numbers of discordant pairs
    assert power(images, discordance, difference, ALPHA) == pytest.approx(expected, abs=tolerance)


def test_power_agrees_with_simulated_tests() -> None:
    drawn = np.random.default_rng(1).multinomial(500, [0.05, 0.02, 0.93], size=4000)
    found = np.mean([mcnemar(b, c) < ALPHA for b, c, _ in drawn])
    assert power(500, 0.07, 0.03, ALPHA) == pytest.approx(found, abs=0.025)


@pytest.mark.parametrize(("pairs", "least"), [(1, 6), (2, 7), (4, 8), (10, 9)])
def test_so_many_images_are_needed_for_any_verdict(pairs: int, least: int) -> None:
    assert decidable(least, pairs)
    assert not decidable(least - 1, pairs)
