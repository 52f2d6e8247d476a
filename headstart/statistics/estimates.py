"""Every metric of one strategy's predictions with its 95 % interval.

Accuracy is a share of images and has Wilson's interval; the others are bootstrapped over images.
"""

from collections.abc import Mapping

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from headstart.foundation.array_types import FloatArray, IntArray
from headstart.statistics import calibration, scoring
from headstart.statistics.intervals import (
    RESAMPLES,
    TAILS,
    Estimate,
    WeightedMetric,
    bca,
    bootstrap_weights,
    jackknife_weights,
    over_blocks,
    wilson,
)

# What these metrics are for predictions that no image speaks against.
_PERFECT = {"roc_auc": 1.0, "f1": 1.0}


def estimates(
    labels: IntArray, probabilities: FloatArray, seed: int, resamples: int = RESAMPLES
) -> dict[str, Estimate]:
    """Accuracy, log loss (nats), ROC AUC, F1 and expected calibration error, each with its interval.

    See :mod:`headstart.statistics.scoring` for the arguments' shapes and for what is None. The same seed and
    images give the same resamples, whatever the strategy.
    """
    right = wilson(int((scoring.predicted_classes(probabilities) == labels).sum()), len(labels))
    values = {
        "log_loss": scoring.log_loss(labels, probabilities),
        "roc_auc": scoring.roc_auc(labels, probabilities),
        "f1": scoring.f1(labels, probabilities),
        "calibration_error": calibration.calibration_error(labels, probabilities),
    }
    # On arrays this small threads wait for one another longer than they work.
    with threadpool_limits(limits=1):
        ends = _ends(labels, probabilities, values, seed, resamples) if len(labels) > 1 else {}
    return {
        "accuracy": Estimate(right.value, right.low, right.high),
        **{name: Estimate(value, *ends.get(name, (None, None))) for name, value in values.items()},
    }


def flattened(metrics: Mapping[str, Estimate]) -> dict[str, float | None]:
    """Each estimate as three entries, ``name``, ``name_low`` and ``name_high``: a flat row of JSON."""
    return {
        name + suffix: number
        for name, estimate in metrics.items()
        for suffix, number in (("", estimate.value), ("_low", estimate.low), ("_high", estimate.high))
    }


def weighted_log_loss(labels: IntArray, probabilities: FloatArray) -> WeightedMetric:
    """The log loss of weighted images."""
    losses = scoring.image_losses(labels, probabilities)
    return lambda weights: losses @ weights / weights.sum(axis=0)


def weighted_roc_auc(labels: IntArray, probabilities: FloatArray) -> WeightedMetric:
    """The area under the ROC curve of weighted images, from weighted ranks.

    It is the Mann-Whitney statistic: the weight of the pairs that are ranked right plus half that of
    ties, divided by the weight of all pairs (Hanley and McNeil 1982, Radiology 143, 29-36).
    """
    rankings = []
    for k in scoring.ranked_classes(labels, probabilities.shape[1]):
        scores = probabilities[:, k]
        order = np.argsort(scores, kind="stable")
        belongs = labels[order] == k
        ranked = scores[order]
        rankings.append(
            (
                order[~belongs],
                order[belongs],
                np.searchsorted(ranked[~belongs], ranked[belongs], side="left"),
                np.searchsorted(ranked[~belongs], ranked[belongs], side="right"),
            )
        )

    def metric(weights: FloatArray) -> FloatArray:
        areas = np.full((len(rankings), weights.shape[1]), np.nan)
        for area, (others, members, lower, not_higher) in zip(areas, rankings, strict=True):
            # Row i: the weight of the i lowest-ranked images of the other classes; (others + 1, columns)
            outranked = np.zeros((len(others) + 1, weights.shape[1]))
            np.cumsum(weights[others], axis=0, out=outranked[1:])
            own = weights[members]
            pairs = own.sum(axis=0) * outranked[-1]
            won = np.einsum("ij,ij->j", own, outranked[lower] + outranked[not_higher]) / 2
            np.divide(won, pairs, out=area, where=pairs > 0)
        return _mean_of_defined(areas)

    return metric


def weighted_f1(labels: IntArray, probabilities: FloatArray) -> WeightedMetric:
    """The F1 score of weighted images: of the second of two classes, or the mean over more of them."""
    predicted = scoring.predicted_classes(probabilities)
    classes = probabilities.shape[1]
    scored = np.array([1]) if classes == 2 else np.arange(classes)
    truly = (labels == scored[:, None]).astype(np.float64)  # (scored classes, images)
    placed = (predicted == scored[:, None]).astype(np.float64)

    def metric(weights: FloatArray) -> FloatArray:
        both = (truly + placed) @ weights  # 2 TP + FP + FN; (scored classes, columns)
        scores = np.full(both.shape, np.nan)
        np.divide(2 * ((truly * placed) @ weights), both, out=scores, where=both > 0)
        return _mean_of_defined(scores)

    return metric


def _mean_of_defined(values: FloatArray) -> FloatArray:
    """Mean over the rows of each column, NaN left out; NaN where all of a column is."""
    defined = ~np.isnan(values)
    number = defined.sum(axis=0)
    mean = np.full(values.shape[1], np.nan)
    np.divide(np.where(defined, values, 0.0).sum(axis=0), number, out=mean, where=number > 0)
    return mean


def _ends(
    labels: IntArray, probabilities: FloatArray, values: Mapping[str, float | None], seed: int, resamples: int
) -> dict[str, tuple[float, float]]:
    """The bootstrap interval of every metric in ``values`` that has one; for two images or more.

    A perfect score has none: no resample can hold an error that no image shows, so all of them agree, and
    the interval would claim a certainty that nobody has.
    """
    weighted = {"log_loss": weighted_log_loss, "roc_auc": weighted_roc_auc, "f1": weighted_f1}
    metrics = [make(labels, probabilities) for make in weighted.values()]

    def every_metric(weights: FloatArray) -> FloatArray:
        return np.stack([metric(weights) for metric in metrics])

    resampled = over_blocks(every_metric, bootstrap_weights(len(labels), resamples, seed))
    left_out = over_blocks(every_metric, jackknife_weights(len(labels)))
    ends = {}
    for name, in_resamples, in_jackknife in zip(weighted, resampled, left_out, strict=True):
        value = values[name]
        if value is not None and value != _PERFECT.get(name):
            ends[name] = bca(value, in_resamples, in_jackknife)
    ends["calibration_error"] = _calibration_error_ends(labels, probabilities, seed, resamples)
    return ends


def _calibration_error_ends(
    labels: IntArray, probabilities: FloatArray, seed: int, resamples: int
) -> tuple[float, float]:
    """An interval of the expected calibration error that holds for calibrated predictions too.

    The error is a sum of absolute gaps, so chance alone lifts it above nought, and lifts it again in
    every resample: plain bootstrap intervals of perfectly calibrated predictions never reach down to the
    truth. The lower end therefore comes from the gaps themselves: the error is at most their summed
    absolute distance from the true gaps away from the truth (triangle inequality), and the bootstrap
    estimates how large that distance gets. The upper end is the basic bootstrap's, which takes the
    lift out once (Davison and Hinkley 1997, Bootstrap methods and their application, section 5.2), and
    never less than the value.
    """
    images = len(labels)
    gaps = calibration.gaps_by_bin(labels, probabilities)
    observed = gaps.sum(axis=1, keepdims=True)
    value = calibration.calibration_error(labels, probabilities)

    def error_and_distance(weights: FloatArray) -> FloatArray:
        resampled = gaps @ weights  # (bins, columns)
        error = np.abs(resampled).sum(axis=0)
        distance = np.abs(resampled - observed).sum(axis=0)
        return np.stack([error, distance]) / images

    errors, distances = over_blocks(error_and_distance, bootstrap_weights(images, resamples, seed))
    low = max(0.0, value - float(np.quantile(distances, TAILS[1])))
    high = max(value, 2 * value - float(np.quantile(errors, TAILS[0])))
    return low, min(1.0, high)
