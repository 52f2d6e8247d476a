"""The manifest keeps every text as it is, and its order gives the labels."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from headstart.foundation.errors import InputError
from headstart.images import manifest

# Everything but lone surrogates, which are no text, and NUL, which no file name holds.
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
HOSTILE = ["nan", "NA", "null", "", "1e3", "007", "True", "=cmd()", "a,b", 'say "cat"', "a\nb", "a\rb", "a\r\nb", " x "]


def frame(classes: list[str], split: str = "train") -> pd.DataFrame:
    """A manifest of one image for each of ``classes``."""
    return pd.DataFrame(
        {
            "path": [f"{split}/{place}.jpg" for place in range(len(classes))],
            "class": classes,
            "group": classes,
            "split": split,
            "sha256": "0" * 64,
            "width": 32,
            "height": 24,
        }
    )


@settings(max_examples=50)
@given(st.lists(TEXTS, min_size=1, max_size=10))
@example(HOSTILE)
@example(["\ufeffcat", "caf\u00e9", "cafe\u0301", "\u2028", "\U0001f431", "\x1b[31m"])
def test_texts_come_back_as_they_were(tmp_path_factory: pytest.TempPathFactory, classes: list[str]) -> None:
    path = tmp_path_factory.mktemp("manifest") / "manifest.csv"
    manifest.write(frame(classes), path)
    found = manifest.read(path)
    assert found["class"].tolist() == found["group"].tolist() == classes
    assert found["width"].dtype == np.int64
    pd.testing.assert_frame_equal(found, frame(classes), check_dtype=False)


def test_the_file_is_the_same_everywhere(tmp_path: Path) -> None:
    path = tmp_path / "manifest.csv"
    manifest.write(frame(["caf\u00e9"]), path)
    header = b'"path","class","group","split","sha256","width","height"\n'
    assert (
        path.read_bytes()
        == header + '"train/0.jpg","caf\u00e9","caf\u00e9","train"'.encode() + b',"' + b"0" * 64 + b'",32,24\n'
    )


def test_labels_are_places_among_the_sorted_classes() -> None:
    both = pd.concat([frame(["dog", "cat", "emu"]), frame(["emu", "cat"], "test")])
    assert manifest.class_names(both) == ["cat", "dog", "emu"]
    np.testing.assert_array_equal(manifest.labels(both, "train"), [1, 0, 2])
    np.testing.assert_array_equal(manifest.labels(both, "test"), [2, 0])
    assert manifest.labels(both, "test").dtype == np.int64
    assert manifest.labels(both, "validation").shape == (0,)


def test_a_missing_manifest_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file: run `dvc repro prepare`"):
        manifest.read(tmp_path / "manifest.csv")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe\0",
        b'"path"\n"unclosed',
        b"path,class,group,split,sha256,width,height\na,b,,train,0,wide,1\n",
        b"path,class,group,split,sha256,width,height\na,b,,train,0,,1\n",
    ],
)
def test_what_is_no_manifest_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "manifest.csv"
    path.write_bytes(content)
    with pytest.raises(
        InputError, match=r"manifest.csv: (not a manifest|found columns).*run `dvc repro prepare` again"
    ):
        manifest.read(path)
