"""How accuracy grows with the training set, and what more images would be worth."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from headstart.foundation.array_types import BoolArray, IntArray
from headstart.statistics.doubling import doubling, resampled_means
from headstart.statistics.intervals import TAILS, Share, wilson

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
    """A learning curve and what it promises."""

    points: list[CurvePoint]  # from the smallest training set to the whole one
    # What twice the training images would add to the accuracy, with its 95 % interval; None if there is only one point,
    # or one draw of each.
    doubling: Share | None


def sizes(total: int, classes: int, fractions: Sequence[float]) -> list[int]:
    """The numbers of training images at which a curve is drawn, ascending; equal ones count once.

    Args:
        total: training images that there are.
        classes: how many classes they are of; no size is smaller.
        fractions: of the training images, above 0 and up to 1.
    """
    return sorted({min(total, max(classes, round(fraction * total))) for fraction in fractions})


def grow(
    fit_predict: FitPredict,
    train_labels: IntArray,
    test_labels: IntArray,
    counts: Sequence[int],
    repeats: int,
    seed: int,
) -> BoolArray:
    """Train on growing parts of the training images, several times each.

    In each repeat the classes keep their proportions and every part holds the one before, so that two
    points differ by the images added and not by luck. At the whole set every repeat trains on the same images.

    Args:
        fit_predict: called once for every size and repeat, with the rows to train on, ascending, and a
            seed that is the same for one repeat's sizes.
        train_labels: class numbers, shape (training images,).
        test_labels: class numbers, shape (test images,).
        counts: the sizes.
        repeats: how often each size is drawn.
        seed: from which the draws and the repeats' seeds follow.

    Returns:
        Which test images each training classifies correctly, shape (sizes, repeats, test images).
    """
    right = np.empty((len(counts), repeats, len(test_labels)), dtype=np.bool_)
    for repeat in range(repeats):
        source = np.random.default_rng([seed, repeat])
        order = growing_order(train_labels, source)
        training_seed = int(source.integers(2**31))
        for i, size in enumerate(counts):
            predicted = fit_predict(np.sort(order[:size]), training_seed)
            right[i, repeat] = predicted == test_labels
    return right


def growing_order(labels: IntArray, source: np.random.Generator) -> IntArray:
    """A random order of the images whose every beginning holds the classes in proportion, shape (images,)."""
    due = np.empty(len(labels))
    for k in np.unique(labels):
        members = source.permutation(np.flatnonzero(labels == k))
        due[members] = np.arange(len(members)) / len(members)
    # Images due at the same time, such as the first of every class, come in random order too.
    return np.lexsort((source.random(len(labels)), due)).astype(np.int64)


def read_curve(counts: Sequence[int], right: BoolArray, seed: int) -> LearningCurve:
    """The curve, and what it promises, from which test images each training got right.

    Intervals come from resampling test images and repeats together (Owen 2007, The pigeonhole bootstrap, Ann. Appl.
    Stat. 1, 386-411): they hold the noise of the test images and of which part was drawn.

    Args:
        counts: numbers of training images, ascending.
        right: shape (sizes, repeats, test images).
        seed: for the resamples.
    """
    means = right.mean(axis=(1, 2))
    resampled = resampled_means(right, seed)  # (sizes, resamples)
    lows, highs = np.quantile(resampled, TAILS, axis=1)
    images = right.shape[2]
    curve = []
    for size, mean, low, high in zip(counts, means, lows, highs, strict=True):
        if low == high:  # no resample can show an error that no image shows, so count images instead
            band = wilson(round(mean * images), images)
            low, high = band.low, band.high
        curve.append(CurvePoint(size, float(mean), float(low), float(high)))
    return LearningCurve(curve, doubling(counts, right, seed))
