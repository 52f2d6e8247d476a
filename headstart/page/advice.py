"""Which strategy for data like these: the textbook's four quadrants, read from what this run measured.

The textbook asks whether the image set is small or large, and whether it is like the one that the base was trained
on (for example the notes of Stanford's CS231n, "Transfer learning"; Yosinski, Clune, Bengio and Lipson 2014, How
transferable are features in deep neural networks?, NIPS). Here neither is guessed. A set is small if twice as many
images would gain more than the test split could overlook. It is unlike the base's if adapting the base to it gains
something real.
"""

from collections.abc import Iterator
from typing import Literal, NamedTuple

from headstart.foundation.wording import count, percent, points, points_range
from headstart.statistics.intervals import Share
from headstart.statistics.paired import Comparison

Size = Literal["small", "large", "unknown"]
Fit = Literal["fits", "adapts", "unknown"]

# The strategies whose difference is what adapting the base is worth: the same classifier before and after it.
FROZEN, ADAPTED = "augmented", "finetune"
# The strategy that sees the images as FROZEN does and has no base: their difference is what the base is worth.
UNTRAINED = "scratch_augmented"

# Frozen features that a linear classifier can make less of than this, as a share of what guessing leaves open,
# can't be said to fit only because fine-tuning did not help either.
_LEAST_SEPARATED = 0.5


class Evidence(NamedTuple):
    """What was measured.

    Attributes:
        train_images: how many training images.
        test_images: how many test images.
        classes: how many classes.
        doubling: what twice the training images would add, by the learning curve; None if there is none.
        detectable: the smallest difference that the test split could have shown; None if it could show none.
        frozen_accuracy: share of all images that a classifier on the frozen features places right, out of sample.
        adapting: the comparison of FROZEN with ADAPTED; None if they were not both scored.
        pretraining: the comparison of UNTRAINED with FROZEN; None if they were not both scored.
        unfreeze: how many layers were adapted.
        blocks: how many layers to adapt to begin at each of the base's blocks, the last block's first.
        usual_side: of the images that the base was trained on, pixels: beyond it larger ones gain little.
        labels_counted_wrong: by confident learning.
        image_size: what the base sees, pixels a side.
        typical_side: of the images as they are, the median of their shorter sides in pixels.
    """

    train_images: int
    test_images: int
    classes: int
    doubling: Share | None
    detectable: float | None
    frozen_accuracy: float
    adapting: Comparison | None
    pretraining: Comparison | None
    unfreeze: int
    blocks: list[int]
    usual_side: int
    labels_counted_wrong: int
    image_size: int
    typical_side: int


class Step(NamedTuple):
    """Something to try next, as a sentence, and the command for it; "" where it takes none."""

    text: str
    command: str = ""


class Reading(NamedTuple):
    """What the evidence says.

    Attributes:
        title: the quadrant in a few words.
        found: sentences, a measurement each.
        steps: what to try next, the most promising first.
    """

    title: str
    found: list[str]
    steps: list[Step]


def read(evidence: Evidence) -> Reading:
    """Turn the evidence into a reading and into what to try next."""
    size, about_size = _size(evidence)
    fit, about_fit = _fit(evidence)
    sizes = {"small": "A small set", "large": "A set that is large enough", "unknown": "A set of unknown size"}
    fits = {
        "fits": "that the base's features fit",
        "adapts": "that the base gains by adapting to",
        "unknown": "of which it is open whether the base's features fit",
    }
    found = [about_size, _separation(evidence), *_pretraining(evidence), about_fit]
    if textbook := _TEXTBOOK.get((size, fit)):
        found.append(textbook)
    return Reading(f"{sizes[size]} {fits[fit]}", found, _steps(evidence, size, fit))


_TEXTBOOK = {
    ("small", "fits"): "For a small set like the base's own the textbook trains a new classifier on the frozen base.",
    (
        "small",
        "adapts",
    ): "For a small set unlike the base's own the textbook adapts little, at a low rate, and asks for "
    "more images first of all.",
    (
        "large",
        "fits",
    ): "For a large set like the base's own the textbook fine-tunes with confidence, though there is not "
    "much left to gain.",
    ("large", "adapts"): "For a large set unlike the base's own the textbook adapts as much of the base as the images "
    "allow.",
}


def _size(evidence: Evidence) -> tuple[Size, str]:
    images = count(evidence.train_images, "training image")
    if evidence.doubling is None or evidence.detectable is None:
        lacking = "no learning curve was drawn" if evidence.doubling is None else "the test split is too small to tell"
        return "unknown", f"Whether {images} are few or many for this task is open: {lacking}."
    tests = evidence.test_images
    gain, low, high = evidence.doubling.value, evidence.doubling.low, evidence.doubling.high
    told = f"Twice the {images} would gain about {points(gain, tests)} points ({points_range(low, high, tests)})"
    limit = f"{points(evidence.detectable, tests)} points, the least that this test split would show"
    if gain >= evidence.detectable:
        return "small", f"{told}: more than {limit}. More images still pay, so the set is small."
    return "large", f"{told}: less than {limit}. More images of the same kind hardly pay, so the set is large enough."


def _separation(evidence: Evidence) -> str:
    return (
        "A logistic regression on the frozen base's features places "
        f"{percent(evidence.frozen_accuracy, evidence.test_images)} of all images right, each judged by one that never "
        f"saw it; guessing would place {percent(1 / evidence.classes, evidence.test_images)}."
    )


def _pretraining(evidence: Evidence) -> Iterator[str]:
    duel = evidence.pretraining
    if duel is None or not duel.decidable:
        return
    gain, span = points(duel.difference, duel.images), points_range(duel.low, duel.high, duel.images)
    if not duel.real:
        yield "Training from scratch does as well as the frozen base, as far as the test split can show."
    elif duel.first == FROZEN:
        yield f"The pretrained base is worth {gain} points ({span}): so much less does training from scratch reach."
    else:
        yield f"Training from scratch beats the frozen base by {gain} points ({span}): its features suit other images."


def _fit(evidence: Evidence) -> tuple[Fit, str]:
    duel = evidence.adapting
    if duel is None:
        return "unknown", "What adapting the base is worth was not measured."
    turn = 1 if duel.first == ADAPTED else -1
    low, high = sorted((turn * duel.low, turn * duel.high))
    gain = points(abs(duel.difference), duel.images)
    span = points_range(low, high, duel.images)
    layers = f"Adapting the base's last {count(evidence.unfreeze, 'layer')}"
    if not duel.decidable:
        return "unknown", f"{layers} was tried, but the test split is too small to tell what it is worth."
    if duel.real and turn > 0:
        return "adapts", f"{layers} gains {gain} points ({span}): as they were, its features did not fit all the way."
    if duel.real:
        return "fits", f"{layers} loses {gain} points ({span}): its features did better as they were."
    chance = 1 / evidence.classes
    separated = (evidence.frozen_accuracy - chance) / (1 - chance)
    told = f"{layers} changes nothing that the test split can show ({span} points)"
    if separated < _LEAST_SEPARATED:
        return "unknown", f"{told}, and neither way are the classes told apart well."
    return "fits", f"{told}: the features serve as they are."


def _steps(evidence: Evidence, size: Size, fit: Fit) -> list[Step]:
    steps = []
    if evidence.labels_counted_wrong:
        wrong = count(evidence.labels_counted_wrong, "label")
        steps.append(Step(f"Look at the suspect images below: {wrong} may be wrong, and no strategy can mend that."))
    if evidence.detectable is None:
        steps.append(Step("Test on more images: without them no strategy can be told from another."))
    if size == "small":
        steps.append(Step("Collect more training images, of the classes that are confused most."))
        steps.append(
            Step("Make more of those you have, by more augmented views.", _queue("extract_features.views=8,16"))
        )
    deeper = next((layers for layers in evidence.blocks if layers > evidence.unfreeze), None)
    if deeper and (fit != "fits" or size == "large"):
        steps.append(Step("Adapt one more block of the base.", f"dvc exp run -S finetune.unfreeze={deeper}"))
    if fit == "fits":
        steps.append(
            Step("Look for a better classifier: it costs seconds.", _queue("train_augmented.pooling=flatten,average"))
        )
    larger = min(evidence.typical_side, evidence.usual_side)
    if larger >= 1.1 * evidence.image_size:
        sides = f"these have {evidence.typical_side} pixels a side, it sees {evidence.image_size}"
        steps.append(
            Step(f"Show the base larger images: {sides}.", f"dvc exp run -S extract_features.image_size={larger}")
        )
    return steps


def _queue(change: str) -> str:
    return f"dvc exp run --queue -S '{change}' && dvc queue start"
