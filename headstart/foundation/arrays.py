"""Large .npy files: written block by block, read without loading them whole."""

import math
import mmap
import os
import shutil
from pathlib import Path

import numpy as np
from numpy.lib import format as npy
from numpy.typing import DTypeLike, NDArray

from headstart.foundation.atomic import replacing
from headstart.foundation.errors import InputError


def create_array(path: Path, shape: tuple[int, ...], dtype: DTypeLike) -> None:
    """Create a .npy file of this shape, filled with zeros that take no space yet."""
    dtype = np.dtype(dtype)
    with replacing(path) as temporary, temporary.open("wb") as file:
        header = {"descr": npy.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
        npy.write_array_header_1_0(file, header)
        file.truncate(file.tell() + math.prod(shape) * dtype.itemsize)


# Rows of a large array in memory at once.
_ROWS_READ = 256


class ArrayFile:
    """A .npy file that is filled a few rows at a time.

    Rows are written with plain writes. Through a writable memory map a full disk would end the
    process by a bus error; this way it is an ``OSError`` with a name. Memory stays flat either way.
    """

    def __init__(self, path: Path) -> None:
        """Open a file that :func:`create_array` made."""
        self._file = path.open("r+b")
        npy.read_magic(self._file)
        self._shape, _, self._dtype = npy.read_array_header_1_0(self._file)
        self._start = self._file.tell()

    def write(self, row: int, rows: NDArray[np.generic]) -> None:
        """Write ``rows``, shape (n, *row shape), from row number ``row`` on.

        A row is what the axes of ``rows`` after the first span; all axes before them count rows, so
        in an array (views, images, …) image ``i`` of view ``v`` is row ``v * images + i``.
        """
        row_shape = rows.shape[1:]
        if rows.dtype != self._dtype or self._shape[len(self._shape) - len(row_shape) :] != row_shape:
            raise ValueError(f"rows are {rows.dtype} {row_shape}, not {self._dtype} rows of {self._shape}")
        self._file.seek(self._start + row * math.prod(row_shape) * self._dtype.itemsize)
        self._file.write(np.ascontiguousarray(rows).data)

    def flush(self) -> None:
        """Bring everything written to the disk, so that a power cut leaves it there."""
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Flush and close."""
        try:
            self.flush()
        finally:
            self._file.close()


def check_space(folder: Path, needed: int, parameter: str) -> None:
    """Check, before hours of computing, that ``needed`` bytes fit on the disk that holds ``folder``.

    Raises:
        InputError: they don't; it names ``parameter`` of params.yaml, which decides how much is needed.
    """
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise InputError(
            f"{folder}: {needed / 1e9:.1f} GB are needed and {free / 1e9:.1f} GB are free: free some space, "
            f"or lower {parameter} in params.yaml"
        )


def root_mean_square(path: Path, rows: int) -> float:
    """Return the root mean square of all values in the first rows of a .npy file, read a few at a time."""
    array: NDArray[np.generic] = open_array(path)[:rows]
    total = 0.0
    for start in range(0, len(array), _ROWS_READ):
        values = np.asarray(array[start : start + _ROWS_READ], dtype=np.float64)
        total += float(np.square(values).sum())
        release(array)
    return math.sqrt(total / array.size)


def open_array(path: Path) -> NDArray[np.generic]:
    """Open a .npy file as a read-only memory map. No pickle is ever read."""
    return np.load(path, mmap_mode="r", allow_pickle=False)  # type: ignore[no-any-return]


def release(array: NDArray[np.generic]) -> None:
    """Release the memory that reading a memory map took; reading again takes it from the system's cache.

    Pages of a map count as the process's memory once they were read, so a pass over a large file would
    make a process look, and be limited, as if it had loaded it.
    """
    mapping = getattr(array, "_mmap", None)
    if mapping is not None and hasattr(mmap, "MADV_DONTNEED"):
        mapping.madvise(mmap.MADV_DONTNEED)
