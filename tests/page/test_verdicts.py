from typing import Any

import numpy as np
import pytest

from headstart.page import verdicts
from headstart.statistics.comparisons import Comparison, compare, with_strategy
from headstart.statistics.intervals import Share
from headstart.statistics.outcome import Outcome
from headstart.statistics.paired import ALPHA
from headstart.statistics.revisions import compare_revisions
from tests.outcomes import answered, several
from tests.statistics.test_comparisons import duel
from tests.statistics.test_revisions import change, revision


def rows(outcomes: dict[str, Outcome], weights: dict[str, int] | None = None) -> dict[str, dict[str, Any]]:
    """What metrics/evaluation.json says of them, as far as verdicts read it."""
    return {
        name: {
            "accuracy": one.right.mean(),
            "kept_accuracy": None if one.folds is not None else 1.0,
            "trained_parameters": (weights or {}).get(name, 1),
        }
        for name, one in outcomes.items()
    }


def line(winner: str, outcomes: dict[str, Outcome]) -> str:
    images = len(outcomes[winner].labels)
    return verdicts.headline(winner, rows(outcomes), images, compare(outcomes, winner, 0))


def test_verdict_of_a_real_difference() -> None:
    (comparison,) = compare(duel(40, 14, 2000), "finetune", 0)
    assert comparison.real
    assert verdicts.comparison(comparison) == (
        "fine-tuning beats the plain head by 1.3 points (95 % interval 0.6 to 2.1, p = 0.0005)"
    )


def test_verdict_of_no_difference() -> None:
    (comparison,) = compare(duel(12, 8, 2000), "finetune", 0)
    assert verdicts.comparison(comparison) == (
        "fine-tuning and the plain head are not significantly different "
        "(0.2 points, 95 % interval \N{MINUS SIGN}0.3 to 0.7, p = 0.50)"
    )


def test_verdict_of_the_same_answers() -> None:
    (comparison,) = compare(duel(0, 0, 2000), "finetune", 0)
    assert (comparison.difference, comparison.p_value) == (0.0, 1.0)
    assert verdicts.comparison(comparison).endswith("(0.0 points, 95 % interval \N{MINUS SIGN}0.2 to 0.2, p = 1.00)")


def test_verdict_of_a_difference_that_the_correction_takes_back() -> None:
    scored = duel(21, 8, 2000)
    comparison = compare({**scored, "scratch": scored["head"]}, "finetune", 0)[0]
    assert comparison.p_value < ALPHA
    doubtful = duel(20, 8, 2000)
    comparison = compare({**doubtful, "scratch": doubtful["head"], "augmented": doubtful["head"]}, "finetune", 0)[0]
    assert comparison.p_value < ALPHA < comparison.p_holm
    assert verdicts.comparison(comparison) == (
        "fine-tuning and the plain head are not significantly different (0.6 points, 95 % interval 0.1 to 1.2, "
        "p = 0.107 after correction for 3 pairs, p = 0.036 before; the interval is for this pair alone)"
    ).replace("p = 0.107", "p = 0.11")


def test_a_pair_without_the_winner_is_called_exploratory_whatever_its_p_value() -> None:
    scored = duel(400, 14, 2000)
    found = compare({**scored, "scratch": scored["head"]}, "scratch", 0)[0]
    assert found.p_value < 1e-6
    assert verdicts.comparison(found) == (
        "exploratory: fine-tuning minus the plain head, 19.3 points (95 % interval 17.5 to 21.2, p < 0.0001 before "
        "any correction)"
    )


@pytest.mark.parametrize(("strategies", "least"), [(2, 6), (3, 7), (5, 8)])
def test_a_test_too_small_for_any_verdict_says_so(strategies: int, least: int) -> None:
    # One strategy always right, the others never: nothing could differ more.
    def found(images: int) -> tuple[list[Comparison], dict[str, Outcome]]:
        right = {f"s{i}": answered([i == 0] * images) for i in range(strategies)}
        return compare(right, "s0", 0), right

    too_small, right = found(least - 1)
    assert not any(c.real for c in too_small)
    assert verdicts.comparison(too_small[0]) == (
        f"s0 and s1: with {least - 1} test images no difference can be significant; at least {least} are needed"
    )
    assert line("s0", right) == (
        f"s0, the best on validation images, classifies 100.0 % of {least - 1} test images correctly, "
        "but with so few images no difference can be significant"
    )
    assert verdicts.detectable(with_strategy("s0", too_small)) == (
        f"with {least - 1} test images no difference between strategies can be significant"
    )
    assert found(least)[0][0].real


def test_too_few_groups_are_called_groups() -> None:
    groups = np.arange(40) // 10
    outcomes = {f"s{i}": several(np.full((1, 40), i == 0), groups=groups) for i in range(2)}
    (found,) = compare(outcomes, "s0", 0)
    assert verdicts.comparison(found) == (
        "s0 and s1: with 4 groups no difference can be significant; at least 6 are needed"
    )


def test_headlines() -> None:
    two = duel(40, 14, 2000)
    tuned = "fine-tuning, the best on validation images, classifies 99.3 % of 2,000 test images correctly"
    assert line("finetune", two) == f"{tuned} and beats the other strategy"
    three = {**two, "scratch": answered(np.arange(2000) % 2 == 0)}
    assert line("finetune", three) == f"{tuned} and beats every other strategy"
    tied = {**two, "augmented": answered(np.arange(2000) >= 20), "base": answered(np.arange(2000) >= 16)}
    assert line("finetune", tied) == (
        f"{tuned}, but is not significantly different from base or the head on augmented views"
    )
    assert line("head", {"head": two["head"]}) == (
        "the plain head classifies 98.0 % of 2,000 test images correctly; no other strategy was evaluated"
    )


def test_the_headline_of_a_cross_validation_is_about_images_and_not_about_a_test_split() -> None:
    right = np.random.default_rng(0).random((1, 300)) < 0.9
    folds = (np.arange(300) % 5)[None]
    outcomes = {"head": several(right, folds), "finetune": several(np.ones((1, 300)), folds)}
    assert line("finetune", outcomes).startswith(
        "fine-tuning, the best on validation images, classifies 100.0 % of 300 images"
    )


def test_the_headline_says_where_the_test_contradicts_the_choice() -> None:
    half = answered(np.arange(2000) % 2 == 0)
    scored = {**duel(40, 14, 2000), "scratch": half, "scratch_augmented": half}
    assert line("scratch", scored) == (
        "training from scratch, the best on validation images, classifies 50.0 % of 2,000 test images correctly, but "
        "is beaten by fine-tuning and the plain head and is not significantly different from training from scratch "
        "with augmentation"
    )


def test_the_detectable_difference_in_words() -> None:
    found = compare(duel(40, 14, 2000), "finetune", 0)
    assert verdicts.detectable(found) == (
        "the smallest difference that 2,000 test images would detect with 80 % power is 1.3 points"
    )
    scored = {**duel(40, 14, 2000), "scratch": answered(np.arange(2000) % 2 == 0)}
    told = verdicts.detectable(with_strategy("finetune", compare(scored, "finetune", 0)))
    assert told.endswith("points, depending on the pair")


@pytest.mark.parametrize(
    ("only_head", "only_tuned", "margin", "weights", "expected"),
    [
        (
            14,
            16,
            0.01,
            40,
            "the plain head is at most 0.7 points worse than fine-tuning and trains 1/40 of its weights",
        ),
        (16, 14, 0.002, 40, ""),
        (10, 60, 0.01, 40, ""),
        (14, 16, 0.01, 1, ""),
        (60, 10, 0.01, 40, "the plain head is no worse than fine-tuning and trains 1/40 of its weights"),
    ],
)
def test_a_cheaper_strategy_will_do_only_where_the_interval_excludes_a_loss_that_matters(
    only_head: int, only_tuned: int, margin: float, weights: int, expected: str
) -> None:
    outcomes = duel(only_tuned, only_head, 2000)
    metrics = rows(outcomes, {"finetune": weights, "head": 1})
    found = verdicts.cheaper("finetune", metrics, compare(outcomes, "finetune", 0), margin)
    assert found == (f"{expected}: the cheaper one will do" if expected else "")


def test_classes_that_nobody_recognised_are_named() -> None:
    assert verdicts.never_recognised([]) == ""
    assert verdicts.never_recognised(["defect"]) == "no image of “defect” was recognised by any strategy"
    assert verdicts.never_recognised(["a", "b"]) == "no image of “a” or “b” was recognised by any strategy"
    assert verdicts.never_recognised(list("abcde")) == (
        "no image of “a”, “b”, “c” or 2 other classes was recognised by any strategy"
    )


def test_what_twice_the_images_would_gain_in_words() -> None:
    assert verdicts.doubling(Share(0.019, 0.012, 0.026), 2000) == (
        "doubling the training images would gain about 1.9 points (95 % interval 1.2 to 2.6)"
    )
    assert verdicts.doubling(Share(0.01, -0.01, 0.03), 300) == (
        "doubling the training images may gain nothing (about 1.0 points, 95 % interval \N{MINUS SIGN}1.0 to 3.0)"
    )


def test_where_a_strategy_is_sure_enough_in_words() -> None:
    found = {"threshold": 0.93, "coverage": {"value": 0.85}, "accuracy": {"value": 0.99, "low": 0.958, "high": 0.998}}
    assert verdicts.sure(found, 0.99, 200) == (
        "it is sure (probability 0.93 or more) on 85.0 % of the images, and of those 99.0 % are right "
        "(95 % interval 95.8 % to 99.8 %)"
    )
    assert verdicts.sure({**found, "accuracy": None}, 0.99, 200).endswith("it is sure of no other image")
    assert verdicts.sure(None, 0.99, 200) == "no threshold on its confidence made 99 % of the validation images right"


def test_verdicts_of_revisions() -> None:
    better = change(40, 14, 2000)
    assert verdicts.revision(revision(*better)) == (
        "40 fixed, 14 broken: better by 1.3 points (95 % interval 0.6 to 2.1, p = 0.0005)"
    )
    assert verdicts.revision(revision(*reversed(better))) == (
        "14 fixed, 40 broken: worse by 1.3 points (95 % interval \N{MINUS SIGN}2.1 to \N{MINUS SIGN}0.6, p = 0.0005)"
    )
    same = verdicts.revision(revision(better[0], better[0]))
    assert same.startswith("0 fixed, 0 broken: no significant difference (95 % interval ")


def test_a_change_that_the_correction_takes_back_says_so() -> None:
    pairs = {f"s{i}": change(20, 8, 2000) if i == 0 else change(5, 5, 2000) for i in range(5)}
    before, after = ({name: pair[side] for name, pair in pairs.items()} for side in (0, 1))
    said = verdicts.revision(compare_revisions(before, after, 0)["s0"])
    assert said == (
        "20 fixed, 8 broken: no significant difference (95 % interval 0.1 to 1.2, p = 0.18 after correction for 5 "
        "strategies, p = 0.036 before)"
    )


def test_a_change_on_few_images_shows_nothing() -> None:
    said = verdicts.revision(revision(*change(2, 1, 4)))
    assert said == "2 fixed, 1 broken: with 4 images no difference can be significant"
