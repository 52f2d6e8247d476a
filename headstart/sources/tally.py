"""Sums up a subset in a table: its classes and how many images of each go where."""

from collections import Counter
from collections.abc import Mapping

import pandas as pd

from headstart.foundation.free_text import shown
from headstart.foundation.tables import aligned
from headstart.images.manifest import FOLDS, SPLITS

_MOST_CLASSES = 16
# Characters of a class's name.
_LONGEST_NAME = 40


def lines(frame: pd.DataFrame, unused: Mapping[str, int]) -> list[str]:
    """A table with a line per class, the largest first, and the accuracy of always predicting the largest class.

    At most some twenty lines: the classes that don't fit are summed up in one. ``frame`` is the manifest; ``unused``
    says of each class how many of its images are left over.
    """
    columns = [FOLDS] if (frame["split"] == FOLDS).all() else list(SPLITS)
    counts = frame.groupby(["class", "split"]).size().unstack(fill_value=0).reindex(columns=columns, fill_value=0)
    counts["unused"] = [unused.get(name, 0) for name in counts.index]
    order = sorted(counts.index, key=lambda name: (-counts.loc[name, columns].sum(), name))
    rows = [(shown(name, _LONGEST_NAME), *counts.loc[name]) for name in order]
    if len(rows) > _MOST_CLASSES:
        rest = counts.loc[order[_MOST_CLASSES - 1 :]]
        rows = [*rows[: _MOST_CLASSES - 1], (f"{len(rest):,} other classes", *rest.sum())]
    header = ("class", *counts.columns.map(lambda column: "images" if column == FOLDS else column))
    cells = [header, *((name, *(f"{count:,}" for count in numbers)) for name, *numbers in rows)]
    largest = str(counts[columns[0]].idxmax())
    test = Counter(frame.loc[frame["split"] == columns[-1], "class"])
    correct = test[largest] / test.total()
    name = shown(largest, _LONGEST_NAME)
    return [
        *(f"  {line}" for line in aligned(cells)),
        f"always predicting {name!r} would be correct for {correct:.1%} of the test images",
    ]
