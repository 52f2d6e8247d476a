"""How far a number could be from what other test images of the same kind would have shown."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest, norm

from headstart.foundation.array_types import FloatArray

LEVEL = 0.95
TAILS = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)
RESAMPLES = 2000  # each end of a 95 % interval then rests on fifty resamples

# Numbers that one block of weights may hold, so that memory stays flat however many images: 32 MB.
_BLOCK = 4_000_000

# Leaving out this many groups of images, not single images, keeps the jackknife linear in the images.
_JACKKNIFE_GROUPS = 2000

# Metrics of every column of weights: (images, columns) -> (..., columns), NaN where one is undefined.
WeightedMetric = Callable[[FloatArray], FloatArray]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number and its 95 % interval.

    All three are None where the images leave the number undefined; ``low`` and ``high`` alone where
    they define the number but not how far it may be off.
    """

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Share:
    """A share of images and its 95 % interval."""

    value: float
    low: float
    high: float


def wilson(successes: int, images: int) -> Share:
    """The share of ``successes`` among one or more ``images``, with Wilson's score interval.

    It holds its level for small counts and near 0 and 1, where the textbook's plus-or-minus does not:
    Wilson (1927), J. Am. Stat. Assoc. 22, 209-212; Brown, Cai and DasGupta (2001), Stat. Sci. 16, 101-133.
    """
    ends = binomtest(successes, images).proportion_ci(confidence_level=LEVEL, method="wilson")
    return Share(successes / images, float(ends.low), float(ends.high))


def score_interval(share: float, trials: float) -> Share:
    """Wilson's interval of a share that is worth as much as ``trials`` independent images, a whole number or not.

    Kish's effective sample size in place of the number of images: Franco, Little, Louis and Slud (2019),
    Comparative study of confidence intervals for proportions in complex sample surveys, J. Surv. Stat.
    Methodol. 7, 334-364, where it held its level best. The same as :func:`wilson` for whole numbers.
    """
    squared = float(norm.ppf(TAILS[1])) ** 2
    middle = (share + squared / (2 * trials)) / (1 + squared / trials)
    half = np.sqrt(squared * (share * (1 - share) + squared / (4 * trials)) / trials) / (1 + squared / trials)
    # Rounding alone could leave out a share of exactly 0 or 1.
    return Share(share, min(share, max(0.0, float(middle - half))), max(share, min(1.0, float(middle + half))))


def bootstrap_weights(images: int, resamples: int, seed: int) -> Iterator[FloatArray]:
    """How often each image appears in each resample, in blocks of shape (images, some resamples).

    Every column is a draw of ``images`` images with replacement, so it sums to ``images``. The same
    seed gives the same draws, so that strategies scored on one split share their resamples.
    """
    generator = np.random.default_rng(seed)
    at_once = max(1, _BLOCK // images)
    for start in range(0, resamples, at_once):
        columns = min(at_once, resamples - start)
        drawn = generator.integers(images, size=(images, columns))
        flat = np.bincount((drawn * columns + np.arange(columns)).ravel(), minlength=images * columns)
        yield flat.reshape(images, columns).astype(np.float64)


def jackknife_weights(images: int) -> Iterator[FloatArray]:
    """Weights that leave out one image a column, or one group of every 2,000th image; in blocks."""
    groups = min(images, _JACKKNIFE_GROUPS)
    # Every n-th image, not n neighbours: images come sorted by class, and a group should hold them all.
    member = np.arange(images) % groups
    at_once = max(1, _BLOCK // images)
    for start in range(0, groups, at_once):
        left_out = np.arange(start, min(start + at_once, groups))
        yield (member[:, None] != left_out).astype(np.float64)


def over_blocks(metric: WeightedMetric, blocks: Iterator[FloatArray]) -> FloatArray:
    """The metric of every column of every block, shape (..., columns of all blocks)."""
    return np.concatenate([metric(block) for block in blocks], axis=-1)


def bca(value: float, resampled: FloatArray, left_out: FloatArray) -> tuple[float, float]:
    """The bias-corrected and accelerated 95 % bootstrap interval of ``value``.

    Efron (1987), Better bootstrap confidence intervals, J. Am. Stat. Assoc. 82, 171-185. Where errors
    are few, as with most metrics here, it keeps close to its level when plain percentiles fall short.

    Args:
        value: the metric of the images themselves.
        resampled: the metric of each bootstrap resample; NaN (a resample without some class) is left out.
        left_out: the metric of each jackknife sample; NaN is left out.

    Returns:
        Its ends.
    """
    resampled = resampled[~np.isnan(resampled)]
    left_out = left_out[~np.isnan(left_out)]
    below = ((resampled < value).mean() + (resampled <= value).mean()) / 2
    # All resamples on one side would make the correction infinite; half a resample is the resolution.
    half = 0.5 / resampled.size
    bias = norm.ppf(np.clip(below, half, 1 - half))
    influence = left_out.mean() - left_out if left_out.size else np.zeros(1)
    spread = float((influence**2).sum())
    acceleration = float((influence**3).sum()) / (6 * spread**1.5) if spread > 0 else 0.0
    tails = bias + norm.ppf(TAILS)
    stretch = np.maximum(1 - acceleration * tails, np.finfo(np.float64).tiny)
    low, high = np.quantile(resampled, norm.cdf(bias + tails / stretch))
    return float(low), float(high)
