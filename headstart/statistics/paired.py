"""Two sets of answers to the same test images: exact tests, intervals and power.

Only the images that exactly one of the two classifies correctly (the discordant ones) separate them.
"""

from math import sqrt

import numpy as np
from scipy.stats import binom, binomtest, norm

from headstart.statistics.intervals import LEVEL

ALPHA = 1 - LEVEL  # the risk of calling any difference real when none is, over all pairs that are corrected together
POWER = 0.8  # how often the smallest difference that counts as detectable would be found


def mcnemar(only_first: int, only_second: int) -> float:
    """Two-sided p-value of the exact McNemar test: would a fair coin divide the discordant images so.

    McNemar (1947), Psychometrika 12, 153-157; for comparing classifiers Dietterich (1998), Neural
    Computation 10, 1895-1923. 1 if there are no discordant images.
    """
    discordant = only_first + only_second
    return float(binomtest(only_first, discordant).pvalue) if discordant else 1.0


def tango(only_first: int, only_second: int, images: int) -> tuple[float, float]:
    """The 95 % score interval of the difference between two accuracies on the same images.

    The differences that a score test doesn't reject: Tango (1998), Stat. Med. 17, 891-908. Recommended
    for its coverage by Fagerland, Lydersen and Laake (2014), Stat. Med. 33, 2850-2875. It is a little
    narrower than the exact McNemar test is strict, so a difference that the test calls real has an
    interval without nought in it, while the reverse may fail.

    Args:
        only_first: how many images only the first strategy classifies correctly.
        only_second: how many only the second does.
        images: how many both answered.

    Returns:
        The ends for first minus second, as shares of the images.
    """
    critical = float(norm.ppf(1 - ALPHA / 2)) ** 2
    estimate = (only_first - only_second) / images

    def rejected(difference: float) -> bool:
        # Most likely probability of "only the second is right" if this were the true difference.
        linear = (2 * images - only_first + only_second) * difference - only_first - only_second
        constant = -only_second * difference * (1 - difference)
        likely = (sqrt(max(0.0, linear**2 - 8 * images * constant)) - linear) / (4 * images)
        variance = images * (2 * likely + difference * (1 - difference))
        return (only_first - only_second - images * difference) ** 2 > critical * variance

    def end(outside: float) -> float:
        inside = estimate
        for _ in range(60):  # halves the distance to below the last bit
            middle = (inside + outside) / 2
            inside, outside = (inside, middle) if rejected(middle) else (middle, outside)
        return inside

    return end(-1.0), end(1.0)


def power(images: int, discordance: float, difference: float, alpha: float) -> float:
    """How often the exact McNemar test finds a true difference.

    The conditional power for every possible number of discordant images, weighed by how likely that
    number is: Duffy (1984), Biometrics 40, 1005-1015.

    Args:
        images: in the test split.
        discordance: share of images that exactly one of the strategies classifies correctly, above 0.
        difference: between the accuracies, from 0 to ``discordance``.
        alpha: two-sided level of the test.
    """
    # Numbers of discordant images outside these come up less than once in 10^12 test splits.
    start, end = binom.ppf([1e-12, 1 - 1e-12], images, discordance)
    discordant = np.arange(start, end + 1)
    # The largest count for the weaker strategy at which the test still rejects; -1 where it never does.
    largest = binom.ppf(alpha / 2, discordant, 0.5)
    largest -= binom.cdf(largest, discordant, 0.5) > alpha / 2
    share = (discordance + difference) / (2 * discordance)
    found = binom.cdf(largest, discordant, share) + binom.sf(discordant - largest - 1, discordant, share)
    return float(np.dot(binom.pmf(discordant, images, discordance), found))


def decidable(images: int, pairs: int) -> bool:
    """Whether the exact test with Holm's correction can reject at all: if one is always right, one never."""
    return mcnemar(images, 0) * pairs < ALPHA
