"""TIFF files that Pillow can't read, or reads wrong: of more than 8 bits a channel, signed, floating, of many bands.

Pillow 13 takes rows for columns in planar images of 16 bits, shows min-is-white ones of 16 bits as negatives,
keeps 8 bits of 16 in colour, and knows no floating-point colour. tifffile and imagecodecs read all of these; so
Pillow keeps the images of 8 bits, for which its libtiff is at its best.
"""

import io
import logging
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from headstart.images import depth
from headstart.images.unreadable import UnreadableImage

if TYPE_CHECKING:
    from tifffile import TiffPage

# It logs what it finds odd, and where nobody has set up logging, that goes to stderr.
logging.getLogger("tifffile").setLevel(logging.CRITICAL + 1)

# TIFF 6.0, PhotometricInterpretation.
_MIN_IS_WHITE, _MIN_IS_BLACK, _RGB, _PALETTE, _SEPARATED = 0, 1, 2, 3, 5
_LAB = frozenset({8, 9, 10})
_RAW = frozenset({32803, 34892})
# Channels of the colours that can be shown.
_COLOURS = {_MIN_IS_WHITE: 1, _MIN_IS_BLACK: 1, _RGB: 3, _PALETTE: 1, _SEPARATED: 4}
_MOST_CHANNELS = 4
# The modes of Pillow that hold so many colours: opaque, with alpha, with colours multiplied by alpha.
_MODES = {1: ("L", "LA", "La"), 3: ("RGB", "RGBA", "RGBa")}
_ASSOCIATED_ALPHA, _UNASSOCIATED_ALPHA = 1, 2
_UNSIGNED, _SIGNED, _FLOATING, _UNDEFINED = 1, 2, 3, 4

# None, LZW, Deflate by either number, PackBits, LZMA, Zstandard: all of them lossless and of bounded output.
_COMPRESSIONS = frozenset({1, 5, 8, 32946, 32773, 34925, 50000})
# An image of one row a strip has its height of them; tiles have 256 pixels at least.
_MOST_PIECES = 1 << 19

_PROFILE_TAG, _ORIENTATION_TAG, _DNG_VERSION_TAG = 34675, 274, 50706
RAW = "a camera's raw file: not supported, convert it to JPEG or PNG"


def deep(data: bytes, white: int, most_pixels: int, *, shallow: bool = False) -> Image.Image | None:
    """Decode the first image of a TIFF file unless Pillow reads it well.

    Args:
        data: the whole file.
        white: see :func:`headstart.images.depth.to_eight_bits`. What is packed in 9 to 15 bits has
            the largest such value for white.
        most_pixels: an image of more isn't decoded.
        shallow: decode it even if it has no more than 8 bits a channel.

    Returns:
        The image in 8 bits a channel, with its orientation, its profile and the ``peak`` of its values in ``info``;
        None if it is one for Pillow.

    Raises:
        UnreadableImage: it can't be shown, for the reason it gives.
        Exception: of many kinds: it is damaged.
    """
    import tifffile

    with tifffile.TiffFile(io.BytesIO(data), is_lsm=False) as file:
        page = file.pages.first
        if _DNG_VERSION_TAG in page.tags:
            raise UnreadableImage(RAW)
        width, height = page.imagewidth, page.imagelength
        if width * height > most_pixels:
            raise UnreadableImage(f"too large: {width} × {height} pixels, over {most_pixels // 1_000_000} million")
        if not shallow and _is_pillows(page):
            return None
        _check(page, len(data), most_pixels)
        image = _shown(page, _values(page), white)
        if profile := page.tags.get(_PROFILE_TAG):
            image.info["icc_profile"] = bytes(profile.value)
        if orientation := page.tags.get(_ORIENTATION_TAG):
            image.getexif()[_ORIENTATION_TAG] = int(orientation.value)
        return image


def _bits(page: "TiffPage") -> int:
    return int(np.max(page.bitspersample))


def _formats(page: "TiffPage") -> frozenset[int]:
    return frozenset(np.atleast_1d(page.sampleformat).tolist())


def _is_pillows(page: "TiffPage") -> bool:
    unsigned = _formats(page) <= {_UNSIGNED, _UNDEFINED}
    return _bits(page) <= 8 and unsigned and page.samplesperpixel <= _MOST_CHANNELS + 1


def _check(page: "TiffPage", size: int, most_pixels: int) -> None:
    """Raise UnreadableImage for what can't be shown or must not be decoded."""
    if page.photometric in _RAW:
        raise UnreadableImage(RAW)
    if page.photometric in _LAB:
        raise UnreadableImage("Lab colours: not supported, convert it to JPEG or PNG")
    colours = _COLOURS.get(page.photometric)
    extra = page.samplesperpixel - (colours or 0)
    if page.photometric == _MIN_IS_BLACK and page.samplesperpixel == 3:
        extra = 0  # What has three bands and names no colours is shown as RGB everywhere.
    if page.samplesperpixel > _MOST_CHANNELS + 1 or (colours and extra > 1):
        raise UnreadableImage(f"{page.samplesperpixel} bands: not supported, make an RGB image of three")
    if colours is None or extra < 0:
        name = getattr(page.photometric, "name", page.photometric)
        raise UnreadableImage(f"TIFF colours {name}: not supported, convert it to JPEG or PNG")
    if page.compression not in _COMPRESSIONS:
        name = getattr(page.compression, "name", page.compression)
        raise UnreadableImage(f"TIFF compression {name} of {_bits(page)} bits: not supported, convert it to PNG")
    if page.dtype is None or page.dtype.kind not in "biuf":
        raise UnreadableImage("pixels that are complex numbers or of odd sizes: not supported, convert it to PNG")
    if page.imagedepth != 1:
        raise UnreadableImage("a volume: not supported, make an image of one slice")
    pieces = int(np.prod(page.chunked))
    largest = int(np.prod(page.chunks)) * page.dtype.itemsize
    # RGB of 16 bits has 6 bytes a pixel.
    if max(page.nbytes, largest) > 6 * most_pixels or pieces > _MOST_PIECES:
        raise UnreadableImage(f"too large: {page.nbytes >> 20} MB decoded, in {pieces} pieces")
    ends = [offset + count for offset, count in zip(page.dataoffsets, page.databytecounts, strict=True) if count]
    if len(ends) < pieces and not (page.is_contiguous and ends):
        raise UnreadableImage("damaged TIFF")
    if max(ends) > size:
        raise UnreadableImage("truncated TIFF")


def _values(page: "TiffPage") -> npt.NDArray[Any]:
    """The channel values, (height, width, channels), whether they are stored by pixel or by plane."""
    planes = page.asarray(squeeze=False, maxworkers=1)  # (planes, depth, height, width, channels)
    return np.moveaxis(planes[:, 0], 0, 2).reshape(page.imagelength, page.imagewidth, page.samplesperpixel)


def _shown(page: "TiffPage", values: npt.NDArray[Any], white: int) -> Image.Image:
    """Make 8-bit colours and alpha of channel values."""
    bits = _bits(page)
    if page.photometric == _PALETTE:
        # TIFF 6.0, ColorMap: 16 bits a colour.
        assert page.colormap is not None, "a palette image has a palette"
        colours = depth.to_eight_bits(np.moveaxis(page.colormap[:, values[..., 0]], 0, -1))
        return _image(colours, "RGB", None)
    # Only whole words leave it open how many of their bits are used.
    is_word = values.dtype.kind == "f" or bits in (16, 32, 64)
    peak = depth.peak(values) if bits == 16 else None
    scaled = depth.to_eight_bits(values, white if is_word else (1 << bits) - 1)
    named = _COLOURS[page.photometric]
    count = 3 if page.photometric == _MIN_IS_BLACK and page.samplesperpixel == 3 else named
    colours = scaled[..., :count]
    if page.photometric == _MIN_IS_WHITE:
        colours = 255 - colours
    if page.photometric == _SEPARATED:
        return _image(colours, "CMYK", peak)
    alpha = page.extrasamples[0] if page.extrasamples and page.samplesperpixel > count else None
    opaque, unassociated, associated = _MODES[count]
    if alpha == _UNASSOCIATED_ALPHA:
        return _image(np.concatenate([colours, scaled[..., count:]], axis=-1), unassociated, peak)
    if alpha == _ASSOCIATED_ALPHA:
        return _image(np.concatenate([colours, scaled[..., count:]], axis=-1), associated, peak).convert(unassociated)
    return _image(colours, opaque, peak)


def _image(pixels: npt.NDArray[np.uint8], mode: str, peak: int | None) -> Image.Image:
    height, width = pixels.shape[:2]
    image = Image.frombytes(mode, (width, height), np.ascontiguousarray(pixels).tobytes())
    image.info["peak"] = peak
    return image
