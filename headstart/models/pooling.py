"""Feature maps averaged over their positions: one number a channel."""

import numpy as np
from numpy.typing import NDArray

from headstart.foundation.array_types import FloatArray
from headstart.foundation.arrays import release

# Images that are averaged at once.
_BLOCK = 512


def average(maps: NDArray[np.generic]) -> FloatArray:
    """Average feature maps (images, height, width, channels) over height and width, to float64 (images, channels)."""
    blocks = [
        np.asarray(maps[start : start + _BLOCK], dtype=np.float64).mean(axis=(1, 2))
        for start in range(0, len(maps), _BLOCK)
    ]
    release(maps)
    return np.concatenate(blocks)
