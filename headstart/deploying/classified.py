"""What a model says of images of one's own, one file after the other, as CSV or JSON."""

import csv
import json
from collections.abc import Callable, Iterable, Sequence
from typing import IO, Any, NamedTuple

from headstart.foundation.array_types import FloatArray
from headstart.scoring.predictions import DECIMALS, PREFIX


class Classified(NamedTuple):
    """What came of one file."""

    path: str  # its name, printable
    # Of each class, shape (classes,), summing to 1; None where the file can't be used as an image.
    probabilities: FloatArray | None
    predicted: int | None  # number of the class that it is given; None as well then
    problem: str | None = None  # why it can't
    heat_map: str | None = None  # the picture that shows what the answer rests on, where one was asked for


Writer = Callable[[Iterable[Classified], Sequence[str], IO[str]], None]


def write_csv(rows: Iterable[Classified], classes: Sequence[str], out: IO[str]) -> None:
    """Write a line a file: path, predicted class and its probability, problem, heat map, each class's probability.

    Names of classes come through as they are, ``=cmd()`` and ``nan`` too. ``out`` must not translate line ends.
    """
    # Every text in quotes, so that no reader takes one for a number or for a line's end.
    writer = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow([*_answer(Classified("", None, None), classes), *(PREFIX + name for name in classes)])
    for row in rows:
        writer.writerow([*_answer(row, classes).values(), *(_rounded(row) or [None] * len(classes))])


def write_json(rows: Iterable[Classified], classes: Sequence[str], out: IO[str]) -> None:
    """Write a list of objects with the names of :func:`write_csv`, one a line; null where there is nothing to say."""
    before = "["
    for row in rows:
        rounded = _rounded(row)
        probabilities = dict(zip(classes, rounded, strict=True)) if rounded else None
        values = {**_answer(row, classes), "probabilities": probabilities}
        out.write(f"{before}\n{json.dumps(values, ensure_ascii=False, allow_nan=False)}")
        before = ","
    out.write("[]\n" if before == "[" else "\n]\n")


FORMATS: dict[str, Writer] = {"csv": write_csv, "json": write_json}


def _answer(row: Classified, classes: Sequence[str]) -> dict[str, Any]:
    predicted = probability = None
    if row.probabilities is not None and row.predicted is not None:
        predicted = classes[row.predicted]
        probability = row.probabilities[row.predicted].round(DECIMALS).item()
    return {
        "path": row.path,
        "predicted": predicted,
        "probability": probability,
        "problem": row.problem,
        "heat_map": row.heat_map,
    }


def _rounded(row: Classified) -> list[Any] | None:
    return None if row.probabilities is None else row.probabilities.round(DECIMALS).tolist()
