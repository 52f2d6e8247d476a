"""What an interval decides, once somebody has said how much matters: the margin, a share of the images.

A test that finds no difference doesn't show that there is none. Only an interval that excludes a loss of more than the
margin does.
"""

from enum import StrEnum

from headstart.statistics.intervals import Share


class Amount(StrEnum):
    """Whether the training images are few or many for the task."""

    SMALL = "small"
    LARGE = "large"
    OPEN = "open"


def amount(doubling: Share | None, margin: float) -> Amount:
    """Whether more training images would pay, by the interval of what twice as many would gain.

    LARGE where even the upper end is below the margin: enough. Otherwise SMALL where the lower end is above 0: more
    pay. Otherwise OPEN, as without a learning curve. How many test images there are moves neither end's limit.
    """
    if doubling is None:
        return Amount.OPEN
    if doubling.high < margin:
        return Amount.LARGE
    return Amount.SMALL if doubling.low > 0 else Amount.OPEN


def at_most_worse(low: float, margin: float) -> float | None:
    """By how much the first of two strategies is worse at the most; None if that may be more than the margin.

    Non-inferiority: Piaggio, Elbourne, Pocock, Evans and Altman (2012), Reporting of noninferiority and equivalence
    randomized trials, J. Am. Med. Assoc. 308, 2594-2604. The lower end of a 95 % interval makes it a test at 2.5 %.

    Args:
        low: lower end of the interval of the first's accuracy minus the second's.
        margin: the largest loss that doesn't matter, above 0.

    Returns:
        A share of 0 or more: 0 if the first is better or as good.
    """
    return max(0.0, -low) if low > -margin else None
