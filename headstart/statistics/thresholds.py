"""Where to draw the line between two classes that are not equally bad to get wrong, and what that does."""

from dataclasses import dataclass

import numpy as np

from headstart.foundation.array_types import BoolArray, FloatArray
from headstart.statistics.intervals import Share
from headstart.statistics.outcome import Outcome


@dataclass(frozen=True, slots=True)
class Line:
    """What a threshold does on images that it wasn't chosen on; shares with 95 % intervals."""

    threshold: float  # from which probability on an image counts as positive
    recall: Share | None  # of the positive images, the share found
    specificity: Share | None  # of the others, the share left alone
    precision: Share | None  # of the images that count as positive, the share that is; None if none does


def by_recall(positive: BoolArray, scores: FloatArray, wanted: float) -> float | None:
    """The highest threshold that finds the wanted share of the positive validation images; None without any.

    Args:
        positive: whether each is positive, shape (images,).
        scores: probability of the positive class, shape (images,).
        wanted: above 0, up to 1.
    """
    own = np.sort(scores[positive])[::-1]
    # A share such as 0.95 of 20 images is 19 of them, whatever the rounding of the product.
    return float(own[int(np.ceil(wanted * len(own) - 1e-9)) - 1]) if len(own) else None


def by_cost(positive: BoolArray, scores: FloatArray, miss_cost: float) -> float:
    """The threshold at which the validation images cost the least, if a miss costs ``miss_cost`` false alarms.

    Of equally cheap ones that which is nearest to 1 / (1 + cost), the best there is for probabilities that are exactly
    right: Elkan (2001), The foundations of cost-sensitive learning, IJCAI.

    Args:
        positive: whether each is positive, shape (images,).
        scores: probability of the positive class, shape (images,).
        miss_cost: above 0.
    """
    ideal = 1 / (1 + miss_cost)
    # Between two scores any threshold does the same; the ideal one stands for those around it. Above all of them
    # nothing is positive.
    candidates = np.unique(np.concatenate([scores, [np.nextafter(scores.max(), np.inf), ideal]]))
    misses = np.searchsorted(np.sort(scores[positive]), candidates)  # scores below each candidate
    alarms = (~positive).sum() - np.searchsorted(np.sort(scores[~positive]), candidates)
    costs = miss_cost * misses + alarms
    cheapest = candidates[costs <= costs.min() + 1e-9]
    return float(cheapest[np.abs(cheapest - ideal).argmin()])


def drawn(tested: Outcome, positive: int, threshold: float) -> Line:
    """What a threshold does on test images.

    Args:
        tested: the strategy on them.
        positive: number of the positive class.
        threshold: from validation images.
    """
    belongs = tested.labels == positive
    found = tested.probabilities[:, :, positive] >= threshold  # (runs, images)
    once = tested.first(1)
    return Line(
        threshold,
        tested.share(found, belongs) if belongs.any() else None,
        tested.share(~found, ~belongs) if not belongs.all() else None,
        once.share(np.broadcast_to(belongs, found[:1].shape), found[0]) if found[0].any() else None,
    )
