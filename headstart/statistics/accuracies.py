"""The accuracy of a strategy that was trained several times, its interval with the luck of images and of training."""

import numpy as np

from headstart.foundation.array_types import BoolArray, IntArray
from headstart.statistics import clusters, variance
from headstart.statistics.clusters import MeanVariance
from headstart.statistics.intervals import Share, score_interval
from headstart.statistics.variance import Luck


def over_images(right: BoolArray, groups: IntArray | None = None) -> Share:
    """The mean accuracy of the runs with a 95 % interval that holds the luck of the test images alone.

    Args:
        right: shape (runs, images).
        groups: group numbers, shape (images,), or None.
    """
    return clusters.accuracy(right.mean(axis=0), groups)


def over_runs(right: BoolArray, *, left_out: float = 0.0, groups: IntArray | None = None) -> Share:
    """The mean accuracy of the runs with its 95 % interval.

    Wilson's, on as many images as would leave the same variance: that over the images of the share of runs that were
    right, and that of training. With one run it holds the luck of the test images alone.

    Args:
        right: shape (runs, images); all runs are tested on the same images.
        left_out: see :func:`headstart.statistics.variance.shared_images`.
        groups: group numbers, shape (images,), or None.
    """
    if len(right) == 1:
        return over_images(right, groups)
    spread = variance.spread_of_runs(right.astype(np.float64), groups)
    parts = variance.luck(_image_luck(right, groups), spread, variance.shared_images(len(right), left_out))
    return _accuracy(right, parts, groups)


def over_folds(right: BoolArray, folds: IntArray, *, groups: IntArray | None = None) -> Share:
    """The accuracy of a cross-validation with its 95 % interval, as :func:`over_runs`.

    Args:
        right: shape (repeats, images), each image by the model that never saw it.
        folds: number of the fold that each image was tested in, shape (repeats, images).
        groups: group numbers, shape (images,), or None; no group is in two folds of one repeat.
    """
    parts = variance.luck_of_folds(_image_luck(right, groups), right.astype(np.float64), folds, groups)
    return _accuracy(right, parts, groups)


def _image_luck(right: BoolArray, groups: IntArray | None) -> MeanVariance:
    """The variance over images of their share of runs by the images' effective number."""
    per_image = right.mean(axis=0)
    trials = clusters.effective_images(per_image, groups)
    units = len(per_image) if groups is None else np.unique(groups).size
    return MeanVariance(float(per_image.var()) / max(trials - 1, 1.0), max(units - 1.0, 1.0))


def _accuracy(right: BoolArray, parts: Luck, groups: IntArray | None) -> Share:
    per_image = right.mean(axis=0)
    share = float(per_image.mean())
    # Runs that swing on an image don't make two of it: at high accuracy that would promise too much.
    trials = clusters.effective_images(per_image, groups)
    if parts.variance > 0:
        trials = min(trials, share * (1 - share) / parts.variance)
    if groups is not None or parts.training > 0:
        trials = clusters.trusted(trials, parts.degrees)
    return score_interval(share, trials)
