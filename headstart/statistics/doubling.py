"""What twice the training images would add to the accuracy: a law through the last two points of a learning curve."""

from collections.abc import Sequence

import numpy as np
from scipy.stats import norm

from headstart.foundation.array_types import BoolArray, FloatArray
from headstart.statistics.intervals import RESAMPLES, TAILS, Share, bootstrap_weights

# The variance between draws of half the images, times this, is the luck of the one training split that there is, with
# some of the error of the law.
_LUCK_OF_THE_SPLIT = 1.5


def doubling(sizes: Sequence[int], right: BoolArray, seed: int) -> Share | None:
    """The gain in accuracy from twice the images of the largest training set, with its 95 % interval.

    Its variance is that of resampled test images and repeats (Owen 2007, The pigeonhole bootstrap, Ann. Appl. Stat. 1,
    386-411), plus 1.5 times the variance between the draws of the last size but one. Where that is half of the
    images, two draws share half of theirs, and differ as much as two independent splits of the whole size would
    (half-samples: McCarthy 1969, Rev. Int. Stat. Inst. 37, 239-264).

    Args:
        sizes: numbers of training images, ascending, the last but one about half of the last.
        right: which test images each training classified correctly, shape (sizes, repeats, test images).
        seed: for the resamples.

    Returns:
        None for fewer than two sizes or two repeats: then nothing shows the luck of the draws.
    """
    if len(sizes) < 2 or right.shape[1] < 2:
        return None
    images = right.shape[2]
    means = right.mean(axis=(1, 2))
    value = float(doubling_gain(sizes, means[:, None], images)[0])
    resampled = doubling_gain(sizes, resampled_means(right[-2:], seed), images)
    between_draws = float(right[-2].mean(axis=1).var(ddof=1))
    half = float(norm.ppf(TAILS[1]) * np.sqrt(resampled.var(ddof=1) + _LUCK_OF_THE_SPLIT * between_draws))
    # No gain can be larger than the error that is left; half an error in one image more may be.
    left = max(value, 1 - float(means[-1]))
    return Share(value, value - half, min(value + half, left))


def doubling_gain(sizes: Sequence[int], accuracies: FloatArray, images: int) -> FloatArray:
    """The gain in accuracy from twice the images of the largest training set.

    The error is taken to go on falling as a power of the number of training images as it fell between the last two
    sizes (Hestness et al. 2017, Deep learning scaling is predictable, empirically). Smaller sizes, where that power is
    often another, have no say. Half an error in one image more is added, so that a faultless test has a logarithm
    too (Anscombe 1956, Biometrika 43, 461-464). Less error than none is never promised. Where errors stop falling, as
    with wrong labels, the law promises too much.

    Args:
        sizes: two or more numbers of training images, ascending.
        accuracies: shape (sizes, curves).
        images: how many test images the accuracies come from.

    Returns:
        Shape (curves,), as a share of the test images; negative where accuracy fell.
    """
    errors = ((1 - accuracies[-2:]) * images + 0.5) / (images + 1)
    power = np.log2(errors[1] / errors[0]) / np.log2(sizes[-1] / sizes[-2])
    gain: FloatArray = errors[1] * (1 - np.exp2(power))
    return gain


def resampled_means(right: BoolArray, seed: int) -> FloatArray:
    """Mean accuracies with test images and repeats drawn with replacement, shape (sizes, resamples)."""
    sizes, repeats, images = right.shape
    repeat_weights = np.concatenate(list(bootstrap_weights(repeats, RESAMPLES, seed + 1)), axis=1)
    flat = right.reshape(sizes * repeats, images).astype(np.float64)
    counts = np.concatenate([flat @ block for block in bootstrap_weights(images, RESAMPLES, seed)], axis=1)
    totals: FloatArray = np.einsum("srb,rb->sb", counts.reshape(sizes, repeats, -1), repeat_weights)
    totals /= images * repeats
    return totals
