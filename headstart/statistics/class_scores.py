"""How each class fares, and scores in which a rare class counts as much as a common one."""

from dataclasses import dataclass

import numpy as np
from sklearn.metrics import average_precision_score

from headstart.foundation.array_types import FloatArray, IntArray
from headstart.statistics import clusters, scoring
from headstart.statistics.intervals import (
    RESAMPLES,
    Estimate,
    Share,
    WeightedMetric,
    bca,
    bootstrap_weights,
    jackknife_weights,
    over_blocks,
)


@dataclass(frozen=True, slots=True)
class Recall:
    """Of the images of one class, how many were classified correctly: the share has Wilson's interval."""

    number: int
    images: int
    right: int
    share: Share


def recalls(labels: IntArray, probabilities: FloatArray, groups: IntArray | None = None) -> list[Recall]:
    """The recall of every class that has images, the worst first; of equals the one with more images.

    Args:
        labels: class numbers, shape (images,).
        probabilities: shape (images, classes).
        groups: group numbers, shape (images,), or None.
    """
    right = scoring.predicted_classes(probabilities) == labels
    found = []
    for k in np.unique(labels):
        own = labels == k
        share = clusters.accuracy(right[own], None if groups is None else groups[own])
        found.append(Recall(int(k), int(own.sum()), int(right[own].sum()), share))
    return sorted(found, key=lambda recall: (recall.share.value, -recall.images, recall.number))


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


def average_precision(
    labels: IntArray,
    probabilities: FloatArray,
    seed: int,
    positive: int | None = None,
    resamples: int = RESAMPLES,
) -> Estimate:
    """The area under the precision-recall curve with a bootstrap interval.

    Of the class ``positive``, or the mean over the classes that some images belong to and some don't, as scikit-learn's
    ``average_precision_score``. All three numbers are None if there is no such class; the ends alone where every
    image is ranked right, since then no resample shows how it could be otherwise.
    """
    classes = probabilities.shape[1]
    asked = [k for k in (range(classes) if positive is None else [positive]) if 0 < (labels == k).sum() < len(labels)]
    if not asked:
        return Estimate(None, None, None)
    value = float(np.mean([average_precision_score(labels == k, probabilities[:, k]) for k in asked]))
    if value == 1:
        return Estimate(value, None, None)
    metric = weighted_average_precision(labels, probabilities, asked)
    resampled = over_blocks(metric, bootstrap_weights(len(labels), resamples, seed))
    left_out = over_blocks(metric, jackknife_weights(len(labels)))
    return Estimate(value, *bca(value, resampled, left_out))


def weighted_average_precision(labels: IntArray, probabilities: FloatArray, classes: list[int]) -> WeightedMetric:
    """The mean average precision of weighted images; classes that the weights leave without images are left out."""
    rankings = []
    for k in classes:
        order = np.argsort(-probabilities[:, k], kind="stable")
        ranked = probabilities[order, k]
        # Images with one score come in together: the last of each such run.
        ends = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))
        rankings.append((order, (labels[order] == k).astype(np.float64)[:, None], ends))

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
