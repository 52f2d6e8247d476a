"""Answering only where the model is sure: how many images that leaves, and how many of those are right.

The confidence of a prediction is the probability of its most probable class. El-Yaniv and Wiener (2010), J. Mach.
Learn. Res. 11, 1605-1641; Geifman and El-Yaniv (2017), Selective classification for deep neural networks, NIPS.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from headstart.foundation.array_types import FloatArray, IntArray
from headstart.statistics import scoring
from headstart.statistics.intervals import Share
from headstart.statistics.outcome import Outcome


class CoverageCurve(NamedTuple):
    """One row per threshold, from the most confident images alone to all of them."""

    thresholds: FloatArray  # the confidence from which on images are answered, falling, shape (thresholds,)
    coverage: FloatArray  # share of images answered
    accuracy: FloatArray  # share of those that are right


@dataclass(frozen=True, slots=True)
class Selected:
    """What a threshold does on images it wasn't chosen on.

    ``coverage`` and ``accuracy`` have 95 % intervals; the accuracy is None where no image is sure enough.
    """

    threshold: float
    coverage: Share
    accuracy: Share | None


def coverage_curve(labels: IntArray, probabilities: FloatArray) -> CoverageCurve:
    """Coverage and accuracy at every confidence that an image has.

    Args:
        labels: class numbers, shape (images,).
        probabilities: shape (images, classes).
    """
    confidences = probabilities.max(axis=1)
    order = np.argsort(-confidences, kind="stable")
    ranked = confidences[order]
    right = np.cumsum((scoring.predicted_classes(probabilities) == labels)[order])
    ends = scoring.ends_of_ties(ranked)
    answered = ends + 1
    return CoverageCurve(ranked[ends], answered / len(labels), right[ends] / answered)


def threshold(labels: IntArray, probabilities: FloatArray, target: float) -> float | None:
    """The lowest confidence from which on validation images reach the target accuracy; None if none does.

    Args:
        labels: of the validation images, shape (images,).
        probabilities: shape (images, classes).
        target: share of answered images that shall be right, above 0.
    """
    curve = coverage_curve(labels, probabilities)
    reached = np.flatnonzero(curve.accuracy >= target)
    return float(curve.thresholds[reached[-1]]) if reached.size else None


def selected(tested: Outcome, confidence: float) -> Selected:
    """How many test images are answered from this confidence on, and how many of those are right, in the first run.

    Args:
        tested: the strategy on the test images.
        confidence: from :func:`threshold` on validation images.
    """
    once = tested.first(1)
    sure = once.probabilities.max(axis=2) >= confidence
    return Selected(confidence, once.share(sure), once.share(once.right, sure[0]) if sure.any() else None)
