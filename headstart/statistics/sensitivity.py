"""The smallest difference that a comparison would show four times in five."""

import numpy as np
from scipy.optimize import brentq
from scipy.stats import t

from headstart.statistics.paired import POWER, power


def smallest_difference(images: int, discordant: int, alpha: float) -> float | None:
    """The smallest true difference in accuracy that the exact McNemar test finds four times in five.

    The difference comes on top of today's disagreement, which goes on favouring neither: strategies that differ by x
    disagree on ``discordant`` images' share plus x. Taking all of today's disagreement for the difference itself
    promises 80 % and finds it in 31 to 65 %.

    Args:
        images: in the test split.
        discordant: how many of them exactly one strategy classifies correctly.
        alpha: two-sided level. Under Holm's correction the largest of several differences has to pass at alpha
            divided by their number.

    Returns:
        A share of the images, or None if no difference that is possible would be found so often.
    """
    share = discordant / images
    # Beyond it the two would disagree on more than all of the images.
    largest = 1 - share

    def shortfall(difference: float) -> float:
        return power(images, share + difference, difference, alpha) - POWER

    if largest <= 0 or shortfall(largest) < 0:
        return None
    return float(brentq(shortfall, 1e-9, largest, xtol=1e-6))


def smallest_by_t(variance: float, degrees: float, images: float, alpha: float) -> float:
    """The same for a difference that is judged by t, as between runs or folds.

    With c the sum of the quantiles of t at 1 - alpha / 2 and at the power, x = c sqrt(V + x / n): the variance grows
    by the disagreement that x adds (Julious 2010, Sample sizes for clinical trials, section 3.2, for the first).

    Args:
        variance: of the difference observed.
        degrees: of freedom of the variance.
        images: effective number of test images.
        alpha: two-sided level.

    Returns:
        A share of the images; 1 at most.
    """
    critical = float(t.ppf(1 - alpha / 2, degrees) + t.ppf(POWER, degrees))
    added = critical**2 / images
    return min(1.0, (added + float(np.sqrt(added**2 + 4 * critical**2 * variance))) / 2)
