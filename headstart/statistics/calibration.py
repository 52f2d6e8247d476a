"""Whether a probability of 0.9 means nine times in ten, and how to make it so.

The confidence of a prediction is the probability of its most probable class ("top label").
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar

from headstart.foundation.array_types import FloatArray, IntArray
from headstart.statistics import scoring
from headstart.statistics.intervals import wilson

BINS = 15  # the number that Guo et al. (2017) report with

# The highest softens even logarithms of several hundreds, which a classifier on unscaled features gives.
_TEMPERATURES = (0.05, 1000.0)

# A probability of 0 has no logarithm. This is as near as it gets: a coarser floor would make images alike that the
# temperature is to tell apart again.
_SMALLEST = float(np.finfo(np.float64).tiny)


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """One bar of a reliability diagram: the images whose confidence is above ``start``, at most ``end``.

    ``accuracy`` has a Wilson interval; ``confidence`` is the mean over the bin's images.
    """

    start: float
    end: float
    images: int
    confidence: float
    accuracy: float
    accuracy_low: float
    accuracy_high: float


@dataclass(frozen=True, slots=True)
class Temperature:
    """What divides the log-probabilities, and the validation log loss (nats) without and with it."""

    value: float
    loss_before: float
    loss_after: float


def confidence_bins(probabilities: FloatArray) -> IntArray:
    """The number, 0 to 14, of the equal-width bin ((m - 1)/15, m/15] of each image's confidence."""
    inner_edges = np.arange(1, BINS) / BINS
    bins: IntArray = np.searchsorted(inner_edges, probabilities.max(axis=1), side="left")
    return bins


def gaps_by_bin(labels: IntArray, probabilities: FloatArray) -> FloatArray:
    """Each image's correctness (0 or 1) minus its confidence, in its bin's row; shape (bins, images).

    Its rows summed, made absolute and summed again are the expected calibration error times the
    number of images; a resample of the images is a matrix product away.
    """
    images = np.arange(len(labels))
    gaps = np.zeros((BINS, len(labels)))
    right = scoring.predicted_classes(probabilities) == labels
    gaps[confidence_bins(probabilities), images] = right - probabilities.max(axis=1)
    return gaps


def calibration_error(labels: IntArray, probabilities: FloatArray) -> float:
    """Expected calibration error: the mean distance of accuracy from confidence over 15 equal-width bins.

    Guo, Pleiss, Sun and Weinberger (2017), On calibration of modern neural networks, ICML, equation 3.
    """
    return float(np.abs(gaps_by_bin(labels, probabilities).sum(axis=1)).sum() / len(labels))


def reliability(labels: IntArray, probabilities: FloatArray) -> list[ReliabilityBin]:
    """The bars of the reliability diagram (Guo et al. 2017, section 2), bins without an image left out."""
    bins = confidence_bins(probabilities)
    confidences = probabilities.max(axis=1)
    right = scoring.predicted_classes(probabilities) == labels
    table = []
    for number in np.unique(bins):
        inside = bins == number
        images = int(inside.sum())
        accuracy = wilson(int(right[inside].sum()), images)
        table.append(
            ReliabilityBin(
                start=float(number / BINS),
                end=float((number + 1) / BINS),
                images=images,
                confidence=float(confidences[inside].mean()),
                accuracy=accuracy.value,
                accuracy_low=accuracy.low,
                accuracy_high=accuracy.high,
            )
        )
    return table


def fit_temperature(labels: IntArray, probabilities: FloatArray) -> Temperature:
    """The temperature that makes the log loss of the validation images smallest.

    Guo et al. (2017), section 4.2. The log loss is convex in 1/temperature, so a bounded search finds
    its one minimum. Where every image is placed right there is none, as surer would always be better,
    and where no temperature helps none is better than another: then it stays 1.

    Args:
        labels: true class numbers of the validation images, shape (images,).
        probabilities: their predictions, shape (images, classes).
    """

    def loss(log_temperature: float) -> float:
        return scoring.log_loss(labels, apply_temperature(probabilities, float(np.exp(log_temperature))))

    before = scoring.log_loss(labels, probabilities)
    if scoring.accuracy(labels, probabilities) < 1:
        found = minimize_scalar(loss, bounds=np.log(_TEMPERATURES), method="bounded", options={"xatol": 1e-4})
        if found.fun < before:
            return Temperature(float(np.exp(found.x)), before, float(found.fun))
    return Temperature(1.0, before, before)


def apply_temperature(probabilities: FloatArray, temperature: float) -> FloatArray:
    """Probabilities whose logarithms were divided by ``temperature``, scaled to sum to 1 again.

    The most probable class stays the same: above 1 predictions become less sure, below 1 surer.
    Logarithms of probabilities differ from a softmax layer's inputs by a constant for each image only,
    which the scaling takes out, so this is Guo et al.'s formula.
    """
    logs = np.log(np.maximum(probabilities, _SMALLEST)) / temperature
    powers: FloatArray = np.exp(logs - logs.max(axis=1, keepdims=True))
    powers /= powers.sum(axis=1, keepdims=True)
    return powers
