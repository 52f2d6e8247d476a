"""Contact sheets that DVC shows as plots: the most confident mistakes, and the images worth a second look."""

from pathlib import Path

import pandas as pd

from headstart.drawing import figures
from headstart.foundation import paths
from headstart.foundation.framing import Framing
from headstart.foundation.wording import count
from headstart.images import images, names
from headstart.scoring import review
from headstart.scoring.predictions import Predictions

# Pixels a side of a picture.
_SIDE = 160


def draw_mistakes(path: Path, name: str, predictions: Predictions, most: int, framing: Framing) -> None:
    """Draw the images that a strategy misclassified, the most confident mistake first.

    Args:
        path: a PNG file.
        name: the strategy.
        predictions: of images that the models never saw.
        most: images to draw.
        framing: how the models saw the images; they are shown in the same, at another size.
    """
    classes, wrong = predictions.classes, predictions.surest_mistakes
    tiles = [
        _tile(
            predictions.images[i],
            f"{classes[predictions.labels[i]]}, predicted as\n"
            f"{classes[predictions.predicted[i]]} ({predictions.probabilities[i, predictions.predicted[i]]:.2f})",
            framing,
        )
        for i in wrong[:most]
    ]
    title = f"{name}: {len(wrong)} of {len(predictions.labels)} images wrong; the {len(tiles)} most confident mistakes"
    figures.gallery(path, title, tiles, empty="no image was misclassified")


def draw_suspect_labels(path: Path, suspects: pd.DataFrame, most: int, framing: Framing) -> None:
    """Draw the images that are probably mislabelled, the most confident first.

    Args:
        path: a PNG file.
        suspects: the table of suspicions.
        most: images to draw.
        framing: how the models saw the images; they are shown in the same, at another size.
    """
    found = review.contradicted(suspects, most)
    tiles = [
        _tile(row["path"], f"{row['class']}, looks like\n{row['looks_like']}", framing) for _, row in found.iterrows()
    ]
    of_all = count(len(review.contradicted(suspects, len(suspects))), "image")
    title = f"{of_all} whose label is in doubt; the {len(tiles)} most confident"
    figures.gallery(path, title, tiles, empty="no label is in doubt")


def draw_suspect_images(path: Path, suspects: pd.DataFrame, most: int, framing: Framing) -> None:
    """Draw the images that look like none of the classes.

    Args:
        path: a PNG file.
        suspects: the table of suspicions.
        most: images to draw.
        framing: how the models saw the images; they are shown in the same, at another size.
    """
    found = review.foreign(suspects, most)
    tiles = [_tile(row["path"], f"{row['class']}\n{row['reason']}", framing) for _, row in found.iterrows()]
    figures.gallery(path, "images that look like none of the classes", tiles, empty="none was found")


def _tile(path: str, caption: str, framing: Framing) -> figures.Tile:
    shown = images.load(paths.PREPARED / path, framing._replace(size=_SIDE))
    return figures.Tile(shown, f"{caption}\n{names.file_name(path)}")
