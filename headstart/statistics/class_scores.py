"""How each class fares, and scores in which a rare class counts as much as a common one."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.metrics import average_precision_score

from headstart.foundation.array_types import BoolArray, FloatArray, IntArray
from headstart.statistics import scoring
from headstart.statistics.intervals import Share, WeightedMetric
from headstart.statistics.outcome import Outcome


@dataclass(frozen=True, slots=True)
class Recall:
    """Of so many ``images`` of class ``number``, the share classified correctly, with its 95 % interval."""

    number: int
    images: int
    share: Share


def recalls(tested: Outcome) -> list[Recall]:
    """The recall of every class that has images, the worst first; of equals the one with more images."""
    right = tested.right
    found = []
    for k in np.unique(tested.labels):
        own = tested.labels == k
        found.append(Recall(int(k), int(own.sum()), tested.share(right, own)))
    return sorted(found, key=lambda recall: (recall.share.value, -recall.images, recall.number))


def never_recognised(strategies: Sequence[Outcome]) -> list[int]:
    """The classes of which no run of any strategy classified a single image correctly."""
    right: BoolArray = np.any(np.concatenate([one.right for one in strategies]), axis=0)
    labels = strategies[0].labels
    return [int(k) for k in np.unique(labels) if not right[labels == k].any()]


def balanced_accuracy(recall: list[Recall]) -> Share:
    """The mean recall of the classes ("macro recall"), with an interval recovered from those of the classes.

    Zou and Donner (2008), Stat. Med. 27, 1693-1702: the squared distances of the ends add up. Unlike a normal
    interval it stays open where every image of a class is right.

    Args:
        recall: of each class, at least one.
    """
    values, lows, highs = np.array([(one.share.value, one.share.low, one.share.high) for one in recall]).T
    mean = float(values.mean())
    below, above = (float(np.sqrt(np.square(ends - values).sum())) / len(recall) for ends in (lows, highs))
    return Share(mean, max(0.0, mean - below), min(1.0, mean + above))


def majority(train_labels: IntArray, test_labels: IntArray) -> float:
    """The accuracy of always answering the class that most training images have (of equals the first)."""
    return float((test_labels == np.bincount(train_labels).argmax()).mean())


def average_precision(labels: IntArray, probabilities: FloatArray, positive: int | None = None) -> float | None:
    """The area under the precision-recall curve, as scikit-learn's ``average_precision_score``.

    Of the class ``positive``, or the mean over the classes that some images belong to and some don't. None if there is
    no such class.
    """
    asked = _ranked(labels, probabilities.shape[1], positive)
    if not asked:
        return None
    return float(np.mean([average_precision_score(labels == k, probabilities[:, k]) for k in asked]))


def weighted_average_precision(
    labels: IntArray, probabilities: FloatArray, positive: int | None = None
) -> WeightedMetric:
    """The same of weighted images; classes that the weights leave without images are left out."""
    rankings = []
    for k in _ranked(labels, probabilities.shape[1], positive):
        order = np.argsort(-probabilities[:, k], kind="stable")
        ranked = probabilities[order, k]
        # Images with one score come in together.
        rankings.append((order, (labels[order] == k).astype(np.float64)[:, None], scoring.ends_of_ties(ranked)))

    def metric(weights: FloatArray) -> FloatArray:
        total, defined = np.zeros(weights.shape[1]), np.zeros(weights.shape[1])
        for order, belongs, ends in rankings:
            ranked = weights[order]
            found = np.cumsum(ranked * belongs, axis=0)[ends]  # (distinct scores, columns)
            returned = np.cumsum(ranked, axis=0)[ends]
            precision = np.divide(found, returned, out=np.zeros_like(found), where=returned > 0)
            gained = np.diff(found, axis=0, prepend=0.0)
            own = found[-1]
            area = np.divide((gained * precision).sum(axis=0), own, out=np.zeros_like(own), where=own > 0)
            total += area
            defined += own > 0
        return np.divide(total, defined, out=np.full_like(total, np.nan), where=defined > 0)

    return metric


def _ranked(labels: IntArray, classes: int, positive: int | None) -> list[int]:
    asked = range(classes) if positive is None else [positive]
    return [k for k in asked if 0 < (labels == k).sum() < len(labels)]
