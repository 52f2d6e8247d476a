"""The idx format of MNIST and its successors: arrays of bytes behind a short header.

The format is described by its authors (LeCun, Cortes & Burges, "The MNIST database of handwritten digits"):
two zero bytes, a byte for the type (0x08: unsigned byte), a byte for the number of dimensions, each dimension
as a big-endian 32-bit number, then the values in C order.
"""

import gzip
import io
import math
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from headstart.foundation.errors import InputError

_GZIP_MAGIC = b"\x1f\x8b"
_UNSIGNED_BYTE = 0x08
# Ten times the largest set in the format, EMNIST; a header that claims more is broken.
_LARGEST = 6 << 30

UNREADABLE = (EOFError, gzip.BadGzipFile, zlib.error)
"""What reading from a stream of :func:`opened` raises where its gzip data are broken."""


def opened(path: Path) -> gzip.GzipFile | io.BufferedReader:
    """Open an idx file for reading, unpacking it on the way where it is compressed with gzip."""
    with path.open("rb") as file:
        compressed = file.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
    return gzip.open(path) if compressed else path.open("rb")


def read_images(path: Path) -> NDArray[np.uint8]:
    """Return the grey images of an idx file, plain or gzip: (images, height, width).

    Raises:
        InputError: the file is no idx file of such images, is cut short, or goes on after its end.
    """
    return _read(path, dimensions=3)


def read_labels(path: Path) -> NDArray[np.uint8]:
    """Return the labels of an idx file, plain or gzip: (images,).

    Raises:
        InputError: the file is no idx file of labels, is cut short, or goes on after its end.
    """
    return _read(path, dimensions=1)


def _read(path: Path, dimensions: int) -> NDArray[np.uint8]:
    expected = bytes([0, 0, _UNSIGNED_BYTE, dimensions])
    try:
        with opened(path) as file:
            magic = file.read(4)
            if magic != expected:
                raise InputError(
                    f"{path}: starts with {magic.hex()}, expected {expected.hex()}: not this kind of idx file"
                )
            header = file.read(4 * dimensions)
            shape = tuple(np.frombuffer(header[: len(header) // 4 * 4], dtype=">u4").tolist())
            if len(shape) != dimensions:
                raise InputError(f"{path}: ends within its header: get the file again")
            size = math.prod(shape)
            if size == 0:
                raise InputError(f"{path}: is empty ({' x '.join(map(str, shape))}): get the file again")
            if size > _LARGEST:
                raise InputError(f"{path}: claims {size:,} bytes, expected at most {_LARGEST:,}: get the file again")
            values = file.read(size + 1)
    except UNREADABLE:
        raise InputError(f"{path}: broken gzip data: get the file again") from None
    if len(values) != size:
        found = f"{len(values):,}" if len(values) < size else f"more than {size:,}"
        raise InputError(f"{path}: holds {found} bytes after its header, expected {size:,}: get the file again")
    return np.frombuffer(values, dtype=np.uint8).reshape(shape)
