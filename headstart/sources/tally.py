"""Sums up a subset in a table: its classes and how many images of each go where."""

from collections import Counter
from collections.abc import Mapping

import pandas as pd

from headstart.images.manifest import FOLDS, SPLITS

_MOST_CLASSES = 16


def lines(frame: pd.DataFrame, unused: Mapping[str, int]) -> list[str]:
    """A table with a line per class, the largest first, and what always naming the largest class would reach.

    Args:
        frame: the manifest's rows.
        unused: for each class how many of its images are left over.

    Returns:
        At most some twenty lines; the classes that don't fit are summed up in one.
    """
    columns = [FOLDS] if (frame["split"] == FOLDS).all() else list(SPLITS)
    counts = frame.groupby(["class", "split"]).size().unstack(fill_value=0).reindex(columns=columns, fill_value=0)
    counts["unused"] = [unused.get(name, 0) for name in counts.index]
    order = sorted(counts.index, key=lambda name: (-counts.loc[name, columns].sum(), name))
    rows = [(_shown(name), *counts.loc[name]) for name in order]
    if len(rows) > _MOST_CLASSES:
        rest = counts.loc[order[_MOST_CLASSES - 1 :]]
        rows = [*rows[: _MOST_CLASSES - 1], (f"{len(rest):,} other classes", *rest.sum())]
    header = ("class", *counts.columns.map(lambda column: "images" if column == FOLDS else column))
    cells = [header, *((name, *(f"{count:,}" for count in numbers)) for name, *numbers in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    table = [
        "  " + "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]).rstrip() for row in cells
    ]
    largest = str(counts[columns[0]].idxmax())
    test = Counter(frame.loc[frame["split"] == columns[-1], "class"])
    right = test[largest] / test.total()
    return [*table, f"always predicting {_shown(largest)!r} would be correct for {right:.1%} of the test images"]


def _shown(name: str) -> str:
    """A class's name without what a terminal takes for a command, and not too long for a table."""
    safe = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in name)
    return safe if len(safe) <= 40 else safe[:39] + "…"
