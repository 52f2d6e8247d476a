"""The reading of a run follows from what was measured, and says no more than that."""

from typing import Any

import numpy as np
import pytest

from headstart.page import advice
from headstart.page.advice import Evidence
from headstart.statistics.comparisons import Comparison, compare
from headstart.statistics.intervals import Share
from tests.outcomes import answered


def duel(only_other: int, only_augmented: int, images: int = 2000, other: str = "finetune") -> Comparison:
    """A strategy minus the head on augmented views: how many images only the one and only the other got right.

    For training from scratch the other way round, as the reading takes them.
    """
    augmented, others = np.ones(images, bool), np.ones(images, bool)
    augmented[:only_other] = False
    others[only_other : only_other + only_augmented] = False
    (found,) = compare({"augmented": answered(augmented), other: answered(others)}, "augmented", 0)
    return found.of(advice.FROZEN if other == advice.UNTRAINED else other)


def evidence(duel: Comparison, gain: float = 0.03, **changes: Any) -> Evidence:
    usual = Evidence(
        train_images=300,
        test_images=2000,
        guessing=0.5,
        margin=0.01,
        doubling=Share(gain, gain - 0.005, gain + 0.005),
        detectable=0.01,
        frozen_accuracy=0.95,
        adapting=duel,
        pretraining=None,
        unfreeze=4,
        blocks=[4, 8, 12, 15, 18],
        usual_side=224,
        labels_counted_wrong=0,
        image_size=180,
        typical_side=180,
    )
    return usual._replace(**changes)


@pytest.mark.parametrize(
    ("gain", "finetune", "augmented", "title", "usual"),
    [
        (0.03, 10, 10, "The set is small, and the base's features fit", "train a new classifier on the frozen base"),
        (0.03, 60, 10, "The set is small, and the base gains from fine-tuning", "few layers, at a low rate"),
        (0.004, 10, 10, "The set is large enough, and the base's features fit", "fine-tuning is safe"),
        (0.004, 60, 10, "The set is large enough, and the base gains from fine-tuning", "as much of the base"),
    ],
)
def test_the_four_quadrants(gain: float, finetune: int, augmented: int, title: str, usual: str) -> None:
    reading = advice.read(evidence(duel(finetune, augmented), gain))
    assert reading.title == title
    assert usual in reading.found[-1]


def test_a_loss_by_fine_tuning_means_that_the_features_fit() -> None:
    reading = advice.read(evidence(duel(10, 60)))
    assert reading.title.endswith("and the base's features fit")
    assert "loses 2.5 points (−3.4 to −1.7): the frozen features did better" in reading.found[2]


def test_a_gain_is_given_with_its_interval() -> None:
    assert "gains 2.5 points (1.7 to 3.4)" in advice.read(evidence(duel(60, 10))).found[2]


def test_what_no_strategy_separates_is_not_said_to_fit() -> None:
    reading = advice.read(evidence(duel(10, 10), frozen_accuracy=0.6))
    assert "it is unclear whether the base's features fit" in reading.title
    assert "neither with nor without it are the classes separated well" in reading.found[2]
    assert len(reading.found) == 3


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"doubling": None}, "no learning curve was drawn"),
        ({"doubling": Share(0.01, -0.01, 0.03)}, "it may be nothing, or more than the 1.0 point that matter here"),
        ({"adapting": duel(60, 45)}, "may gain up to 1.8 points, or nothing (−0.3 to 1.8)"),
        ({"adapting": None}, "What fine-tuning the base would gain was not measured"),
        ({"adapting": duel(1, 0, images=4)}, "there are too few test images to say what it gains"),
    ],
)
def test_what_was_not_measured_stays_open(changes: dict[str, Any], expected: str) -> None:
    reading = advice.read(evidence(duel(10, 10), **changes))
    assert any(expected in found for found in reading.found)
    assert not any("usual advice" in found for found in reading.found)


@pytest.mark.parametrize(
    ("scratch", "augmented", "expected"),
    [
        (20, 320, "The pretrained base gains 15.0 points (13.4 to 16.7) over training from scratch."),
        (30, 30, "Training from scratch and the head on the frozen base are not significantly different (−0.8 to 0.8"),
        (90, 10, "Training from scratch beats the frozen base by 4.0 points (3.1 to 5.0): the base's features"),
    ],
)
def test_what_the_base_is_worth_is_said(scratch: int, augmented: int, expected: str) -> None:
    against = duel(scratch, augmented, other=advice.UNTRAINED)
    assert any(found.startswith(expected) for found in advice.read(evidence(duel(10, 10), pretraining=against)).found)


@pytest.mark.parametrize("against", [None, duel(1, 0, images=4, other=advice.UNTRAINED)])
def test_what_the_base_is_worth_stays_open_where_nothing_shows_it(against: Comparison | None) -> None:
    found = advice.read(evidence(duel(10, 10), pretraining=against)).found
    assert not any("from scratch" in sentence for sentence in found)


def test_guessing_is_always_answering_the_most_frequent_class() -> None:
    assert "most frequent class would get 85.7 %" in advice.read(evidence(duel(10, 10), guessing=0.857)).found[1]


def test_a_smaller_test_split_never_makes_the_training_set_large() -> None:
    """60 test images, a gain of 8 points (5 to 11): fewer than they can detect, and worth having all the same."""
    small = evidence(duel(1, 1, images=60), doubling=Share(0.08, 0.05, 0.11), test_images=60, detectable=0.184)
    assert advice.read(small).title.startswith("The set is small")
    assert advice.read(small._replace(margin=0.2)).title.startswith("The set is large enough")


def test_no_significant_gain_is_not_enough_to_say_that_the_features_fit() -> None:
    """Of 60 images 3 are discordant: fine-tuning may be 10 points better for all that anybody knows."""
    found = advice.read(evidence(duel(2, 1, images=60)))
    assert "it is unclear whether the base's features fit" in found.title
    fits = advice.read(evidence(duel(10, 10)))
    assert "gains at most 0.5 points (−0.5 to 0.5): the frozen features are good enough" in fits.found[2]


def commands(**changes: Any) -> list[str]:
    return [step.command for step in advice.read(evidence(duel(60, 10), **changes)).steps]


def test_more_of_the_base_is_unfrozen_while_there_is_more() -> None:
    assert "dvc exp run -S finetune.unfreeze=8" in commands()
    assert not any("unfreeze" in command for command in commands(unfreeze=18))


def test_larger_images_are_advised_only_if_there_are_some() -> None:
    assert "dvc exp run -S extract_features.image_size=224" in commands(typical_side=500)
    assert not any("image_size" in command for command in commands(typical_side=190))


def test_wrong_labels_and_few_test_images_come_first() -> None:
    steps = advice.read(evidence(duel(10, 10), labels_counted_wrong=7, detectable=None)).steps
    assert "7 labels may be wrong" in steps[0].text
    assert steps[1].text.startswith("Use more test images")
