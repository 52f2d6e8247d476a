"""Decodes image files into arrays: every supported format, and nothing that can harm the run."""

import ctypes
import io
import logging
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pillow_heif

# Pillow knows a format only once its plugin is imported.
from PIL import (
    AvifImagePlugin,
    Image,
    ImageCms,
    Jpeg2KImagePlugin,
    PngImagePlugin,
    PpmImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
    _imaging,
)

from headstart.foundation.errors import InputError
from headstart.foundation.framing import FULL, Framing
from headstart.images import depth, formats, png, tiff
from headstart.images.fitting import Box, fitted
from headstart.images.unreadable import UnreadableImage as UnreadableImage

Pixels = npt.NDArray[np.uint8]

# A photograph of 100 megapixels decodes into 300 MB. What declares more is refused before it is decoded.
MAX_PIXELS = 100_000_000
# Only uncompressed images with 16 bits a channel need more than this within MAX_PIXELS.
MAX_BYTES = 256 * 1024 * 1024
TOO_LARGE = f"too large: over {MAX_BYTES >> 20} MB"
# Pixels times scans of a progressive JPEG, which paints the whole picture once a scan. Cameras and
# editors write about ten scans; a file of a few kilobytes can hold hundreds and keep a core busy for hours.
_MAX_PAINTED = 200 * MAX_PIXELS

_FORMATS = (
    "JPEG",
    "PNG",
    "GIF",
    "BMP",
    TiffImagePlugin.TiffImageFile.format,
    WebPImagePlugin.WebPImageFile.format,
    AvifImagePlugin.AvifImageFile.format,
    Jpeg2KImagePlugin.Jpeg2KImageFile.format,
    PpmImagePlugin.PpmImageFile.format,
    pillow_heif.HeifImageFile.format,
)

# Pillow's own check counts differently and warns; ``_opened`` checks in its place.
Image.MAX_IMAGE_PIXELS = None
# Of a PNG only what ``png.without_texts`` leaves is inflated.
PngImagePlugin.MAX_TEXT_CHUNK = png.MOST_INFLATED

# A thumbnail would be decoded in the image's place, and prove nothing of it. Images are decoded side by side anyway.
pillow_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False, decode_threads=1)
AvifImagePlugin.DEFAULT_MAX_THREADS = 1

# Pillow warns of odd metadata. Nobody can do anything about that in one image of 25,000. This is
# the filter as ``warnings`` keeps it, for all threads: setting it just for a while would not be safe.
_HUSHED_PILLOW = ("ignore", None, Warning, re.compile("PIL"), 0)

# It logs as well, and where nobody has set up logging, errors go to stderr.
logging.getLogger("PIL").setLevel(logging.CRITICAL)

# EXIF 2.3, tag 0x0112: how the stored pixels are turned upright.
_ORIENTATION_TAG = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# The orientations that exchange width and height.
_SIDEWAYS = frozenset({5, 6, 7, 8})
# Those that, after such an exchange, mirror left to right, and top to bottom.
_MIRRORED_ACROSS = frozenset({2, 3, 6, 7})
_MIRRORED_DOWN = frozenset({3, 4, 7, 8})

# A JPEG is decoded at 1/2, 1/4 or 1/8 while at least this many pixels remain for each one asked for, along
# either side: the antialiased resize then still has enough to average over.
_DRAFT_FACTOR = 2


def _hush_libtiff() -> None:
    """Keep libtiff from printing what it finds wrong straight to the process's stderr, once per strip.

    Where Pillow is linked so that its libtiff can't be reached from outside, it goes on printing.
    """
    pillow = ctypes.CDLL(_imaging.__file__)
    if hasattr(pillow, "TIFFSetErrorHandler"):
        pillow.TIFFSetErrorHandler.argtypes = [ctypes.c_void_p]
        pillow.TIFFSetErrorHandler.restype = ctypes.c_void_p
        pillow.TIFFSetErrorHandler(None)


_hush_libtiff()


class Measured(NamedTuple):
    """What is known of an image that decodes."""

    width: int  # of the upright image, pixels
    height: int
    peak: int | None  # the largest value in it, if it has 16 bits a channel; None if it has any other number


def decode(data: bytes, white: int = FULL) -> Pixels:
    """Decode an image file as a viewer would show it.

    EXIF rotation is applied, a colour profile is converted to sRGB, transparency is laid on white,
    16 bits are scaled to 8, and of an animation or a sequence the first frame is taken. Where nothing is opaque,
    as in what Photoshop writes as BMP with 32 bits, the colours are shown.

    Args:
        data: the whole file: JPEG, PNG, GIF, WebP, BMP, TIFF, HEIF, AVIF, JPEG 2000, PBM, PGM or PPM, whatever
            its name says.
        white: the value of 16 bits that is shown white; see :func:`headstart.images.depth.to_eight_bits`.

    Returns:
        uint8, shape (height, width, 3), RGB.

    Raises:
        UnreadableImage: it isn't such a file, is damaged or truncated, or has more than MAX_PIXELS pixels.
    """
    with _opened(data, white) as image:
        image.load()
        return np.array(_turned(_flattened(image), image), dtype=np.uint8)


def measure(data: bytes) -> Measured:
    """Prove that ``data`` decodes and measure it.

    A JPEG is read to its end but reconstructed at 1/8: that takes a fraction of the time and finds
    the same faults.

    Raises:
        UnreadableImage: as :func:`decode`.
    """
    with _opened(data) as image:
        width, height = image.size
        drafted = image.draft(None, (1, 1))
        image.load()
        if not drafted:  # Some formats give their true size only now.
            width, height = image.size
        # Asked only now: Pillow itself turns a TIFF upright, size included, and then forgets its orientation.
        sideways = _orientation(image) in _SIDEWAYS
        _flattened(image)
        return Measured(*((height, width) if sideways else (width, height)), image.info.get("peak"))


def square(data: bytes, framing: Framing) -> Pixels:
    """Decode an image file and resize it into a square by antialiased bilinear interpolation.

    Returns:
        uint8, shape (size, size, 3), RGB.

    Raises:
        UnreadableImage: as :func:`decode`.
    """
    with _opened(data, framing.white) as image:
        width, height = image.size
        drafted = image.draft(None, (_DRAFT_FACTOR * framing.size, _DRAFT_FACTOR * framing.size))
        image.load()
        flat = _flattened(image)
        if not drafted:  # Some formats give their true size only now.
            width, height = flat.size
        # At 1/2 a side of 301 pixels becomes 151, of which only 150.5 are picture.
        box: Box = drafted[1] if drafted else (0, 0, *flat.size)
        if framing.fit == "stretch":
            # Turned afterwards, since the square is small.
            return np.array(_turned(fitted(flat, box, width, height, framing), image), dtype=np.uint8)
        orientation = _orientation(image)
        box = _turned_box(box, flat.size, orientation)
        if orientation in _SIDEWAYS:
            width, height = height, width
        return np.array(fitted(_turned(flat, image), box, width, height, framing), dtype=np.uint8)


def load(path: Path, framing: Framing) -> Pixels:
    """Read a prepared image as :func:`square` does.

    Raises:
        InputError: it doesn't decode.
    """
    try:
        return square(path.read_bytes(), framing)
    except UnreadableImage as error:
        raise InputError(f"{path}: {error.reason}; expected an image: run the prepare stage again") from None


@contextmanager
def _opened(data: bytes, white: int = FULL) -> Iterator[Image.Image]:
    """Yield the image that ``data`` holds, of 8 bits a channel; what goes wrong inside is UnreadableImage.

    An image that the file holds in 8 bits isn't decoded yet.
    """
    if not data:
        raise UnreadableImage("empty file")
    if len(data) > MAX_BYTES:
        raise UnreadableImage(TOO_LARGE)
    if _HUSHED_PILLOW not in warnings.filters:
        warnings.filterwarnings("ignore", module="PIL")
    try:
        with _parsed(data, white) as image:
            _check(image, data)
            yield _of_eight_bits(image, data, white)
    except (UnreadableImage, MemoryError):
        raise
    except UnidentifiedImageError:
        raise UnreadableImage(formats.refusal(data[: formats.HEAD_BYTES])) from None
    except Exception as error:  # A plugin raises whatever its parser runs into: a dozen kinds.
        # The text of the error isn't passed on: it holds memory addresses and changes between versions.
        fault = "truncated" if "truncated" in str(error).lower() else "damaged"
        raise UnreadableImage(f"{fault} {formats.supported(data[: formats.HEAD_BYTES])}") from None


def _parsed(data: bytes, white: int) -> Image.Image:
    """Read the header of an image for Pillow; decode a TIFF that is not for it."""
    kind = formats.supported(data[: formats.HEAD_BYTES])
    if kind != "TIFF":
        data = png.without_texts(data) if kind == "PNG" else data
        return Image.open(io.BytesIO(data), formats=_FORMATS)
    image = tiff.deep(data, white, MAX_PIXELS)
    if image is None:
        try:
            image = Image.open(io.BytesIO(data), formats=_FORMATS)
        except UnidentifiedImageError:
            # Sound all the same, perhaps, in a layout that Pillow doesn't know.
            image = tiff.deep(data, white, MAX_PIXELS, shallow=True)
            assert image is not None
    return image


def _of_eight_bits(image: Image.Image, data: bytes, white: int) -> Image.Image:
    """Replace an image of 16 bits a channel, or of floats from 0 to 1, by one of 8; other ones stay undecoded."""
    if image.format == "PNG" and (values := png.deep_values(data)) is not None:
        mode = {2: "LA", 3: "RGB", 4: "RGBA"}[values.shape[-1]]
    elif image.mode.startswith("I;16") or image.mode in ("I", "F"):
        values, mode = np.asarray(image), "L"
    else:
        return image
    converted = Image.frombytes(mode, image.size, depth.to_eight_bits(values, white).tobytes())
    converted.info = {**image.info, "peak": depth.peak(values)}
    return converted


def _check(image: Image.Image, data: bytes) -> None:
    """Raise UnreadableImage for what must not be decoded."""
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise UnreadableImage(f"too large: {width} × {height} pixels, over {MAX_PIXELS // 1_000_000} million")
    if image.format in ("JPEG", "MPO") and width * height * data.count(b"\xff\xda") > _MAX_PAINTED:
        raise UnreadableImage("too large: a JPEG that is painted over and over")


def _turned(flat: Image.Image, image: Image.Image) -> Image.Image:
    """Turn ``flat`` upright as the metadata of ``image``, which it was made of, asks for."""
    turn = _UPRIGHT.get(_orientation(image))
    return flat if turn is None else flat.transpose(turn)


def _turned_box(box: Box, size: tuple[int, int], orientation: int) -> Box:
    """Where a box in an image of ``size`` lies once that is turned upright."""
    left, top, right, bottom = box
    width, height = size
    if orientation in _SIDEWAYS:
        left, top, right, bottom, width, height = top, left, bottom, right, height, width
    if orientation in _MIRRORED_ACROSS:
        left, right = width - right, width - left
    if orientation in _MIRRORED_DOWN:
        top, bottom = height - bottom, height - top
    return left, top, right, bottom


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 to 8; 1 (upright) where there is none or it can't be read."""
    try:
        value = image.getexif().get(_ORIENTATION_TAG, 1)
    except Exception:  # Broken metadata is no reason to lose a good picture.
        return 1
    return value if isinstance(value, int) else 1


def _flattened(image: Image.Image) -> Image.Image:
    """Turn a decoded image of any mode into sRGB: 8 bits a channel, opaque, mode RGB."""
    if image.mode == "LAB":
        raise UnreadableImage("Lab colours: not supported, convert it to JPEG or PNG")
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        if layer.getchannel("A").getextrema() == (0, 0):
            # Nobody keeps a picture of nothing: the fourth channel was never meant as transparency.
            return _srgb(layer.convert("RGB"), image.info.get("icc_profile"))
        white = Image.new("RGBA", layer.size, "white")
        opaque = Image.alpha_composite(white, layer).convert("RGB")
    else:
        opaque = image.convert("RGB") if image.mode in ("1", "P") else image
    return _srgb(opaque, image.info.get("icc_profile"))


def _srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Convert to RGB, by the image's colour profile if it has one that fits and is sound."""
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            # A profile object a call: one that threads share would have to be locked.
            target = ImageCms.createProfile("sRGB")
            converted = ImageCms.profileToProfile(image, source, target, outputMode="RGB")
        except (ImageCms.PyCMSError, OSError):
            # Viewers show such an image as if it had no profile.
            converted = None
        if converted is not None:
            return converted
    return image if image.mode == "RGB" else image.convert("RGB")
