"""Contact sheets that DVC shows as plots: the surest mistakes, and the images worth a second look."""

from pathlib import Path

import pandas as pd

from headstart.drawing import figures
from headstart.foundation import paths
from headstart.foundation.wording import count
from headstart.images import images, names
from headstart.scoring import review
from headstart.scoring.predictions import Predictions

# Pixels a side of a picture.
_SIDE = 160


def draw_mistakes(path: Path, name: str, predictions: Predictions, most: int) -> None:
    """Draw the test images that a strategy got wrong, the surest first.

    Args:
        path: a PNG file.
        name: the strategy.
        predictions: on the test split.
        most: images to draw.
    """
    classes, wrong = predictions.classes, predictions.surest_mistakes
    tiles = [
        _tile(
            predictions.images[i],
            f"{classes[predictions.labels[i]]}, said to be\n"
            f"{classes[predictions.predicted[i]]} ({predictions.probabilities[i, predictions.predicted[i]]:.2f})",
        )
        for i in wrong[:most]
    ]
    title = f"{name}: {len(wrong)} of {len(predictions.labels)} test images wrong; the {len(tiles)} surest mistakes"
    figures.gallery(path, title, tiles, empty="no test image was classified wrongly")


def draw_suspect_labels(path: Path, suspects: pd.DataFrame, most: int) -> None:
    """Draw the images whose label is contradicted, the surest first.

    Args:
        path: a PNG file.
        suspects: the table of suspicions.
        most: images to draw.
    """
    found = review.contradicted(suspects, most)
    tiles = [_tile(row["path"], f"{row['class']}, looks like\n{row['looks_like']}") for _, row in found.iterrows()]
    of_all = count(len(review.contradicted(suspects, len(suspects))), "image")
    title = f"{of_all} whose label is contradicted; the {len(tiles)} surest"
    figures.gallery(path, title, tiles, empty="no label is contradicted")


def draw_suspect_images(path: Path, suspects: pd.DataFrame, most: int) -> None:
    """Draw the images that look like no class.

    Args:
        path: a PNG file.
        suspects: the table of suspicions.
        most: images to draw.
    """
    found = review.foreign(suspects, most)
    tiles = [_tile(row["path"], f"{row['class']}\n{row['reason']}") for _, row in found.iterrows()]
    figures.gallery(path, "images that look like no class", tiles, empty="none was found")


def _tile(path: str, caption: str) -> figures.Tile:
    return figures.Tile(images.load(paths.PREPARED / path, _SIDE), f"{caption}\n{names.file_name(path)}")
