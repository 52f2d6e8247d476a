"""What is written of each file reads back as it was, whatever files and classes are called."""

import csv
import io
import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.deploying.classified import FORMATS, Classified

CLASSES = ("=cmd()", "new\nline", "a,b\"'")
ROWS = [
    Classified("pets/1.jpg", np.array([0.25, 0.7499999999, 1e-10]), 1),
    Classified("pets/notes\n.txt", None, None, problem="text: not supported"),
    Classified("\U0001f431.png", np.array([0.5, 0.5, 0.0]), 0, heat_map="heat/1.png"),
]
EXPECTED: list[dict[str, str | float | None]] = [
    {"path": "pets/1.jpg", "predicted": "new\nline", "probability": 0.75, "problem": None, "heat_map": None},
    {
        "path": "pets/notes\n.txt",
        "predicted": None,
        "probability": None,
        "problem": "text: not supported",
        "heat_map": None,
    },
    {
        "path": "\U0001f431.png",
        "predicted": "=cmd()",
        "probability": 0.5,
        "problem": None,
        "heat_map": "heat/1.png",
    },
]
PROBABILITIES: list[list[float] | None] = [[0.25, 0.75, 0.0], None, [0.5, 0.5, 0.0]]


def written(form: str, rows: list[Classified], classes: tuple[str, ...] = CLASSES) -> str:
    out = io.StringIO(newline="")
    FORMATS[form](rows, classes, out)
    return out.getvalue()


def test_csv() -> None:
    rows = list(csv.DictReader(io.StringIO(written("csv", ROWS), newline="")))
    for row, expected, probabilities in zip(rows, EXPECTED, PROBABILITIES, strict=True):
        columns = [f"probability of {name}" for name in CLASSES]
        assert list(row) == [*expected, *columns]
        assert {name: row[name] for name in expected} == {
            name: "" if value is None else str(value) for name, value in expected.items()
        }
        assert [row[name] for name in columns] == (
            [str(value) for value in probabilities] if probabilities else ["", "", ""]
        )


def test_csv_reads_as_numbers_where_there_are_some() -> None:
    frame = pd.read_csv(io.StringIO(written("csv", ROWS)))
    assert frame["probability"].tolist()[::2] == [0.75, 0.5]
    assert np.isnan(frame["probability"][1])


def test_json() -> None:
    rows = json.loads(written("json", ROWS))
    for row, expected, probabilities in zip(rows, EXPECTED, PROBABILITIES, strict=True):
        named = dict(zip(CLASSES, probabilities, strict=True)) if probabilities else None
        assert row == {**expected, "probabilities": named}
    assert written("json", ROWS).count("\n") == len(ROWS) + 2, "one line a file"


@pytest.mark.parametrize(
    ("form", "expected"),
    [("csv", '"path","predicted","probability","problem","heat_map","probability of =cmd()"\n'), ("json", "[]\n")],
)
def test_of_no_files_there_is_nothing(form: str, expected: str) -> None:
    assert written(form, [], CLASSES[:1]) == expected


@given(st.lists(st.text(st.characters(codec="utf-8")), max_size=5))
def test_every_name_comes_back(names: list[str]) -> None:
    rows = [Classified(name, np.array([1.0, 0.0]), 0) for name in names]
    as_csv = csv.DictReader(io.StringIO(written("csv", rows, ("a", "b")), newline=""))
    assert [row["path"] for row in as_csv] == names
    assert [row["path"] for row in json.loads(written("json", rows, ("a", "b")))] == names
