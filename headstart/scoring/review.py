"""Images worth a second look, over all splits: one table of every suspicion, the most suspicious first.

Nothing is dropped or relabelled; a person looks.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from headstart.foundation import memo, paths, tables
from headstart.foundation.arrays import open_array
from headstart.images import assignments, manifest
from headstart.images.near_duplicates import near_duplicates, thumbnails
from headstart.models import pooling
from headstart.statistics import suspects
from headstart.statistics.suspects import CONTRADICTED, FAR, UNPLACED, Suspect

SUSPECTS = paths.METRICS / "suspects.csv"
TWICE = "near-duplicate"
REASONS = (CONTRADICTED, FAR, UNPLACED, TWICE)
COLUMNS = ("reason", "path", "split", "class", "score", "looks_like", "counted_wrong", "twin")

# The share of the sheet "looks like no class" for images far from all others; the rest shows those that fit no class.
# The former turned out to be drawings, signs and people more often.
_FAR_PART = 2 / 3

# Of a score in the file.
_DECIMALS = 6


class Review(NamedTuple):
    """What was found."""

    # One row per suspicion, with COLUMNS: reason (one of REASONS), path, split and class of the image; score,
    # comparable within one reason; the class it looks like and whether confident learning counts its label as wrong
    # (yes, no), for CONTRADICTED; the other image's path, for TWICE. What does not apply is "".
    table: pd.DataFrame
    # Cross-validated accuracy of a logistic regression on the frozen base's features, over all images.
    frozen_accuracy: float


def recall(frame: pd.DataFrame, count: int, seed: int, white: int) -> Review:
    """Return what :func:`review` finds, or found when images and features were the same ones."""
    features = [paths.FEATURES / "images.npy"]
    rows, accuracy = memo.recall(
        "evaluate/review",
        (count, seed, white),
        [paths.MANIFEST, *features],
        tuple[list[dict[str, str | float]], float],
        lambda: _plain(review(frame, count, seed, white)),
    )
    return Review(pd.DataFrame(rows, columns=list(COLUMNS)), accuracy)


def _plain(found: Review) -> tuple[list[dict[str, str | float]], float]:
    return found.table.to_dict("records"), found.frozen_accuracy  # type: ignore[return-value]  # keys are texts


def review(frame: pd.DataFrame, count: int, seed: int, white: int) -> Review:
    """Look at every image of every split.

    Args:
        frame: the manifest; data/features and data/prepared are what it describes.
        count: how many images to list as far from all others, and as fitting no class. All contradicted
            labels and all near-duplicates are listed.
        seed: for the cross-validation.
        white: the value shown white in images of 16 bits.
    """
    rows = frame
    classes = manifest.class_names(frame)
    labels = manifest.labels_of(frame, np.arange(len(frame)))
    pooled = pooling.average(open_array(paths.FEATURES / "images.npy"))
    probabilities = suspects.out_of_sample_probabilities(pooled, labels, len(classes), seed)
    found = [
        *suspects.label_suspects(labels, probabilities),
        *suspects.foreign_suspects(pooled, count),
        *suspects.unplaced_suspects(probabilities, count),
    ]
    files = [paths.PREPARED / path for path in rows["path"]]
    pictures = thumbnails(list(zip(files, rows["width"], rows["height"], strict=True)), white)
    table = [_row(rows, suspect, classes) for suspect in found]
    for pair in near_duplicates(pictures, _apart(rows)):
        # Told of the image of the later split; its twin is the one in the earlier split.
        row = _row(rows, Suspect(pair.second, TWICE, pair.correlation), classes)
        table.append({**row, "twin": rows["path"][pair.first]})
    right = (probabilities.argmax(axis=1) == labels).mean()
    return Review(pd.DataFrame(table, columns=list(COLUMNS)), float(right))


def write(table: pd.DataFrame) -> None:
    """Write metrics/suspects.csv."""
    tables.write(SUSPECTS, table.assign(score=table["score"].round(_DECIMALS)))


def read() -> pd.DataFrame:
    """Read metrics/suspects.csv: texts as they are, the score as a number."""
    texts = {name: "str" for name in COLUMNS if name != "score"}
    return pd.read_csv(SUSPECTS, dtype={**texts, "score": "float64"}, keep_default_na=False)


def contradicted(suspects: pd.DataFrame, count: int) -> pd.DataFrame:
    """The images whose label is contradicted with the most confidence."""
    return suspects[suspects["reason"] == CONTRADICTED][:count]


def foreign(suspects: pd.DataFrame, count: int) -> pd.DataFrame:
    """The images that look like none of the classes: far from all others, then those that fit no class confidently."""
    far = suspects[suspects["reason"] == FAR][: round(_FAR_PART * count)]
    unplaced = suspects[(suspects["reason"] == UNPLACED) & ~suspects["path"].isin(far["path"])]
    return pd.concat([far, unplaced[: count - len(far)]])


def twins(suspects: pd.DataFrame, count: int) -> pd.DataFrame:
    """The images with a near-duplicate in another split, or with folds in no group with it."""
    return suspects[suspects["reason"] == TWICE][:count]


def _apart(rows: pd.DataFrame) -> list[str]:
    """What each image may have near-duplicates in: its split, or with folds, which may part any two, its group."""
    if not assignments.in_folds(rows):
        return list(rows["split"])
    return [group or path for group, path in zip(rows["group"], rows["path"], strict=True)]


def _row(rows: pd.DataFrame, suspect: Suspect, classes: list[str]) -> dict[str, str | float]:
    image = rows.iloc[suspect.image]
    return {
        "reason": suspect.reason,
        "path": image["path"],
        "split": image["split"],
        "class": image["class"],
        "score": suspect.score,
        "looks_like": "" if suspect.suggested is None else classes[suspect.suggested],
        "counted_wrong": ("yes" if suspect.confident else "no") if suspect.reason == CONTRADICTED else "",
        "twin": "",
    }
