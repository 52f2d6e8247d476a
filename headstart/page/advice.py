"""Which strategy suits data like these: the usual four quadrants, read from what this run measured.

The usual advice asks whether the image set is small or large, and whether it is like the one that the base was trained
on (for example the notes of Stanford's CS231n, "Transfer learning"; Yosinski, Clune, Bengio and Lipson 2014, How
transferable are features in deep neural networks?, NIPS). Here neither is guessed. A set is small if doubling it
would gain something for sure, and large enough if it would gain less than the margin for sure. It is unlike the base's
if fine-tuning the base on it gains significantly, and like it if that gains less than the margin for sure.
"""

from collections.abc import Iterator
from typing import Literal, NamedTuple

from headstart.foundation.wording import count, percent, points, points_range
from headstart.statistics.comparisons import Comparison
from headstart.statistics.decisions import Amount, amount, at_most_worse
from headstart.statistics.intervals import Share

Fit = Literal["fits", "adapts", "unknown"]

# The strategies whose difference is what fine-tuning the base gains: the same classifier before and after it.
FROZEN, ADAPTED = "augmented", "finetune"
# The strategy that sees the same images as FROZEN and has no base: their difference is what the base is worth.
UNTRAINED = "scratch_augmented"

# If a linear classifier on the frozen features gets less than this far from guessing (0) to perfect (1), the features
# can't be said to fit only because fine-tuning did not help either.
_LEAST_SEPARATED = 0.5
_TINY = 1e-9
_ONE_POINT = 0.01


class Evidence(NamedTuple):
    """What was measured."""

    train_images: int  # how many training images
    test_images: int  # how many test images
    guessing: float  # accuracy of always answering the class with the most training images
    margin: float  # the difference in accuracy that doesn't matter
    doubling: Share | None  # what doubling the training images would add, by the learning curve; None if there is none
    # The smallest difference that the test split could have detected; None if it could detect none.
    detectable: float | None
    frozen_accuracy: float  # cross-validated accuracy of a classifier on the frozen features, over all images
    adapting: Comparison | None  # ADAPTED minus FROZEN; None if they were not both evaluated
    pretraining: Comparison | None  # FROZEN minus UNTRAINED; None if they were not both evaluated
    unfreeze: int  # how many layers were fine-tuned
    blocks: list[int]  # how many layers to fine-tune to start at each of the base's blocks, the last block's first
    usual_side: int  # of the images that the base was trained on, pixels: larger ones gain little
    labels_counted_wrong: int  # how many labels confident learning considers wrong
    image_size: int  # what the base sees, pixels a side
    typical_side: int  # of the images as they are, the median of their shorter sides in pixels


class Step(NamedTuple):
    """Something to try next, as a sentence, and the command for it; "" if there is none."""

    text: str
    command: str = ""


class Reading(NamedTuple):
    """What the evidence says."""

    title: str  # the quadrant in a few words
    found: list[str]  # sentences, one per measurement
    steps: list[Step]  # what to try next, the most promising first


def read(evidence: Evidence) -> Reading:
    """Turn the evidence into a reading and into what to try next."""
    size, about_size = _size(evidence)
    fit, about_fit = _fit(evidence)
    sizes = {
        Amount.SMALL: "The set is small",
        Amount.LARGE: "The set is large enough",
        Amount.OPEN: "It is unclear whether the set is large enough",
    }
    fits = {
        "fits": "the base's features fit",
        "adapts": "the base gains from fine-tuning",
        "unknown": "it is unclear whether the base's features fit",
    }
    found = [about_size, _separation(evidence), *_pretraining(evidence), about_fit]
    if usual := _USUAL_ADVICE.get((size, fit)):
        found.append(usual)
    return Reading(f"{sizes[size]}, and {fits[fit]}", found, _steps(evidence, size, fit))


_USUAL_ADVICE = {
    (
        Amount.SMALL,
        "fits",
    ): "The usual advice for a small set that resembles the base's own: train a new classifier on the frozen base.",
    (
        Amount.SMALL,
        "adapts",
    ): "The usual advice for a small set unlike the base's own: fine-tune few layers, at a low rate, "
    "and collect more images first.",
    (
        Amount.LARGE,
        "fits",
    ): "The usual advice for a large set that resembles the base's own: fine-tuning is safe, though "
    "there is little left to gain.",
    (
        Amount.LARGE,
        "adapts",
    ): "The usual advice for a large set unlike the base's own: fine-tune as much of the base as the "
    "number of images allows.",
}


def _size(evidence: Evidence) -> tuple[Amount, str]:
    images = count(evidence.train_images, "training image")
    size = amount(evidence.doubling, evidence.margin)
    if evidence.doubling is None:
        return size, f"It is unclear whether {images} are few or many for this task: no learning curve was drawn."
    tests = evidence.test_images
    gain, low, high = evidence.doubling.value, evidence.doubling.low, evidence.doubling.high
    doubled = f"Doubling the {images} would gain about {points(gain, tests)} points ({points_range(low, high, tests)})"
    margin = f"{points(evidence.margin, tests)} {'point' if evidence.margin == _ONE_POINT else 'points'}"
    if size == Amount.LARGE:
        return size, f"{doubled}, less than the {margin} that matter here: the set is large enough."
    if size == Amount.SMALL:
        return size, f"{doubled}: more images would help, so the set is small."
    return size, f"{doubled}: it may be nothing, or more than the {margin} that matter here."


def _separation(evidence: Evidence) -> str:
    return (
        "In cross-validation over all images, a logistic regression on the frozen base's features classifies "
        f"{percent(evidence.frozen_accuracy, evidence.test_images)} correctly; always answering the most frequent "
        f"class would get {percent(evidence.guessing, evidence.test_images)}."
    )


def _pretraining(evidence: Evidence) -> Iterator[str]:
    duel = evidence.pretraining  # the head on the frozen base minus training from scratch
    if duel is None or not duel.decidable:
        return
    gain, span = points(abs(duel.difference), duel.images), points_range(duel.low, duel.high, duel.images)
    if not duel.by_itself:
        yield (
            "Training from scratch and the head on the frozen base are not significantly different "
            f"({span} points in the head's favour)."
        )
    elif duel.difference > 0:
        yield f"The pretrained base gains {gain} points ({span}) over training from scratch."
    else:
        lost = points_range(-duel.high, -duel.low, duel.images)
        yield f"Training from scratch beats the frozen base by {gain} points ({lost}): the base's features do not fit."


def _fit(evidence: Evidence) -> tuple[Fit, str]:
    duel = evidence.adapting  # fine-tuning minus the same head on the frozen base
    if duel is None:
        return "unknown", "What fine-tuning the base would gain was not measured."
    gain = points(abs(duel.difference), duel.images)
    span = points_range(duel.low, duel.high, duel.images)
    layers = f"Fine-tuning the base's last {count(evidence.unfreeze, 'layer')}"
    if not duel.decidable:
        return "unknown", f"{layers} was tried, but there are too few test images to say what it gains."
    if duel.by_itself and duel.difference > 0:
        return "adapts", f"{layers} gains {gain} points ({span}): the frozen features did not fit completely."
    if duel.by_itself:
        return "fits", f"{layers} loses {gain} points ({span}): the frozen features did better."
    separated = (evidence.frozen_accuracy - evidence.guessing) / max(1 - evidence.guessing, _TINY)
    if separated < _LEAST_SEPARATED:
        same = f"{layers} makes no significant difference ({span} points)"
        return "unknown", f"{same}, and neither with nor without it are the classes separated well."
    if at_most_worse(-duel.high, evidence.margin) is None:
        most = points(duel.high, duel.images)
        return "unknown", f"{layers} may gain up to {most} points, or nothing ({span}): these images leave it open."
    most = points(max(duel.high, 0.0), duel.images)
    return "fits", f"{layers} gains at most {most} points ({span}): the frozen features are good enough."


def _steps(evidence: Evidence, size: Amount, fit: Fit) -> list[Step]:
    steps = []
    if evidence.labels_counted_wrong:
        wrong = count(evidence.labels_counted_wrong, "label")
        steps.append(Step(f"Look at the suspect images below: {wrong} may be wrong, and no strategy can fix that."))
    if evidence.detectable is None:
        steps.append(Step("Use more test images: with so few, no difference between strategies can be significant."))
    if size == Amount.SMALL:
        steps.append(Step("Collect more training images, above all of the classes that are confused most often."))
        steps.append(Step("Use more augmented views of the images you have.", _queue("extract_features.views=8,16")))
    deeper = next((layers for layers in evidence.blocks if layers > evidence.unfreeze), None)
    if deeper and (fit != "fits" or size == Amount.LARGE):
        steps.append(Step("Fine-tune one more block of the base.", f"dvc exp run -S finetune.unfreeze={deeper}"))
    if fit == "fits":
        steps.append(Step("Try other heads: each takes seconds.", _queue("train_augmented.pooling=flatten,average")))
    larger = min(evidence.typical_side, evidence.usual_side)
    if larger >= 1.1 * evidence.image_size:
        sides = f"these have {evidence.typical_side} pixels a side, the base sees {evidence.image_size}"
        steps.append(Step(f"Use larger images: {sides}.", f"dvc exp run -S extract_features.image_size={larger}"))
    return steps


def _queue(change: str) -> str:
    return f"dvc exp run --queue -S '{change}' && dvc queue start"
