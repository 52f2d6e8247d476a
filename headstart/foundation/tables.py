"""Tables of results: as CSV files, and in columns for the terminal."""

import csv
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from headstart.foundation.atomic import replacing
from headstart.foundation.rounding import rounded


def write(path: Path, table: pd.DataFrame) -> None:
    """Write a table without its index, floats rounded, as UTF-8 with Unix line ends on every system."""
    floats = table.select_dtypes("float")
    exact = table.assign(**{str(name): rounded(column.astype(float).tolist()) for name, column in floats.items()})
    with replacing(path) as temporary:
        exact.to_csv(
            temporary,
            index=False,
            lineterminator="\n",
            # Every text in quotes, so that no reader takes one for a number or for a line's end.
            quoting=csv.QUOTE_NONNUMERIC,
        )


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows of cells as lines, the first column left-aligned, all others right-aligned."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]).rstrip() for row in rows]
