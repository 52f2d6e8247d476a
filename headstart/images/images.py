"""Decodes image files into arrays: every supported format, and nothing that can harm the run."""

import ctypes
import io
import logging
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt

# Pillow knows TIFF and WebP only once their plugins are imported.
from PIL import Image, ImageCms, TiffImagePlugin, UnidentifiedImageError, WebPImagePlugin, _imaging

from headstart.foundation.errors import InputError
from headstart.images import formats

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
)

# Pillow's own check counts differently and warns; ``_opened`` checks in its place.
Image.MAX_IMAGE_PIXELS = None

# Pillow warns of odd metadata. Whoever is told that of one image in 25,000 can do nothing about it. This is
# the filter as ``warnings`` keeps it, for all threads: setting it just for a while would not be safe.
_HUSHED_PILLOW = ("ignore", None, Warning, re.compile("PIL"), 0)

# It logs as well, and where nobody has set up logging, errors go to stderr.
logging.getLogger("PIL").setLevel(logging.CRITICAL)

# EXIF 2.3, tag 0x0112: how the stored pixels are turned so that they stand upright.
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

# In Adobe's raw files, which are TIFF, what Pillow decodes is only the thumbnail.
_DNG_VERSION_TAG = 50706

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


class UnreadableImage(Exception):  # noqa: N818 - it names the file, which is no error of the program
    """A file that can't be used as an image. ``reason`` says why, in a few words."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def decode(data: bytes) -> Pixels:
    """Decode an image file as a viewer would show it.

    EXIF rotation is applied, a colour profile is converted to sRGB, transparency is laid on white,
    16 bits are scaled to 8, and of an animation the first frame is taken.

    Args:
        data: the whole file: JPEG, PNG, GIF, WebP, BMP or TIFF, whatever its name says.

    Returns:
        uint8, shape (height, width, 3), RGB.

    Raises:
        UnreadableImage: it isn't such a file, is damaged or truncated, or has more than MAX_PIXELS pixels.
    """
    with _opened(data) as image:
        image.load()
        return np.array(_turned(_flattened(image), image), dtype=np.uint8)


def measure(data: bytes) -> tuple[int, int]:
    """Prove that ``data`` decodes and return (width, height) of the upright image, in pixels.

    A JPEG is read to its end but reconstructed at 1/8: that takes a fraction of the time and finds
    the same faults.

    Raises:
        UnreadableImage: as :func:`decode`.
    """
    with _opened(data) as image:
        width, height = image.size
        image.draft(None, (1, 1))
        image.load()
        # Asked only now: Pillow turns a TIFF upright by itself, size included, and then forgets its orientation.
        sideways = _orientation(image) in _SIDEWAYS
        _flattened(image)
        return (height, width) if sideways else (width, height)


def square(data: bytes, size: int) -> Pixels:
    """Decode an image file and resize it to a square by antialiased bilinear interpolation.

    The whole image is kept; its sides are scaled separately, as in the chapter.

    Args:
        data: as for :func:`decode`.
        size: pixels a side.

    Returns:
        uint8, shape (size, size, 3), RGB.

    Raises:
        UnreadableImage: as :func:`decode`.
    """
    with _opened(data) as image:
        drafted = image.draft(None, (_DRAFT_FACTOR * size, _DRAFT_FACTOR * size))
        image.load()
        # At 1/2 a side of 301 pixels becomes 151, of which only 150.5 are picture.
        box = drafted[1] if drafted else None
        resized = _flattened(image).resize((size, size), Image.Resampling.BILINEAR, box)
        return np.array(_turned(resized, image), dtype=np.uint8)


def load(path: Path, size: int) -> Pixels:
    """Read a prepared image as :func:`square` does.

    Raises:
        InputError: it doesn't decode.
    """
    try:
        return square(path.read_bytes(), size)
    except UnreadableImage as error:
        raise InputError(f"{path}: {error.reason}; expected an image: run the prepare stage again") from None


@contextmanager
def _opened(data: bytes) -> Iterator[Image.Image]:
    """Yield the image that ``data`` holds, not decoded yet; what goes wrong inside is UnreadableImage."""
    if not data:
        raise UnreadableImage("empty file")
    if len(data) > MAX_BYTES:
        raise UnreadableImage(TOO_LARGE)
    if _HUSHED_PILLOW not in warnings.filters:
        warnings.filterwarnings("ignore", module="PIL")
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            _check(image, data)
            yield image
    except (UnreadableImage, MemoryError):
        raise
    except UnidentifiedImageError:
        raise UnreadableImage(_why_unidentified(data[: formats.HEAD_BYTES])) from None
    except Exception as error:  # The plugins raise whatever their parsing runs into: a dozen kinds.
        # The text of the error isn't passed on: it holds memory addresses and changes between versions.
        fault = "truncated" if "truncated" in str(error).lower() else "damaged"
        raise UnreadableImage(f"{fault} {formats.supported(data[: formats.HEAD_BYTES])}") from None


def _check(image: Image.Image, data: bytes) -> None:
    """Raise UnreadableImage for what must not be decoded."""
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise UnreadableImage(f"too large: {width} × {height} pixels, over {MAX_PIXELS // 1_000_000} million")
    if image.format in ("JPEG", "MPO") and width * height * data.count(b"\xff\xda") > _MAX_PAINTED:
        raise UnreadableImage("too large: a JPEG that is painted over and over")
    if isinstance(image, TiffImagePlugin.TiffImageFile) and _DNG_VERSION_TAG in image.tag_v2:
        raise UnreadableImage("a camera's raw file: not supported, convert it to JPEG or PNG")


def _why_unidentified(head: bytes) -> str:
    known = formats.supported(head)
    return f"damaged {known}" if known else f"{formats.describe(head)}: not supported"


def _turned(flat: Image.Image, image: Image.Image) -> Image.Image:
    """Turn ``flat`` upright as the metadata of ``image``, which it was made of, asks for."""
    turn = _UPRIGHT.get(_orientation(image))
    return flat if turn is None else flat.transpose(turn)


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 to 8; 1 (upright) where there is none or it can't be read."""
    try:
        value = image.getexif().get(_ORIENTATION_TAG, 1)
    except Exception:  # Broken metadata is no reason to lose a good picture.
        return 1
    return value if isinstance(value, int) else 1


def _flattened(image: Image.Image) -> Image.Image:
    """Turn a decoded image of any mode into sRGB: 8 bits a channel, opaque, mode RGB."""
    if image.mode.startswith("I;16") or image.mode in ("I", "F"):
        return _eight_bits(image).convert("RGB")
    if image.mode == "LAB":
        raise UnreadableImage("Lab colours: not supported, convert it to JPEG or PNG")
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        white = Image.new("RGBA", layer.size, "white")
        opaque = Image.alpha_composite(white, layer).convert("RGB")
    else:
        opaque = image.convert("RGB") if image.mode in ("1", "P") else image
    return _srgb(opaque, image.info.get("icc_profile"))


def _eight_bits(image: Image.Image) -> Image.Image:
    """Scale a grey image of 16 bits, or of floats from 0 to 1, to mode L."""
    values = np.asarray(image)
    if image.mode == "F":
        # False for NaN as well.
        if not (values.min() >= 0.0 and values.max() <= 1.0):
            raise UnreadableImage("floating-point pixels outside 0 to 1: not supported, convert it to PNG")
        return Image.fromarray(np.rint(values * 255).astype(np.uint8))
    if not (values.min() >= 0 and values.max() <= 0xFFFF):
        raise UnreadableImage("pixels of more than 16 bits: not supported, convert it to PNG")
    # 65535 / 255 = 257, so this maps the whole range onto the whole range, rounded.
    return Image.fromarray(((values.astype(np.uint32) + 128) // 257).astype(np.uint8))


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
