"""Nearly identical pictures in two splits: what is learned from one leaks into the score on the other."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy.fft import dctn

from headstart.foundation.array_types import FloatArray, GreyArray

THUMBNAIL = 32  # pixels a side

# A hash holds the signs of this many of the lowest frequencies a side: 8 x 8 make 64 bits.
_FREQUENCIES = 8

# A pair is looked at if its hashes differ in no more bits than this, and listed if its thumbnails also
# correlate this much. Of 5,000 photographs the two passed two pairs, both of them one picture saved twice;
# of 1,500 small pictures of clothes, similar as those are, none, where the hash alone passed thousands.
_MOST_BITS = 10
_LEAST_CORRELATION = 0.99

_BLOCK = 512  # images compared with all others at once, so that memory stays flat


@dataclass(frozen=True, slots=True)
class NearDuplicate:
    """Rows of two images in different splits, ``first`` < ``second``, and their thumbnails' correlation."""

    first: int
    second: int
    correlation: float


def thumbnail(grey: GreyArray) -> GreyArray:
    """A grey picture, shape (height, width), shrunk to (32, 32), each pixel the mean of its area."""
    size = (THUMBNAIL, THUMBNAIL)
    return np.asarray(Image.fromarray(grey).resize(size, Image.Resampling.BOX))


def perceptual_hashes(thumbnails: GreyArray) -> npt.NDArray[np.uint64]:
    """64 bits a picture that survive scaling, recompression, greying and changes of brightness.

    The signs of the lowest frequencies of the cosine transform about their median: "pHash", Zauner (2010),
    Implementation and benchmarking of perceptual image hash functions, section 3.2.1.

    Args:
        thumbnails: shape (images, 32, 32).

    Returns:
        Shape (images,).
    """
    waves = dctn(thumbnails.astype(np.float64), axes=(1, 2))[:, :_FREQUENCIES, :_FREQUENCIES]
    low = waves.reshape(len(thumbnails), _FREQUENCIES**2)
    # The first coefficient is the mean brightness: so large that it would only shift the median.
    above = low > np.median(low[:, 1:], axis=1, keepdims=True)
    return np.packbits(above, axis=1).view(np.uint64)[:, 0]


def near_duplicates(thumbnails: GreyArray, splits: Sequence[str]) -> list[NearDuplicate]:
    """Pairs of near-duplicates across splits, the most similar first.

    It finds pictures that were scaled, recompressed, greyed or brightened, not ones that were cropped,
    turned or mirrored.

    Args:
        thumbnails: of every image, shape (images, 32, 32).
        splits: each image's split.
    """
    hashes = perceptual_hashes(thumbnails)
    shapes = _standardised(thumbnails)
    split = np.unique(np.asarray(splits), return_inverse=True)[1]
    pairs = []
    for start in range(0, len(hashes), _BLOCK):
        rows = slice(start, start + _BLOCK)
        bits = np.bitwise_count(hashes[rows, None] ^ hashes)  # (block, images)
        close, second = np.nonzero((bits <= _MOST_BITS) & (split[rows, None] != split))
        first = close + start
        once = first < second
        first, second = first[once], second[once]
        correlations = np.einsum("ij,ij->i", shapes[first], shapes[second])
        similar = correlations >= _LEAST_CORRELATION
        pairs += [
            NearDuplicate(int(i), int(j), float(correlation))
            for i, j, correlation in zip(first[similar], second[similar], correlations[similar], strict=True)
        ]
    return sorted(pairs, key=lambda pair: (-pair.correlation, pair.first, pair.second))


def _standardised(thumbnails: GreyArray) -> FloatArray:
    """Thumbnails as rows of mean 0 and length 1, whose dot product is the correlation; flat ones are 0."""
    rows = thumbnails.reshape(len(thumbnails), THUMBNAIL**2).astype(np.float64)
    rows -= rows.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    standardised = np.zeros_like(rows)
    np.divide(rows, lengths, out=standardised, where=lengths > 0)
    return standardised
