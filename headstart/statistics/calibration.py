"""Whether a probability of 0.9 means nine times in ten, and how to make it so.

The confidence of a prediction is the probability of its most probable class ("top label").
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize_scalar

from headstart.foundation.array_types import FloatArray, IntArray
from headstart.statistics import scoring
from headstart.statistics.intervals import LEVEL, RESAMPLES, wilson

BINS = 15  # the number that Guo et al. (2017) report with

# Fewer validation images than this choose the better model by the log loss as it is: a temperature fitted on them
# flatters whichever overfits it.
FEWEST_TO_CHOOSE_CALIBRATED = 200

# Standard deviation of log temperatures from one data set to the next, which few validation images are weighed against.
PRIOR_DEVIATION = 0.5

# Numbers that a block of draws may hold: 8 MB.
_BLOCK = 1_000_000

# The highest softens even logarithms of several hundreds, which a classifier on unscaled features gives.
_TEMPERATURES = (0.05, 1000.0)

# A probability of 0 has no logarithm. This is as near as it gets: a coarser floor would make images equal that the
# temperature must be able to separate.
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


def debiased_calibration_error(labels: IntArray, probabilities: FloatArray) -> float | None:
    """Root mean square distance of accuracy from confidence over the same bins, without the part that is chance.

    Each bin's squared gap is estimated from pairs of different images in it, so that an image's own luck isn't squared:
    Ferro and Fricker (2012), A bias-corrected decomposition of the Brier score, Q. J. R. Meteorol. Soc. 138,
    1954-1960; Kumar, Liang and Ma (2019), Verified uncertainty calibration, NeurIPS, section 4. 0 where chance
    explains all of it and more. None if no bin holds two images.
    """
    gaps = gaps_by_bin(labels, probabilities)
    images = np.bincount(confidence_bins(probabilities), minlength=BINS)
    held = images > 1
    if not held.any():
        return None
    pairs = np.square(gaps.sum(axis=1)) - np.square(gaps).sum(axis=1)  # n (n - 1) times the squared gap
    mean = (pairs[held] / (images[held] - 1)).sum() / images[held].sum()
    return float(np.sqrt(max(0.0, mean)))


class ByChance(NamedTuple):
    """What :func:`calibration_error` would print if the probabilities were exactly right."""

    mean: float  # over draws of the labels
    high: float  # of 95 % of the draws it is no higher
    p_value: float  # how many draws reach what the labels at hand show; the labels at hand count among them


def calibration_error_by_chance(
    labels: IntArray, probabilities: FloatArray, seed: int, draws: int = RESAMPLES
) -> ByChance:
    """The calibration error of a calibrated model on as many images with the same confidences.

    Whether each image is right is drawn with its confidence as the probability: consistency resampling, Bröcker and
    Smith (2007), Weather Forecast. 22, 651-661; as a test Vaicenavicius et al. (2019), AISTATS.
    """
    confidences = probabilities.max(axis=1)
    bins = confidence_bins(probabilities)
    members = (bins == np.arange(BINS)[:, None]).astype(np.float64)  # (bins, images)
    source = np.random.default_rng(seed)
    at_once = max(1, _BLOCK // len(labels))
    errors = []
    for start in range(0, draws, at_once):
        drawn = source.random((len(labels), min(at_once, draws - start))) < confidences[:, None]
        errors.append(np.abs(members @ (drawn - confidences[:, None])).sum(axis=0) / len(labels))
    found = np.concatenate(errors)
    reached = int((found >= calibration_error(labels, probabilities) - 1e-12).sum())
    return ByChance(float(found.mean()), float(np.quantile(found, LEVEL)), (1 + reached) / (1 + draws))


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


def fit_temperature(labels: IntArray, probabilities: FloatArray, prior_deviation: float = float("inf")) -> Temperature:
    """The temperature that makes the log loss of the validation images smallest.

    Guo et al. (2017), section 4.2. The log loss is convex in 1/temperature, so a bounded search finds
    its one minimum. If every image is classified correctly there is none, as more confident would always be better,
    and where no temperature helps none is better than another: then it stays 1.

    Args:
        labels: true class numbers of the validation images, shape (images,).
        probabilities: their predictions, shape (images, classes).
        prior_deviation: what few images say is drawn towards no change, as if log T came from a normal distribution
            of this deviation about 0 (:data:`PRIOR_DEVIATION`); where errors are few a temperature hurts otherwise.
    """

    def loss(log_temperature: float) -> float:
        penalty = (log_temperature / prior_deviation) ** 2 / 2 / len(labels)
        return penalty + scoring.log_loss(labels, apply_temperature(probabilities, float(np.exp(log_temperature))))

    before = scoring.log_loss(labels, probabilities)
    if scoring.accuracy(labels, probabilities) < 1:
        found = minimize_scalar(loss, bounds=np.log(_TEMPERATURES), method="bounded", options={"xatol": 1e-4})
        if found.fun < before:
            value = float(np.exp(found.x))
            return Temperature(value, before, scoring.log_loss(labels, apply_temperature(probabilities, value)))
    return Temperature(1.0, before, before)


def loss_to_choose_by(labels: IntArray, raw: FloatArray, calibrated: FloatArray, balanced: bool = False) -> float:
    """The validation log loss that strategies are chosen by: calibrated on 200 images or more, raw on fewer.

    Args:
        labels: of the validation images, shape (images,).
        raw: probabilities as the model gives them, shape (images, classes).
        calibrated: the same with the temperature fitted on these very images.
        balanced: whether every class counts as much as any other, however many images it has.
    """
    loss = scoring.balanced_log_loss if balanced else scoring.log_loss
    return loss(labels, raw if len(labels) < FEWEST_TO_CHOOSE_CALIBRATED else calibrated)


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
