"""The table of suspicions: what was planted is found, in files that any table can hold."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from headstart.foundation import paths
from headstart.images import manifest
from headstart.scoring import review
from headstart.scoring.review import TWICE
from headstart.statistics.suspects import CONTRADICTED, FAR, UNPLACED
from tests.pictures import encode

CLASSES = ("=cmd()", "nan")
SIZES = {"train": 40, "validation": 20, "test": 40}
WRONG, FOREIGN, DOUBLE, ORIGINAL = "train/3.png", "test/7.png", "test/9.png", "train/11.png"


def write_set(folder: Path, side: int = 24) -> pd.DataFrame:
    """Write images and features of two classes and return their manifest.

    Planted are a wrong label, an image far from all others, and a picture that stands in two splits.
    """
    random = np.random.default_rng(0)
    rows: list[tuple[str, str, str, str, str, int, int]] = []
    maps = np.empty((sum(SIZES.values()), 2, 2, 16), np.float16)
    for split, size in SIZES.items():
        for number in range(size):
            path, label = f"{split}/{number}.png", number % 2
            # The rule that the features follow; the label may say otherwise.
            centre = np.full(16, 40.0) if path == FOREIGN else np.repeat([4.0, 0.0] if label else [0.0, 4.0], 8)
            if path == FOREIGN:
                centre[::2] = 0
            maps[len(rows)] = np.abs(centre + random.normal(size=(2, 2, 16)))
            given = 1 - label if path == WRONG else label
            rows.append((path, CLASSES[given], "", split, str(len(rows)), side, side))
            # Smooth, as photographs are; noise alone has nothing that survives shrinking.
            picture = Image.fromarray(random.integers(0, 256, (4, 4, 3), np.uint8)).resize((side, side))
            (folder / paths.PREPARED / split).mkdir(parents=True, exist_ok=True)
            (folder / paths.PREPARED / path).write_bytes(encode(picture, "PNG"))
    (folder / paths.FEATURES).mkdir(parents=True)
    np.save(folder / paths.FEATURES / "images.npy", maps)
    with Image.open(folder / paths.PREPARED / ORIGINAL) as original:
        (folder / paths.PREPARED / DOUBLE).write_bytes(encode(original.convert("RGB"), "JPEG", quality=80))
    return pd.DataFrame(rows, columns=list(manifest.COLUMNS))


@pytest.fixture
def frame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pd.DataFrame:
    monkeypatch.chdir(tmp_path)
    return write_set(tmp_path)


def test_what_was_planted_comes_first(frame: pd.DataFrame) -> None:
    found = review.review(frame, count=5, seed=0, white=65535)
    first = found.table.groupby("reason").first()
    assert first.loc[CONTRADICTED, "path"] == WRONG
    assert first.loc[CONTRADICTED, "class"] == CLASSES[0]
    assert first.loc[CONTRADICTED, "looks_like"] == CLASSES[1]
    assert first.loc[FAR, "path"] == FOREIGN
    assert (first.loc[TWICE, "path"], first.loc[TWICE, "twin"]) == (DOUBLE, ORIGINAL)
    assert found.frozen_accuracy >= 0.97
    assert (found.table["reason"] == FAR).sum() == (found.table["reason"] == UNPLACED).sum() == 5


def test_the_table_comes_back_as_it_was(frame: pd.DataFrame) -> None:
    table = review.review(frame, count=5, seed=0, white=65535).table
    review.write(table)
    pd.testing.assert_frame_equal(review.read(), table.assign(score=table["score"].round(6)))


def test_the_file_is_the_same_bytes_whatever_the_threads(frame: pd.DataFrame) -> None:
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    written = []
    for threads in (1, 2):
        with threadpool_limits(limits=threads):
            review.write(review.review(frame, count=5, seed=0, white=65535).table)
        written.append(review.SUSPECTS.read_bytes())
    assert written[0] == written[1]


def test_large_images_are_found_twice_as_small_ones_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are read another way, shrunk while they are decoded."""
    monkeypatch.chdir(tmp_path)
    table = review.review(write_set(tmp_path, side=300), count=1, seed=0, white=65535).table
    assert list(table.loc[table["reason"] == TWICE, "path"]) == [DOUBLE]


def test_an_image_is_on_the_sheet_of_foreign_ones_once() -> None:
    rows = [(FAR, f"{n}.jpg", "train", "cat", 1.0, "", "", "") for n in range(9)]
    rows += [(UNPLACED, f"{n}.jpg", "train", "cat", 0.5, "", "", "") for n in (0, 1, 20, 21, 22, 23, 24)]
    sheet = review.foreign(pd.DataFrame(rows, columns=list(review.COLUMNS)), 6)
    assert list(sheet["path"]) == ["0.jpg", "1.jpg", "2.jpg", "3.jpg", "20.jpg", "21.jpg"]
