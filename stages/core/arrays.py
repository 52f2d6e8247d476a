"""Large .npy files: written block by block, read without loading them whole."""

import math
import os
import shutil
from pathlib import Path

import numpy as np
from numpy.lib import format as npy
from numpy.typing import DTypeLike, NDArray

from stages.core.errors import InputError


class ArrayFile:
    """A .npy file of known shape that is filled a few rows at a time.

    Rows are written with plain writes. Through a writable memory map a full disk would end the
    process by a bus error; this way it is an ``OSError`` with a name. Memory stays flat either way.
    """

    def __init__(self, path: Path, shape: tuple[int, ...], dtype: DTypeLike, row_axes: int = 1) -> None:
        """Create the file, or open it if it is there.

        Args:
            path: the file.
            shape: shape of the whole array.
            dtype: type of its values.
            row_axes: how many leading axes count rows: with 2, row ``v * shape[1] + i`` is ``[v, i]``.
        """
        self.dtype = np.dtype(dtype)
        self._row_shape = shape[row_axes:]
        self._row_bytes = math.prod(self._row_shape) * self.dtype.itemsize
        if not path.exists():
            with path.open("wb") as file:
                header = {"descr": npy.dtype_to_descr(self.dtype), "fortran_order": False, "shape": shape}
                npy.write_array_header_1_0(file, header)
                file.truncate(file.tell() + math.prod(shape) * self.dtype.itemsize)
        self._file = path.open("r+b")
        npy.read_magic(self._file)
        found, _, _ = npy.read_array_header_1_0(self._file)
        if found != shape:
            raise ValueError(f"{path} holds {found}, not {shape}")
        self._start = self._file.tell()

    def write(self, row: int, rows: NDArray[np.generic]) -> None:
        """Write ``rows``, shape (n, *row shape), from the row number ``row`` on."""
        if rows.shape[1:] != self._row_shape or rows.dtype != self.dtype:
            raise ValueError(f"rows are {rows.dtype} {rows.shape[1:]}, not {self.dtype} {self._row_shape}")
        self._file.seek(self._start + row * self._row_bytes)
        self._file.write(np.ascontiguousarray(rows).data)

    def flush(self) -> None:
        """Bring everything written to the disk, so that a power cut leaves it there."""
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Flush and close."""
        self.flush()
        self._file.close()


def check_space(folder: Path, needed: int) -> None:
    """Check that ``needed`` bytes fit on the disk that holds ``folder``.

    Raises:
        InputError: they don't, found out before hours of computing.
    """
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise InputError(
            f"{folder}: {needed / 1e9:.1f} GB are needed and {free / 1e9:.1f} GB are free: free some space, "
            "or lower extract_features.views in params.yaml"
        )


def open_array(path: Path) -> NDArray[np.generic]:
    """Open a .npy file as a read-only memory map. No pickle is ever read."""
    return np.load(path, mmap_mode="r", allow_pickle=False)  # type: ignore[no-any-return]
