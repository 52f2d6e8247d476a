"""Which of many are shown, where all would be too many: evenly spaced ones, the same for every image and every run."""

import numpy as np

from headstart.foundation.array_types import IntArray


def spaced(count: int, most: int) -> IntArray:
    """Return up to ``most`` of the numbers 0 to ``count`` - 1, evenly spaced from the first to the last."""
    places: IntArray = np.linspace(0, count - 1, min(most, count)).round().astype(np.int64)
    return places
