"""More than 8 bits a channel: how such values become the 8 bits that every base was trained on."""

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from headstart.foundation.framing import FULL
from headstart.images.unreadable import UnreadableImage


def to_eight_bits(values: npt.NDArray[Any], white: int = FULL) -> npt.NDArray[np.uint8]:
    """Scale channel values linearly to 0 to 255, rounded.

    Every image of a set is scaled by the same ``white``, never by its own brightest pixel: brightness may be what
    separates the classes, and the same scene must look the same in a dark picture and in a bright one. What
    instruments of 10, 12 or 14 bits store in 16 stays dark by default, therefore; see :func:`peak`.

    Integers are from 0 to 65535; ``white`` and all above become 255. Floats are from 0 to 1.

    Raises:
        UnreadableImage: values lie outside those ranges.
    """
    if values.dtype.kind == "f":
        # False for NaN as well.
        if not (values.min() >= 0.0 and values.max() <= 1.0):
            raise UnreadableImage("floating-point pixels outside 0 to 1: not supported, convert it to PNG")
        return np.asarray(np.rint(values * 255), dtype=np.uint8)
    if values.min() < 0:
        raise UnreadableImage("pixels below 0: not supported, shift and scale them to 0 to 65535")
    if values.max() > FULL:
        raise UnreadableImage("pixels of more than 16 bits: not supported, convert it to PNG")
    scaled: npt.NDArray[np.uint8] = _table(white)[values]
    return scaled


def peak(values: npt.NDArray[Any]) -> int | None:
    """The largest of integer values, by which a set that uses only the low bits is recognized; None of floats."""
    return None if values.dtype.kind == "f" else int(values.max())


@lru_cache(maxsize=8)
def _table(white: int) -> npt.NDArray[np.uint8]:
    values = np.minimum(np.arange(FULL + 1, dtype=np.int64), white)
    table = ((values * 255 * 2 + white) // (2 * white)).astype(np.uint8)
    table.flags.writeable = False
    return table
