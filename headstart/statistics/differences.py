"""Whether one strategy beats another: the difference with everything in its interval that could have come by chance.

Three kinds of evidence. One training of each says something of *these trained models* alone: the interval holds the
luck of the test images. Several runs, or the folds of a cross-validation, say something of the *strategies*: the
interval holds the luck of training too, see :mod:`headstart.statistics.variance`. Where images come in groups, groups
take the place of images throughout.

Arrays of correctness are boolean and give differences in accuracy; arrays of losses are float and give differences in
their mean. Differences are first minus second.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from scipy.stats import t

from headstart.foundation.array_types import BoolArray, FloatArray, IntArray
from headstart.statistics import clusters, variance
from headstart.statistics.clusters import MeanVariance
from headstart.statistics.intervals import TAILS
from headstart.statistics.paired import mcnemar, tango
from headstart.statistics.variance import Luck


class Scope(StrEnum):
    """What a difference is a statement about."""

    MODELS = "trained models"
    STRATEGIES = "strategies"


@dataclass(frozen=True, slots=True)
class Difference:
    """Two strategies, first minus second.

    Attributes:
        value: difference of the means over runs and images: a share for correctness, nats for log losses.
        low, high: its 95 % interval, for this pair alone, before any correction.
        p_value: two-sided, for this pair alone, before any correction, of the hypothesis that there is no difference.
        scope: what it is a statement about.
        images: how many test images.
        groups: how many groups of images; as many as images where each is its own group.
        runs: trainings of each strategy.
        luck: the parts of the variance; None where interval and p-value are exact and need none.
    """

    value: float
    low: float
    high: float
    p_value: float
    scope: Scope
    images: int
    groups: int
    runs: int
    luck: Luck | None


def between_runs(
    first: BoolArray | FloatArray,
    second: BoolArray | FloatArray,
    *,
    left_out: float = 0.0,
    groups: IntArray | None = None,
    seed: int = 0,
) -> Difference:
    """Compare two strategies that were trained once or several times and tested on the same images.

    With one run, correctness and no groups: Tango's interval and the exact McNemar test. With one run otherwise: a t
    interval over the images' or groups' differences, and for groups the p-value of swapping strategies in them.

    With several runs (Bouthillier et al. 2021): the variance over the images of the difference of their shares of
    runs that were right, plus (s²_A + s²_B) / runs without the part of single images, which the first term holds.
    The two strategies' variances are added as if they were trained apart, which is cautious where they share images.

    Args:
        first: boolean correctness or float losses, shape (runs, images).
        second: the same of the other strategy; runs and images in the same order.
        left_out: share of the images, drawn anew for every run, that it doesn't train on; see
            :func:`headstart.statistics.variance.shared_images`.
        groups: group numbers, shape (images,), or None.
        seed: for the sign flips of more groups than can be tried.
    """
    if len(first) == 1:
        return _between_models(first[0], second[0], groups, seed)
    one, other = first.astype(np.float64), second.astype(np.float64)
    spreads = [variance.spread_of_runs(values, groups) for values in (one, other)]
    # Runs that never differ, as those of a method in which nothing is random, tell nothing of the other's luck.
    differ = [part for part, values in zip(spreads, (one, other), strict=True) if (values != values[0]).any()]
    degrees = sum(part.degrees for part in differ or spreads)
    together = variance.Spread(sum(part.variance for part in spreads), degrees)
    gaps = (one - other).mean(axis=0)
    images = _image_luck(gaps, first.dtype == np.bool_, groups)
    parts = variance.luck(images, together, variance.shared_images(len(one), left_out))
    return _by_t(gaps, first.dtype == np.bool_, parts, len(one), Scope.STRATEGIES, groups)


def between_folds(
    first: BoolArray | FloatArray,
    second: BoolArray | FloatArray,
    folds: IntArray,
    *,
    groups: IntArray | None = None,
) -> Difference:
    """Compare two strategies by cross-validation, each image tested once in every repeat.

    The luck of training, estimated between folds, is corrected for the images that their training sets share: see
    :func:`headstart.statistics.variance.luck_of_folds`.

    Args:
        first: boolean correctness or float losses, shape (repeats, images), each image by the model that never saw
            it.
        second: the same of the other strategy, trained on the same folds.
        folds: number of the fold that each image was tested in, shape (repeats, images).
        groups: group numbers, shape (images,), or None; no group is in two folds of one repeat.
    """
    values = first.astype(np.float64) - second.astype(np.float64)
    runs = sum(np.unique(row).size for row in folds)
    gaps = values.mean(axis=0)
    parts = variance.luck_of_folds(_image_luck(gaps, first.dtype == np.bool_, groups), values, folds, groups)
    return _by_t(gaps, first.dtype == np.bool_, parts, runs, Scope.STRATEGIES, groups)


def _between_models(
    first: BoolArray | FloatArray, second: BoolArray | FloatArray, groups: IntArray | None, seed: int
) -> Difference:
    gaps = first.astype(np.float64) - second.astype(np.float64)
    exact = first.dtype == np.bool_ and groups is None
    if exact:
        only_first, only_second = int((gaps > 0).sum()), int((gaps < 0).sum())
        low, high = tango(only_first, only_second, len(gaps))
        p_value = mcnemar(only_first, only_second)
        value = (only_first - only_second) / len(gaps)
        return Difference(value, low, high, p_value, Scope.MODELS, len(gaps), len(gaps), 1, None)
    images = _image_luck(gaps, first.dtype == np.bool_, groups)
    parts = Luck(images.variance, 0.0, images.degrees)
    found = _by_t(gaps, first.dtype == np.bool_, parts, 1, Scope.MODELS, groups)
    if groups is None:
        return found
    return replace(found, p_value=clusters.sign_flip(gaps, groups, seed))


def _image_luck(gaps: FloatArray, correctness: bool, groups: IntArray | None) -> MeanVariance:
    """The variance of the mean difference over images, or groups of them.

    Where two strategies never disagree on a few hundred images they still may on the next. Differences in
    correctness are therefore taken with two more images, one for either side (Bonett and Price 2012, J. Educ. Behav.
    Stat. 37, 479-488), each as heavy as the group of an average image.
    """
    found = clusters.mean_variance(gaps, groups)
    if not correctness:
        return found
    images = len(gaps)
    sizes = np.ones(images) if groups is None else np.bincount(groups)
    size = float(sizes @ sizes) / images
    return MeanVariance((found.variance * images**2 + 2 * size) / (images + 2 * size) ** 2, found.degrees)


def _by_t(
    gaps: FloatArray, correctness: bool, parts: Luck, runs: int, scope: Scope, groups: IntArray | None
) -> Difference:
    """Interval and p-value from one t distribution, so that they never disagree."""
    value = float(gaps.mean())
    error = float(np.sqrt(parts.variance))
    half = float(t.ppf(TAILS[1], parts.degrees)) * error
    p_value = float(2 * t.sf(abs(value) / error, parts.degrees)) if error else float(value == 0)
    most = 1.0 if correctness else np.inf
    number = len(gaps) if groups is None else np.unique(groups).size
    return Difference(
        value, max(-most, value - half), min(most, value + half), p_value, scope, len(gaps), number, runs, parts
    )
