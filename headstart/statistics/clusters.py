"""Images that come in groups (bursts, patients, plots): how much they are worth, and tests that count groups.

Images of one group are right or wrong together, so a hundred of them say less than a hundred strangers. ``groups``
are numbers, shape (images,); None where every image is a group of its own.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.stats import norm, t

from headstart.foundation.array_types import BoolArray, FloatArray, IntArray
from headstart.statistics.intervals import TAILS, Share, score_interval

# Up to as many groups every assignment of signs is tried: 2^16 sums. With more, so many are drawn.
_MOST_EXACT = 17
_DRAWS = 20_000
_AT_ONCE = 1000

# Sums of the same numbers in another order differ in the last digits, and count as equal.
_TIE = 1e-9


class MeanVariance(NamedTuple):
    """The variance of a mean over images, and the degrees of freedom it was estimated with."""

    variance: float
    degrees: float


def numbered(names: Sequence[str] | IntArray) -> IntArray:
    """Group numbers from 0 without gaps, in the order of the groups' names or numbers, shape (images,)."""
    numbers: IntArray = np.unique(np.asarray(names), return_inverse=True)[1].astype(np.int64)
    return numbers


def mean_variance(values: FloatArray, groups: IntArray | None = None) -> MeanVariance:
    """The variance of the mean of ``values`` (images,) over groups drawn at random.

    Linearised ratio of the groups' sums to their sizes, which are random as well: Cochran (1977), Sampling
    techniques, section 9A; the cluster-robust variance of Liang and Zeger (1986), Biometrika 73, 13-22, with the
    correction g / (g - 1). Without groups it is the usual s² / n. Infinite where there is one group only.
    """
    centred = values - values.mean()
    sums = centred if groups is None else np.bincount(groups, weights=centred)
    number = len(values) if groups is None else np.unique(groups).size
    if number < 2:
        return MeanVariance(np.inf, 1.0)
    variance = float(sums @ sums) * number / (number - 1) / len(values) ** 2
    return MeanVariance(variance, number - 1.0)


def intraclass_correlation(values: FloatArray, groups: IntArray) -> float:
    """How similar the values of one group are, from 0 (unrelated) to 1 (all the same).

    The estimator from the one-way analysis of variance for groups of unequal size, negative estimates set to 0:
    Donner and Koval (1980), Biometrics 36, 19-25. It is 1 where the values hold nothing to judge by, since all
    of them are equal or no group has two images: the cautious answer.

    Args:
        values: one number per image, shape (images,).
        groups: group numbers, shape (images,).
    """
    _, members, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    images, number = len(values), len(sizes)
    means = np.bincount(members, weights=values) / sizes
    between_squares = float(sizes @ np.square(means - values.mean()))
    within_squares = float(np.square(values - means[members]).sum())
    if number < 2 or images == number or between_squares + within_squares == 0:
        return 1.0
    between, within = between_squares / (number - 1), within_squares / (images - number)
    typical = (images - float(sizes @ sizes) / images) / (number - 1)
    return float(np.clip((between - within) / (between + (typical - 1) * within), 0, 1))


def effective_images(values: FloatArray, groups: IntArray | None) -> float:
    """How many independent images would say as much about the mean of ``values``, shape (images,), as these do.

    The number of images over the design effect 1 + (m - 1) ICC, m the size of the group that the average image
    is in (Kish 1965, Survey sampling, section 5.4). Between the number of groups of equal size and that of images.
    """
    if groups is None:
        return float(len(values))
    sizes = np.bincount(groups)
    size = float(sizes @ sizes) / len(values)
    return len(values) / (1 + (size - 1) * intraclass_correlation(values, groups))


def trusted(trials: float, degrees: float) -> float:
    """Fewer ``trials`` for a variance that is itself uncertain: times (z / t)² at its degrees of freedom.

    Korn and Graubard (1998), Survey Methodology 24, 193-201.
    """
    return trials * float(norm.ppf(TAILS[1]) / t.ppf(TAILS[1], max(1.0, degrees))) ** 2


def accuracy(right: BoolArray | FloatArray, groups: IntArray | None) -> Share:
    """The share of images classified correctly, with Wilson's interval on the effective number of images.

    Args:
        right: which images were classified correctly, or in what share of several runs, shape (images,).
        groups: group numbers, shape (images,), or None.
    """
    share = float(right.mean())
    trials = effective_images(right.astype(np.float64), groups)
    if groups is not None:
        trials = trusted(trials, np.unique(groups).size - 1)
    return score_interval(share, trials)


def sign_flip(gaps: FloatArray, groups: IntArray | None, seed: int) -> float:
    """Two-sided p-value of the mean of paired differences, were their signs a coin's for each group.

    If the two strategies are equally good, swapping them in a group changes nothing: the sum over the groups is
    as likely with the other sign. All assignments are tried where the groups that differ are few; otherwise
    20,000 are drawn, and the one that happened counts among them (Fisher 1935, The design of experiments,
    section 21; Winkler, Webster, Vidaurre, Nichols and Smith 2015, NeuroImage 123, 253-268, for groups; Phipson and
    Smyth 2010, Stat. Appl. Genet. Mol. Biol. 9, article 39, for counting it). Without groups and for 0 and ±1 it is
    the McNemar test, exact up to 17 discordant images.

    Args:
        gaps: first minus second strategy for each image, shape (images,).
        groups: group numbers, shape (images,), or None.
        seed: of the draws.
    """
    totals = gaps if groups is None else np.bincount(groups, weights=gaps)
    totals = totals[totals != 0]
    observed = abs(float(totals.sum()))
    least = observed - _TIE * float(np.abs(totals).sum())
    if len(totals) <= _MOST_EXACT:
        # By symmetry the first sign may stay as it is.
        sums = totals[:1]
        for total in totals[1:]:
            sums = np.concatenate([sums + total, sums - total])
        return float((np.abs(sums) >= least).mean()) if sums.size else 1.0
    source = np.random.default_rng(seed)
    reached = 1
    for _ in range(_DRAWS // _AT_ONCE):
        signs = source.integers(0, 2, size=(_AT_ONCE, len(totals)), dtype=np.int8)
        reached += int((np.abs((2.0 * signs - 1.0) @ totals) >= least).sum())
    return reached / (1 + _DRAWS)
