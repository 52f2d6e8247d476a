"""Nearly identical pictures: what is learned from one leaks into the score on the other."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy.fft import dctn

from headstart.foundation.array_types import FloatArray, GreyArray
from headstart.foundation.framing import Framing
from headstart.foundation.progress import track
from headstart.foundation.threads import map_ordered
from headstart.images import images

THUMBNAIL = 32  # pixels a side
# Larger images are shrunk to this side while they are decoded, which is many times faster; smaller ones are
# taken as they are, since enlarging blurs their differences.
_READ_AT = 8 * THUMBNAIL

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
    """The places of two images, ``first`` < ``second``, and their thumbnails' correlation."""

    first: int
    second: int
    correlation: float


def thumbnail(grey: GreyArray) -> GreyArray:
    """A grey picture, shape (height, width), shrunk to (32, 32), each pixel the mean of its area."""
    size = (THUMBNAIL, THUMBNAIL)
    return np.asarray(Image.fromarray(grey).resize(size, Image.Resampling.BOX))


def thumbnail_of(file: Path, width: int, height: int, white: int) -> GreyArray:
    """The thumbnail of an image, ``width`` × ``height`` pixels, ``white`` being the value shown white in 16 bits.

    Raises:
        InputError: it doesn't decode.
    """
    large = min(width, height) > _READ_AT
    pixels = images.load(file, Framing(_READ_AT, white=white)) if large else images.decode(file.read_bytes(), white)
    return thumbnail(np.asarray(Image.fromarray(pixels).convert("L")))


def thumbnails(files: Sequence[tuple[Path, int, int]], white: int) -> GreyArray:
    """The thumbnails of images, each a file with its width and height: shape (images, 32, 32). There is one at least.

    Raises:
        InputError: one doesn't decode.
    """
    read = map_ordered(lambda file: thumbnail_of(*file, white), files)
    return np.stack(list(track(read, "look for near-duplicates", len(files), " images")))


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


def near_duplicates(thumbnails: GreyArray, apart: Sequence[str] | None = None) -> list[NearDuplicate]:
    """Pairs of near-duplicates, the most similar first.

    It finds pictures that were scaled, recompressed, greyed or brightened, not ones that were cropped,
    turned or mirrored.

    Args:
        thumbnails: of every image, shape (images, 32, 32).
        apart: the split or group of each image: pairs within one are left out. None leaves out none.
    """
    hashes = perceptual_hashes(thumbnails)
    shapes = _standardised(thumbnails)
    place = np.arange(len(hashes)) if apart is None else np.unique(np.asarray(apart), return_inverse=True)[1]
    pairs = []
    for start in range(0, len(hashes), _BLOCK):
        rows = slice(start, start + _BLOCK)
        bits = np.bitwise_count(hashes[rows, None] ^ hashes)  # (block, images)
        close, second = np.nonzero((bits <= _MOST_BITS) & (place[rows, None] != place))
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
