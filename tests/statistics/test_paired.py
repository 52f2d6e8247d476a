from itertools import combinations
from math import sqrt

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar

from headstart.foundation.array_types import IntArray
from headstart.foundation.errors import InputError
from headstart.statistics.paired import (
    ALPHA,
    Answers,
    compare_all,
    compare_revisions,
    detectable,
    mcnemar,
    power,
    tango,
)


def answers(right: npt.ArrayLike, labels: IntArray | None = None) -> Answers:
    """Answers to images test/0, test/1, … of which those where ``right`` is true are right."""
    rights = np.asarray(right, dtype=bool)
    classes = np.zeros(len(rights), dtype=np.int64) if labels is None else labels
    return Answers(tuple(f"test/{i}" for i in range(len(rights))), classes, np.where(rights, classes, 1 - classes))


def duel(only_first: int, only_second: int, images: int) -> dict[str, Answers]:
    """Two strategies of which each alone places that many images right, and both the others."""
    first, second = np.ones(images, dtype=bool), np.ones(images, dtype=bool)
    second[:only_first] = False
    first[only_first : only_first + only_second] = False
    return {"finetune": answers(first), "head": answers(second)}


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


def naive_holm(p_values: list[float]) -> list[float]:
    """Holm (1979), Scand. J. Stat. 6, 65-70: the smallest p times m, the next times m - 1, never falling."""
    adjusted: dict[int, float] = {}
    largest = 0.0
    for rank, i in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[i]))
        adjusted[i] = largest
    return [adjusted[i] for i in range(len(p_values))]


def simulated(images: int, accuracies: dict[str, float], seed: int) -> dict[str, Answers]:
    source = np.random.default_rng(seed)
    return {name: answers(source.random(images) < accuracy) for name, accuracy in accuracies.items()}


@settings(max_examples=8)
@given(st.integers(0, 1000), st.integers(2, 5))
def test_every_pair_is_compared_once_and_corrected_as_holm_says(seed: int, strategies: int) -> None:
    accuracies = {f"s{i}": 0.8 + 0.03 * i for i in range(strategies)}
    found = compare_all(simulated(150, accuracies, seed))
    assert len({frozenset((c.first, c.second)) for c in found}) == len(found) == strategies * (strategies - 1) / 2
    assert [c.p_holm for c in found] == pytest.approx(naive_holm([c.p_value for c in found]))
    for c in found:
        assert c.difference == pytest.approx((c.only_first - c.only_second) / 150)
        assert c.difference >= 0
        assert c.pairs == len(found)


def test_holm_of_the_textbook_example() -> None:
    # p-values 0.01, 0.04, 0.03 and 0.005: 0.03, 0.06, 0.06 and 0.02 by hand, as R's p.adjust has it.
    assert naive_holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_chance_is_called_real_in_no_more_than_a_twentieth_of_tests() -> None:
    # Five equal strategies, ten pairs: the chance of any false verdict among them is what Holm bounds.
    false = 0
    for seed in range(300):
        right = np.random.default_rng(seed).random((5, 200)) < 0.8
        p_values = [mcnemar((a & ~b).sum(), (b & ~a).sum()) for a, b in combinations(right, 2)]
        false += min(naive_holm(p_values)) < ALPHA
    assert false <= 24  # more come up in one of a hundred sets of 300 tests at exactly 5 %


def test_verdict_names_the_better_strategy_first_whatever_the_order() -> None:
    (comparison,) = compare_all(dict(reversed(duel(40, 14, 2000).items())))
    assert (comparison.first, comparison.second, comparison.only_first) == ("finetune", "head", 40)


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


@pytest.mark.parametrize(("images", "discordant"), [(2000, 60), (2000, 200), (10_000, 300)])
def test_the_detectable_difference_agrees_with_connors_formula(images: int, discordant: int) -> None:
    """Connor (1987), Biometrics 43, 207-211: n = (z_a sqrt(psi) + z_b sqrt(psi - d^2))^2 / d^2, for the
    asymptotic test, than which the exact one is a little stricter."""
    found = detectable(images, discordant, ALPHA)
    assert found is not None
    psi, z_a, z_b = discordant / images, stats.norm.ppf(0.975), stats.norm.ppf(0.8)
    needed = (z_a * sqrt(psi) + z_b * sqrt(psi - found**2)) ** 2 / found**2
    assert 0.85 * images <= needed <= images


@given(st.integers(6, 3000), st.floats(0, 0.5))
def test_the_detectable_difference_is_found_four_times_in_five(images: int, discordance: float) -> None:
    discordant = round(discordance * images)
    found = detectable(images, discordant, ALPHA)
    if found is not None:
        assert power(images, max(discordant / images, found), found, ALPHA) == pytest.approx(0.8, abs=2e-3)


def test_no_difference_is_detectable_in_a_handful_of_images() -> None:
    assert detectable(5, 3, ALPHA) is None
    assert detectable(6, 0, ALPHA) == pytest.approx(0.8 ** (1 / 6), abs=1e-5)  # all six must differ one way


def test_answers_are_matched_by_image_and_not_by_order() -> None:
    scored = duel(40, 14, 300)
    order = np.random.default_rng(0).permutation(300)
    head = scored["head"]
    shuffled = Answers(tuple(head.images[i] for i in order), head.labels[order], head.predicted[order])
    assert compare_all({"finetune": scored["finetune"], "head": shuffled}) == compare_all(scored)


def test_one_strategy_has_nothing_to_be_compared_with() -> None:
    assert compare_all({"head": answers([True])}) == []


def test_different_test_images_are_refused() -> None:
    with pytest.raises(
        InputError,
        match=r"^head and finetune were scored on different test images: 2 images not in both, for example "
        r"test/3, which finetune has and head lacks; expected the same: run `dvc repro` on one split for both$",
    ):
        compare_all({"head": answers([True] * 3), "finetune": answers([True] * 5)})
    with pytest.raises(InputError, match="1 image not in both, for example test/2, which a has and b lacks"):
        compare_all({"a": answers([True] * 3), "b": answers([True] * 2)})


def test_different_labels_are_refused() -> None:
    ones = np.array([0, 1, 0])
    with pytest.raises(
        InputError,
        match=r"^a and b were scored against different labels: 1 image changed, for example test/1; expected the same",
    ):
        compare_all({"a": answers([True] * 3), "b": answers([True] * 3, ones)})


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (("a", "b"), [0], "^predictions: found 2 images, 1 labels and 1 predicted classes, expected one of each"),
        ((), [], "^predictions: found 0 images"),
        (("a", "b", "a"), [0, 0, 0], "^predictions: found a more than once, expected every test image once"),
    ],
)
def test_answers_that_contradict_themselves_are_refused(
    images: tuple[str, ...], labels: list[int], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        Answers(images, np.array(labels), np.array(labels))


def test_revisions_name_the_images_fixed_and_broken() -> None:
    before, after = answers([True, False, False, True]), answers([False, True, True, True])
    revision = compare_revisions(before, after)
    assert revision.fixed == ("test/1", "test/2")
    assert revision.broken == ("test/0",)
    assert revision.difference == 0.25
    assert revision.p_value == 1.0


def test_revisions_on_different_images_are_refused() -> None:
    with pytest.raises(InputError, match=r"^the first revision and the second revision were scored on different"):
        compare_revisions(answers([True] * 3), answers([True] * 2))
