"""The manifest: one row an image of the subset, in the order that features and predictions follow."""

from pathlib import Path

import numpy as np
import pandas as pd

from headstart.foundation import tables
from headstart.foundation.array_types import IntArray
from headstart.foundation.errors import InputError

SPLITS = ("train", "validation", "test")
# In place of a split where folds divide the images: all of them train, validate and are tested in turn.
FOLDS = "folds"
# Training images on the sheet that shows what augmentation does.
_PREVIEWED = 4

_TEXTS = ("path", "class", "group", "split", "sha256")
_NUMBERS = ("width", "height")
COLUMNS = (*_TEXTS, *_NUMBERS)


def read(path: Path) -> pd.DataFrame:
    """Read a manifest.

    Returns:
        One row an image, ordered by split, then class, then number: path (relative to the manifest's
        folder, with ``/``), class, group ("" where it has none), split (one of SPLITS, or FOLDS for all), sha256 of
        the file, width and height of the upright image in pixels. Texts come as they are: a class may be called
        ``nan``, ``1e3``, ``=cmd()``.

    Raises:
        InputError: the file is missing or is no manifest.
    """
    try:
        frame = pd.read_csv(
            path,
            dtype={**dict.fromkeys(_TEXTS, "str"), **dict.fromkeys(_NUMBERS, "int64")},
            keep_default_na=False,
            encoding="utf-8",
        )
    except FileNotFoundError:
        raise InputError(f"{path}: no such file: run `dvc repro prepare`") from None
    except ValueError as error:  # pandas' own parsing errors are of this kind too, as is a wrong encoding.
        raise InputError(f"{path}: not a manifest ({error}): run `dvc repro prepare` again") from None
    if tuple(frame.columns) != COLUMNS:
        raise InputError(
            f"{path}: found columns {', '.join(frame.columns)}, expected {', '.join(COLUMNS)}: "
            "run `dvc repro prepare` again"
        )
    return frame


def write(frame: pd.DataFrame, path: Path) -> None:
    """Write the columns COLUMNS of a manifest."""
    tables.write(path, frame[list(COLUMNS)])


def class_names(frame: pd.DataFrame) -> list[str]:
    """The classes of a manifest, sorted: a class's place in this list is its label."""
    return sorted(frame["class"].unique().tolist())


def rows_of(frame: pd.DataFrame, split: str) -> IntArray:
    """The rows of one split's images, from 0, ascending: int64, shape (images,)."""
    return np.flatnonzero(frame["split"] == split).astype(np.int64)


def labels_of(frame: pd.DataFrame, rows: IntArray) -> IntArray:
    """The labels of the images in these rows, and of no others: int64, shape (images,)."""
    places = {name: place for place, name in enumerate(class_names(frame))}
    return np.array([places[name] for name in frame["class"].iloc[rows]], dtype=np.int64)


def labels(frame: pd.DataFrame, split: str) -> IntArray:
    """The labels of one split's images, in their order: int64, shape (images,)."""
    return labels_of(frame, rows_of(frame, split))


def previewed(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of the training images that the preview of the augmentation shows: the first of each class in turn."""
    train = frame[frame["split"].isin(["train", FOLDS])]
    turn = train.groupby("class").cumcount()
    return train.assign(turn=turn).sort_values(["turn", "class"], kind="stable")[:_PREVIEWED]
