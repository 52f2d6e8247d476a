"""How accuracy grows with the training set, and what more images would be worth."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from headstart.foundation.array_types import BoolArray, FloatArray, IntArray
from headstart.statistics.intervals import RESAMPLES, TAILS, Share, bootstrap_weights, wilson

# Trains on the given training images with the given seed; returns the test images' predicted classes.
FitPredict = Callable[[IntArray, int], IntArray]


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """Accuracy after training on ``images`` images: mean over the repeats, and its 95 % interval."""

    images: int
    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class LearningCurve:
    """A learning curve and what it promises.

    Attributes:
        points: from the smallest training set to the whole one.
        doubling: what twice the training images would add to the accuracy, as the power law through the
            points has it, with its 95 % interval; None if there is only one point.
    """

    points: list[CurvePoint]
    doubling: Share | None


def learning_curve(
    fit_predict: FitPredict,
    train_labels: IntArray,
    test_labels: IntArray,
    fractions: Sequence[float],
    repeats: int,
    seed: int,
) -> LearningCurve:
    """Train on growing parts of the training split, several times each, and read the result.

    In each repeat the classes keep their proportions and every part holds the one before, so that two
    points differ by the images added and not by luck. Intervals come from resampling test images and
    repeats together (Owen 2007, The pigeonhole bootstrap, Ann. Appl. Stat. 1, 386-411): they hold the noise
    of the test split and of which part was drawn. At the whole split every repeat trains on the same images.

    Args:
        fit_predict: called once for every size and repeat, with the rows to train on, ascending, and a
            seed that is the same for one repeat's sizes.
        train_labels: class numbers, shape (training images,).
        test_labels: class numbers, shape (test images,).
        fractions: of the training images, above 0 and up to 1; equal sizes count once.
        repeats: how often each size is drawn.
        seed: from which the draws, the repeats' seeds and the resamples follow.
    """
    classes = np.unique(train_labels).size
    total = len(train_labels)
    sizes = sorted({min(total, max(classes, round(fraction * total))) for fraction in fractions})
    right = np.empty((len(sizes), repeats, len(test_labels)), dtype=np.bool_)
    for repeat in range(repeats):
        source = np.random.default_rng([seed, repeat])
        order = growing_order(train_labels, source)
        training_seed = int(source.integers(2**31))
        for i, size in enumerate(sizes):
            predicted = fit_predict(np.sort(order[:size]), training_seed)
            right[i, repeat] = predicted == test_labels
    return read_curve(sizes, right, seed)


def growing_order(labels: IntArray, source: np.random.Generator) -> IntArray:
    """A random order of the images whose every beginning holds the classes in proportion, shape (images,)."""
    due = np.empty(len(labels))
    for k in np.unique(labels):
        members = source.permutation(np.flatnonzero(labels == k))
        due[members] = np.arange(len(members)) / len(members)
    # Images due at the same time, such as the first of every class, come in random order too.
    return np.lexsort((source.random(len(labels)), due)).astype(np.int64)


def read_curve(sizes: Sequence[int], right: BoolArray, seed: int) -> LearningCurve:
    """The curve, and what it promises, from which test images each training got right.

    Args:
        sizes: numbers of training images, ascending.
        right: shape (sizes, repeats, test images).
        seed: for the resamples.
    """
    means = right.mean(axis=(1, 2))
    resampled = _resampled_means(right, seed)  # (sizes, resamples)
    lows, highs = np.quantile(resampled, TAILS, axis=1)
    images = right.shape[2]
    curve = []
    for size, mean, low, high in zip(sizes, means, lows, highs, strict=True):
        if low == high:  # no resample can show an error that no image shows, so count images instead
            band = wilson(round(mean * images), images)
            low, high = band.low, band.high
        curve.append(CurvePoint(size, float(mean), float(low), float(high)))
    if len(sizes) < 2:
        return LearningCurve(curve, None)
    value = float(doubling_gain(sizes, means[:, None], images)[0])
    low, high = np.quantile(doubling_gain(sizes, resampled, images), TAILS)
    return LearningCurve(curve, Share(value, float(low), float(high)))


def doubling_gain(sizes: Sequence[int], accuracies: FloatArray, images: int) -> FloatArray:
    """What doubling the largest training set would add to the accuracy, as a share of the test images.

    The error is taken to fall as a power of the number of training images, a straight line on
    logarithmic axes (Cortes, Jackel, Solla, Vapnik and Denker 1993, Learning curves, NIPS; Hestness et al.
    2017, Deep learning scaling is predictable, empirically), fitted by least squares. Half an error
    in one image more is added, so that a faultless test has a logarithm too (Anscombe 1956, Biometrika 43,
    461-464). Where errors stop falling, as with wrong labels, the law promises too much.

    Args:
        sizes: two or more numbers of training images.
        accuracies: shape (sizes, curves).
        images: how many test images the accuracies come from.

    Returns:
        Shape (curves,).
    """
    errors = np.log2(((1 - accuracies) * images + 0.5) / (images + 1))
    doublings = np.log2(np.asarray(sizes, dtype=np.float64))
    centred = doublings - doublings.mean()
    slopes = centred @ errors / (centred @ centred)  # of log2 error for each doubling
    last = errors.mean(axis=0) + slopes * centred[-1]
    gain: FloatArray = np.exp2(last) - np.exp2(last + slopes)
    return gain


def _resampled_means(right: BoolArray, seed: int) -> FloatArray:
    """Mean accuracies with test images and repeats drawn with replacement, shape (sizes, resamples)."""
    sizes, repeats, images = right.shape
    image_blocks = bootstrap_weights(images, RESAMPLES, seed)
    repeat_weights = np.concatenate(list(bootstrap_weights(repeats, RESAMPLES, seed + 1)), axis=1)
    flat = right.reshape(sizes * repeats, images).astype(np.float64)
    counts = np.concatenate([flat @ block for block in image_blocks], axis=1)
    totals: FloatArray = np.einsum("srb,rb->sb", counts.reshape(sizes, repeats, -1), repeat_weights)
    totals /= images * repeats
    return totals
