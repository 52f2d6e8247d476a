import numpy as np
import pytest

from headstart.page import verdicts
from headstart.statistics.paired import ALPHA, Answers, Comparison, compare_all, compare_revisions
from tests.statistics.test_paired import answers, duel


def test_verdict_of_a_real_difference() -> None:
    (comparison,) = compare_all(duel(40, 14, 2000))
    assert comparison.real
    assert verdicts.comparison(comparison) == (
        "fine-tuning beats the plain head by 1.3 points (95 % interval 0.6 to 2.1, p = 0.0005)"
    )


def test_verdict_of_no_difference() -> None:
    (comparison,) = compare_all(duel(12, 8, 2000))
    assert verdicts.comparison(comparison) == (
        "fine-tuning and the plain head are not significantly different "
        "(0.2 points, 95 % interval \N{MINUS SIGN}0.3 to 0.7, p = 0.50)"
    )


def test_verdict_of_the_same_answers() -> None:
    (comparison,) = compare_all(duel(0, 0, 2000))
    assert (comparison.difference, comparison.p_value) == (0.0, 1.0)
    assert verdicts.comparison(comparison).endswith("(0.0 points, 95 % interval \N{MINUS SIGN}0.2 to 0.2, p = 1.00)")


def test_verdict_of_a_difference_that_the_correction_takes_back() -> None:
    scored = duel(21, 8, 2000)
    comparison = compare_all({**scored, "scratch": scored["head"]})[0]
    assert comparison.p_value < ALPHA < comparison.p_holm
    assert verdicts.comparison(comparison) == (
        "fine-tuning and the plain head are not significantly different (0.7 points, 95 % interval 0.1 to 1.2, "
        "p = 0.072 after correction for 3 pairs, p = 0.024 before)"
    )


@pytest.mark.parametrize(("strategies", "least"), [(2, 6), (3, 7), (5, 9)])
def test_a_test_too_small_for_any_verdict_says_so(strategies: int, least: int) -> None:
    # One strategy always right, the others never: nothing could differ more.
    def found(images: int) -> tuple[list[Comparison], dict[str, Answers]]:
        right = {f"s{i}": answers([i == 0] * images) for i in range(strategies)}
        return compare_all(right), right

    too_small, right = found(least - 1)
    assert not any(c.real for c in too_small)
    assert verdicts.comparison(too_small[0]) == (
        f"s0 and s1: with {least - 1} images no difference can be significant; at least {least} are needed"
    )
    assert verdicts.headline("s0", right, too_small) == (
        f"s0, the best on validation images, classifies 100.0 % of {least - 1} test images correctly, "
        "but with so few images no difference can be significant"
    )
    assert verdicts.detectable(too_small) == (
        f"with {least - 1} test images no difference between strategies can be significant"
    )
    assert found(least)[0][0].real


def test_headlines() -> None:
    def line(winner: str, scored: dict[str, Answers]) -> str:
        return verdicts.headline(winner, scored, compare_all(scored))

    two = duel(40, 14, 2000)
    tuned = "fine-tuning, the best on validation images, classifies 99.3 % of 2,000 test images correctly"
    assert line("finetune", two) == f"{tuned} and beats the other strategy"
    three = {**two, "scratch": answers(np.arange(2000) % 2 == 0)}
    assert line("finetune", three) == f"{tuned} and beats every other strategy"
    tied = {**two, "augmented": answers(np.arange(2000) >= 20), "base": answers(np.arange(2000) >= 16)}
    assert line("finetune", tied) == (
        f"{tuned}, but is not significantly different from base or the head on augmented views"
    )
    assert line("head", {"head": two["head"]}) == (
        "the plain head classifies 98.0 % of 2,000 test images correctly; no other strategy was evaluated"
    )


def test_the_headline_says_where_the_test_contradicts_the_choice() -> None:
    half = answers(np.arange(2000) % 2 == 0)
    scored = {**duel(40, 14, 2000), "scratch": half, "scratch_augmented": half}
    assert verdicts.headline("scratch", scored, compare_all(scored)) == (
        "training from scratch, the best on validation images, classifies 50.0 % of 2,000 test images correctly, but "
        "is beaten by fine-tuning and the plain head and is not significantly different from training from scratch "
        "with augmentation"
    )


def test_the_detectable_difference_in_words() -> None:
    assert verdicts.detectable(compare_all(duel(40, 14, 2000))) == (
        "the smallest difference that 2,000 test images would detect with 80 % power is 1.1 points"
    )
    scored = duel(40, 14, 2000)
    found = verdicts.detectable(compare_all({**scored, "scratch": answers(np.arange(2000) % 2 == 0)}))
    assert found.endswith("is 1.2 to 5.2 points, depending on the pair")


def test_verdicts_of_revisions() -> None:
    better, worse = duel(40, 14, 2000).values()
    assert verdicts.revision(compare_revisions(worse, better)) == (
        "40 fixed, 14 broken: better by 1.3 points (95 % interval 0.6 to 2.1, p = 0.0005)"
    )
    assert verdicts.revision(compare_revisions(better, worse)) == (
        "14 fixed, 40 broken: worse by 1.3 points (95 % interval \N{MINUS SIGN}2.1 to \N{MINUS SIGN}0.6, p = 0.0005)"
    )
    same = verdicts.revision(compare_revisions(better, better))
    assert same.startswith("0 fixed, 0 broken: no significant difference (95 % interval ")


def test_a_change_on_few_images_shows_nothing() -> None:
    before, after = answers([True, False, False, True]), answers([False, True, True, True])
    said = verdicts.revision(compare_revisions(before, after))
    assert said == "2 fixed, 1 broken: with 4 images no difference can be significant"
