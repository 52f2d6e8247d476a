"""How far a mean over test images may be off as a statement about a strategy: the luck of images and of training.

A strategy is trained several times, each run on a redrawn part of the training images or without one fold, and what
counts is what it would reach on average over trainings and over images (Bouthillier et al. 2021, Accounting for
variance in machine learning benchmarks, MLSys). A test image is easy or hard for every run: that part of the luck
shrinks with the images alone. A run is good or bad on every image: that part shrinks with the runs alone, and hardly
where all of them draw from the same images.

``values`` hold a number for each run or repeat (rows) and image (columns): correctness, a loss, or the difference of
two strategies in either.
"""

from typing import NamedTuple

import numpy as np

from headstart.foundation.array_types import FloatArray, IntArray
from headstart.statistics.clusters import MeanVariance, mean_variance

# So few images or groups that the luck of test and training can't be taken apart.
_FEW = 30


class Spread(NamedTuple):
    """Variance of one training's mean over all the images there could be, and its degrees of freedom.

    It is estimated as a difference and may come out below 0, as it must if it is to be right on average.
    """

    variance: float
    degrees: float


class Luck(NamedTuple):
    """What the variance of a mean consists of."""

    images: float  # the part of the test images, or of their groups
    training: float  # the part of the trainings; 0 or more
    degrees: float  # of freedom of the sum, by Satterthwaite's formula (1946, Biometrics Bulletin 2, 110-114)

    @property
    def variance(self) -> float:
        """Both together."""
        return self.images + self.training


def shared_images(runs: int, left_out: float) -> float:
    """By what the variance of one training is multiplied for the mean over ``runs`` of them.

    1 / runs would be right if each run had images of its own. Runs that draw from one set share its luck, which
    their differences hide: Nadeau and Bengio (2003), Inference for the generalization error, Machine Learning 52,
    239-281, add the ratio of images left out to images trained on. It is applied to the luck of training alone, for
    that of the test images is estimated without it; on all of it, it is so cautious that intervals hold the truth
    in 98 to 100 % of sets.

    Args:
        runs: how many.
        left_out: share of the images, drawn anew for each run, that it doesn't train on; 0 if each run has images
            of its own, or all of them the very same.
    """
    return 1 / runs + left_out / (1 - left_out)


def spread_of_runs(values: FloatArray, groups: IntArray | None = None) -> Spread:
    """How much trainings tested on the same images differ.

    The variance between the runs' means, less what comes of the single images: a run turns some of them by chance,
    which the variance over the images counts already.

    Args:
        values: shape (2 or more runs, images).
        groups: group numbers, shape (images,), or None.
    """
    runs = len(values)
    turned = values - values.mean(axis=0)
    noise = np.mean([mean_variance(row, groups).variance for row in turned]) * runs / (runs - 1)
    return Spread(float(values.mean(axis=1).var(ddof=1) - noise), runs - 1.0)


def spread_of_folds(values: FloatArray, folds: IntArray, groups: IntArray | None = None) -> Spread:
    """How much the trainings of a cross-validation differ, each tested on a fold of its own.

    The variance between the folds' means, less what comes of the single images. With several repeats each image is
    compared with itself in the others, so that hard images in one fold are not mistaken for a bad training.

    Args:
        values: shape (repeats, images).
        folds: number of the fold that each image is tested in, shape (repeats, images); 2 or more folds.
        groups: group numbers, shape (images,), or None; no group is in two folds of one repeat.
    """
    repeats, several = len(values), len(values) > 1
    rest = values - (values.mean(axis=0) if several else values.mean())
    squares, noises = [], []
    for row, numbers in zip(rest, folds, strict=True):
        for fold in np.unique(numbers):
            inside = numbers == fold
            squares.append(float(row[inside].mean()) ** 2)
            noises.append(mean_variance(row[inside], None if groups is None else groups[inside]).variance)
    per_repeat = len(squares) / repeats
    if not several:
        return Spread(sum(squares) / (per_repeat - 1) - float(np.mean(noises)), per_repeat - 1)
    # What is left of a training's luck once the image's mean over the repeats is gone: all but its own share of that
    # mean, and a share of the trainings that tested these images in the other repeats, which hardly add up.
    others = (repeats - 1) / repeats
    left = others * (others + 1 / (repeats * per_repeat))
    return Spread(float(np.mean(squares) - np.mean(noises)) / left, (repeats - 1) * per_repeat)


def luck(images: MeanVariance, spread: Spread, factor: float) -> Luck:
    """Both parts together; see :func:`shared_images` for ``factor``."""
    training = max(0.0, spread.variance) * factor
    terms = images.variance**2 / images.degrees + training**2 / spread.degrees
    degrees = (images.variance + training) ** 2 / terms if 0 < terms < np.inf else images.degrees
    return Luck(images.variance, training, degrees)


def luck_of_folds(images: MeanVariance, values: FloatArray, folds: IntArray, groups: IntArray | None = None) -> Luck:
    """Both parts together for a cross-validation.

    With 30 images (or groups) or more as :func:`luck`. With fewer the models depend so much on single images that
    a misleading one is wrong itself and turns others: what test and training owe to luck then goes together, and
    adding the two is too little. The whole variance between folds, corrected as in :func:`shared_images`, makes no
    such assumption: the corrected resampled t-test of Nadeau and Bengio (2003), in which repeats of the same few images
    count once. It is so cautious that of more images its intervals, half as wide again, held the truth in all sets.

    Args:
        images: the variance over images, or groups, of the mean over repeats.
        values: shape (repeats, images).
        folds: number of the fold that each image is tested in, shape (repeats, images); 2 or more folds.
        groups: group numbers, shape (images,), or None; no group is in two folds of one repeat.
    """
    units = values.shape[1] if groups is None else np.unique(groups).size
    numbers = [np.unique(row) for row in folds]
    means = [
        row[fold == number].mean() for row, fold, own in zip(values, folds, numbers, strict=True) for number in own
    ]
    left_out = len(folds) / len(means)
    if units >= _FEW:
        return luck(images, spread_of_folds(values, folds, groups), shared_images(len(means), left_out))
    whole = float(np.var(means, ddof=1)) * shared_images(len(numbers[0]), left_out)
    return Luck(images.variance, max(0.0, whole - images.variance), len(means) - 1.0)
