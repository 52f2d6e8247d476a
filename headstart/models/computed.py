"""What is computed for each of many stored rows, kept in a file."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.typing import NDArray

from headstart.foundation.arrays import ArrayFile, create_array, release
from headstart.foundation.progress import bar


def write(
    file: Path,
    shape: tuple[int, ...],
    dtype: npt.DTypeLike,
    rows: NDArray[np.generic],
    function: Callable[[NDArray[Any]], NDArray[Any]],
    size: int,
    title: str,
) -> None:
    """Write what a function makes of each row to a ``.npy`` file, a few rows in memory at a time.

    Args:
        file: to be written.
        shape: of its array: leading axes that count the rows, and those of a result.
        dtype: of a result.
        rows: (n, …); may be a memory map.
        function: from some rows to their results.
        size: how many rows it gets at once.
        title: for progress.
    """
    create_array(file, shape, dtype)
    with closing(ArrayFile(file)) as target, bar(title, len(rows), " images") as progress:
        for start in range(0, len(rows), size):
            taken = np.array(rows[start : start + size])
            release(rows)
            target.write(start, function(taken))
            progress.update(len(taken))
