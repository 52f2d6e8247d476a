"""Tables come through CSV as they are: texts as texts, numbers rounded."""

from pathlib import Path

import numpy as np
import pandas as pd

from headstart.foundation import tables


def test_texts_are_quoted_and_floats_rounded(tmp_path: Path) -> None:
    table = pd.DataFrame(
        {
            "=cmd()": ["nan", "a,b\n"],
            "count": [1, 2],
            "share": [2 / 3, np.nan],
            "loss": np.array([0.1, 1e-30], np.float32),
        }
    )
    tables.write(tmp_path / "new" / "a.csv", table)
    assert (tmp_path / "new" / "a.csv").read_bytes() == (
        b'"=cmd()","count","share","loss"\n"nan",1,0.666666667,0.100000001\n"a,b\n",2,"",1e-30\n'
    )
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.csv"]


def test_the_table_itself_is_not_changed(tmp_path: Path) -> None:
    table = pd.DataFrame({"share": [1 / 3]})
    tables.write(tmp_path / "a.csv", table)
    assert table["share"][0] == 1 / 3


def test_a_table_without_rows_keeps_its_columns(tmp_path: Path) -> None:
    tables.write(tmp_path / "a.csv", pd.DataFrame([], columns=["images", "accuracy"]))
    assert (tmp_path / "a.csv").read_text() == '"images","accuracy"\n'
