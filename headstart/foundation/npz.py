"""Uncompressed .npz files, which ``np.load`` reads, in the same bytes from every release of Python.

NumPy's own writer asks for the headers of files above 2 GB, which releases of Python write differently.
"""

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


def save(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write arrays in their given order: the same arrays give the same bytes."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, values in arrays.items():
            member = zipfile.ZipInfo(f"{name}.npy")  # dated 1980
            member.create_system = 3  # Unix, wherever it is written
            member.file_size = values.nbytes  # decides whether it needs the headers of large files
            with archive.open(member, "w") as file:
                np.lib.format.write_array(file, values, allow_pickle=False)
