"""Which strategy suits data like these: the usual four quadrants, read from what this run measured.

The usual advice asks whether the image set is small or large, and whether it is like the one that the base was trained
on (for example the notes of Stanford's CS231n, "Transfer learning"; Yosinski, Clune, Bengio and Lipson 2014, How
transferable are features in deep neural networks?, NIPS). Here neither is guessed. A set is small if doubling it
would gain more than the smallest difference that the test split detects. It is unlike the base's if fine-tuning the
base on it gains significantly.
"""

from collections.abc import Iterator
from typing import Literal, NamedTuple

from headstart.foundation.wording import count, percent, points, points_range
from headstart.statistics.intervals import Share
from headstart.statistics.paired import Comparison

Size = Literal["small", "large", "unknown"]
Fit = Literal["fits", "adapts", "unknown"]

# The strategies whose difference is what fine-tuning the base gains: the same classifier before and after it.
FROZEN, ADAPTED = "augmented", "finetune"
# The strategy that sees the same images as FROZEN and has no base: their difference is what the base is worth.
UNTRAINED = "scratch_augmented"

# If a linear classifier on the frozen features gets less than this far from guessing (0) to perfect (1), the features
# can't be said to fit only because fine-tuning did not help either.
_LEAST_SEPARATED = 0.5


class Evidence(NamedTuple):
    """What was measured.

    Attributes:
        train_images: how many training images.
        test_images: how many test images.
        classes: how many classes.
        doubling: what doubling the training images would add, by the learning curve; None if there is none.
        detectable: the smallest difference that the test split could have detected; None if it could detect none.
        frozen_accuracy: cross-validated accuracy of a classifier on the frozen features, over all images.
        adapting: the comparison of FROZEN with ADAPTED; None if they were not both evaluated.
        pretraining: the comparison of UNTRAINED with FROZEN; None if they were not both evaluated.
        unfreeze: how many layers were fine-tuned.
        blocks: how many layers to fine-tune to start at each of the base's blocks, the last block's first.
        usual_side: of the images that the base was trained on, pixels: larger ones gain little.
        labels_counted_wrong: how many labels confident learning considers wrong.
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
    """Something to try next, as a sentence, and the command for it; "" if there is none."""

    text: str
    command: str = ""


class Reading(NamedTuple):
    """What the evidence says.

    Attributes:
        title: the quadrant in a few words.
        found: sentences, one per measurement.
        steps: what to try next, the most promising first.
    """

    title: str
    found: list[str]
    steps: list[Step]


def read(evidence: Evidence) -> Reading:
    """Turn the evidence into a reading and into what to try next."""
    size, about_size = _size(evidence)
    fit, about_fit = _fit(evidence)
    sizes = {
        "small": "The set is small",
        "large": "The set is large enough",
        "unknown": "It is unclear whether the set is large enough",
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
    ("small", "fits"): "The usual advice for a small set that resembles the base's own: train a new classifier on the "
    "frozen base.",
    ("small", "adapts"): "The usual advice for a small set unlike the base's own: fine-tune few layers, at a low rate, "
    "and collect more images first.",
    ("large", "fits"): "The usual advice for a large set that resembles the base's own: fine-tuning is safe, though "
    "there is little left to gain.",
    ("large", "adapts"): "The usual advice for a large set unlike the base's own: fine-tune as much of the base as the "
    "number of images allows.",
}


def _size(evidence: Evidence) -> tuple[Size, str]:
    images = count(evidence.train_images, "training image")
    if evidence.doubling is None or evidence.detectable is None:
        lacking = "no learning curve was drawn" if evidence.doubling is None else "the test split is too small to say"
        return "unknown", f"It is unclear whether {images} are few or many for this task: {lacking}."
    tests = evidence.test_images
    gain, low, high = evidence.doubling.value, evidence.doubling.low, evidence.doubling.high
    doubled = f"Doubling the {images} would gain about {points(gain, tests)} points ({points_range(low, high, tests)})"
    limit = f"{points(evidence.detectable, tests)} points, the least that this test split would detect"
    if gain >= evidence.detectable:
        return "small", f"{doubled}, more than {limit}. More images would help, so the set is small."
    return "large", f"{doubled}, less than {limit}. More of the same would hardly help, so the set is large enough."


def _separation(evidence: Evidence) -> str:
    return (
        "In cross-validation over all images, a logistic regression on the frozen base's features classifies "
        f"{percent(evidence.frozen_accuracy, evidence.test_images)} correctly; guessing would get "
        f"{percent(1 / evidence.classes, evidence.test_images)}."
    )


def _pretraining(evidence: Evidence) -> Iterator[str]:
    duel = evidence.pretraining
    if duel is None or not duel.decidable:
        return
    gain, span = points(duel.difference, duel.images), points_range(duel.low, duel.high, duel.images)
    if not duel.real:
        yield "Training from scratch and the head on the frozen base are not significantly different."
    elif duel.first == FROZEN:
        yield f"The pretrained base gains {gain} points ({span}) over training from scratch."
    else:
        yield f"Training from scratch beats the frozen base by {gain} points ({span}): the base's features do not fit."


def _fit(evidence: Evidence) -> tuple[Fit, str]:
    duel = evidence.adapting
    if duel is None:
        return "unknown", "What fine-tuning the base would gain was not measured."
    turn = 1 if duel.first == ADAPTED else -1
    low, high = sorted((turn * duel.low, turn * duel.high))
    gain = points(abs(duel.difference), duel.images)
    span = points_range(low, high, duel.images)
    layers = f"Fine-tuning the base's last {count(evidence.unfreeze, 'layer')}"
    if not duel.decidable:
        return "unknown", f"{layers} was tried, but the test split is too small to say what it gains."
    if duel.real and turn > 0:
        return "adapts", f"{layers} gains {gain} points ({span}): the frozen features did not fit completely."
    if duel.real:
        return "fits", f"{layers} loses {gain} points ({span}): the frozen features did better."
    chance = 1 / evidence.classes
    separated = (evidence.frozen_accuracy - chance) / (1 - chance)
    same = f"{layers} makes no significant difference ({span} points)"
    if separated < _LEAST_SEPARATED:
        return "unknown", f"{same}, and neither with nor without it are the classes separated well."
    return "fits", f"{same}: the frozen features are good enough."


def _steps(evidence: Evidence, size: Size, fit: Fit) -> list[Step]:
    steps = []
    if evidence.labels_counted_wrong:
        wrong = count(evidence.labels_counted_wrong, "label")
        steps.append(Step(f"Look at the suspect images below: {wrong} may be wrong, and no strategy can fix that."))
    if evidence.detectable is None:
        steps.append(Step("Use more test images: with so few, no difference between strategies can be significant."))
    if size == "small":
        steps.append(Step("Collect more training images, above all of the classes that are confused most often."))
        steps.append(Step("Use more augmented views of the images you have.", _queue("extract_features.views=8,16")))
    deeper = next((layers for layers in evidence.blocks if layers > evidence.unfreeze), None)
    if deeper and (fit != "fits" or size == "large"):
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
