"""Every metric of one strategy's predictions with its 95 % interval.

Shares of images and the log loss have intervals that hold the luck of training as well, where there is more than one;
those of the others are bootstrapped over images, or groups of them, alone.
"""

from collections.abc import Callable, Iterator, Mapping

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from headstart.foundation.array_types import FloatArray, IntArray
from headstart.statistics import calibration, class_scores, clusters, loss_interval, scoring
from headstart.statistics.intervals import (
    RESAMPLES,
    TAILS,
    Estimate,
    WeightedMetric,
    bca,
    bootstrap_weights,
    jackknife_weights,
    over_blocks,
)
from headstart.statistics.outcome import Outcome

# What these metrics are for predictions that no image speaks against.
_PERFECT = {"roc_auc": 1.0, "f1": 1.0, "average_precision": 1.0}


def estimates(tested: Outcome, seed: int, resamples: int = RESAMPLES) -> dict[str, Estimate]:
    """Accuracy, log loss (nats), ROC AUC, F1, calibration error and more, each with its interval.

    Each value is the mean over the runs. See :mod:`headstart.statistics.scoring` for what is None. The same seed and
    images give the same resamples, whatever the strategy.
    """
    right = tested.accuracy()
    balanced = class_scores.balanced_accuracy(class_scores.recalls(tested))
    # On arrays this small threads wait for one another longer than they work.
    with threadpool_limits(limits=1):
        ranked = {name: _bootstrapped(name, tested, seed, resamples) for name in _METRICS}
        calibrated = _calibration_error(tested, seed, resamples)
    return {
        "accuracy": Estimate(right.value, right.low, right.high),
        "log_loss": loss_interval.log_loss(tested),
        **ranked,
        "calibration_error": calibrated,
        "balanced_accuracy": Estimate(balanced.value, balanced.low, balanced.high),
    }


def flattened(metrics: Mapping[str, Estimate]) -> dict[str, float | None]:
    """Each estimate as three entries, ``name``, ``name_low`` and ``name_high``: a flat row of JSON."""
    return {
        name + suffix: number
        for name, estimate in metrics.items()
        for suffix, number in (("", estimate.value), ("_low", estimate.low), ("_high", estimate.high))
    }


def weighted_brier(labels: IntArray, probabilities: FloatArray) -> WeightedMetric:
    """The Brier score of weighted images."""
    distances = scoring.image_briers(labels, probabilities)
    return lambda weights: distances @ weights / weights.sum(axis=0)


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


# A metric of images as they are, and of weighted ones.
_METRICS: Mapping[
    str, tuple[Callable[[IntArray, FloatArray], float | None], Callable[[IntArray, FloatArray], WeightedMetric]]
] = {
    "roc_auc": (scoring.roc_auc, weighted_roc_auc),
    "f1": (scoring.f1, weighted_f1),
    "average_precision": (class_scores.average_precision, class_scores.weighted_average_precision),
    "brier": (scoring.brier, weighted_brier),
}


def _bootstrapped(name: str, tested: Outcome, seed: int, resamples: int) -> Estimate:
    """A metric, the mean over the runs, with a bootstrap interval.

    A perfect score has none: no resample can hold an error that no image shows, so all of them agree, and
    the interval would claim a certainty that nobody has. The same goes for a Brier score without a single error.
    """
    plain, weighted = _METRICS[name]
    values = [plain(tested.labels, rows) for rows in tested.probabilities]
    defined = [value for value in values if value is not None]
    if len(defined) < len(values):
        return Estimate(None, None, None)
    value = float(np.mean(defined))
    if value == _PERFECT.get(name) or (name == "brier" and tested.right.all()):
        return Estimate(value, None, None)
    metrics = [weighted(tested.labels, rows) for rows in tested.probabilities]

    def of_runs(weights: FloatArray) -> FloatArray:
        found: FloatArray = np.mean([metric(weights) for metric in metrics], axis=0)
        return found

    drawn, left_out = _drawn(tested, resamples, seed), _left_out(tested)
    if drawn is None or left_out is None:
        return Estimate(value, None, None)
    return Estimate(value, *bca(value, over_blocks(of_runs, drawn), over_blocks(of_runs, left_out)))


def _drawn(tested: Outcome, resamples: int, seed: int) -> Iterator[FloatArray] | None:
    """Weights of resampled images, or of whole groups of them; None where there is one alone."""
    return _of_groups(tested, lambda number: bootstrap_weights(number, resamples, seed))


def _left_out(tested: Outcome) -> Iterator[FloatArray] | None:
    """Weights that leave out one image, or group, after the other; None where there is one alone."""
    return _of_groups(tested, jackknife_weights)


def _of_groups(tested: Outcome, weights: Callable[[int], Iterator[FloatArray]]) -> Iterator[FloatArray] | None:
    if tested.groups is None:
        return weights(len(tested.labels)) if len(tested.labels) > 1 else None
    members = clusters.numbered(tested.groups)
    number = int(members.max()) + 1
    return (block[members] for block in weights(number)) if number > 1 else None


def _calibration_error(tested: Outcome, seed: int, resamples: int) -> Estimate:
    """The mean over the runs of the expected calibration error, and of the ends of its interval."""
    errors = [calibration.calibration_error(tested.labels, rows) for rows in tested.probabilities]
    ends = []
    for rows in tested.probabilities:
        if (drawn := _drawn(tested, resamples, seed)) is None:
            return Estimate(float(np.mean(errors)), None, None)
        ends.append(_calibration_error_ends(tested.labels, rows, drawn))
    low, high = np.mean(ends, axis=0)
    return Estimate(float(np.mean(errors)), float(low), float(high))


def _calibration_error_ends(
    labels: IntArray, probabilities: FloatArray, drawn: Iterator[FloatArray]
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

    errors, distances = over_blocks(error_and_distance, drawn)
    low = max(0.0, value - float(np.quantile(distances, TAILS[1])))
    high = max(value, 2 * value - float(np.quantile(errors, TAILS[0])))
    return low, min(1.0, high)
