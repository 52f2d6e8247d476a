"""What a strategy says about each image, in memory and in a CSV file."""

from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd

from headstart.foundation import tables
from headstart.foundation.array_types import FloatArray, IntArray
from headstart.foundation.errors import InputError
from headstart.statistics import clusters, scoring
from headstart.statistics.revisions import Answers

# Class names are free text, so the columns that hold their probabilities are marked.
PREFIX = "probability of "
# Enough that different float32 probabilities stay different, few enough to read.
DECIMALS = 9


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """Probabilities of one strategy for the images of one split."""

    images: tuple[str, ...]  # paths in the manifest
    classes: tuple[str, ...]  # names of the classes
    labels: IntArray  # true class numbers, shape (images,)
    probabilities: FloatArray  # shape (images, classes), rows summing to 1
    groups: tuple[str, ...] | None = None  # the images' groups; None where they are independent of one another

    @property
    def predicted(self) -> IntArray:
        """Number of each image's likeliest class, shape (images,)."""
        return scoring.predicted_classes(self.probabilities)

    @property
    def answers(self) -> Answers:
        """The images with their labels and predictions, as comparisons take them."""
        groups = None if self.groups is None else clusters.numbered(self.groups)
        return Answers(self.images, self.labels, self.predicted, groups)

    def with_probabilities(self, probabilities: FloatArray) -> "Predictions":
        """The same images with other probabilities."""
        return replace(self, probabilities=probabilities)

    @property
    def surest_mistakes(self) -> IntArray:
        """Places of the images whose likeliest class is wrong, the most probable mistake first."""
        wrong = np.flatnonzero(self.labels != self.predicted)
        sureness = self.probabilities[wrong, self.predicted[wrong]]
        mistakes: IntArray = wrong[np.argsort(-sureness, kind="stable")]
        return mistakes


def write(path: Path, predictions: Predictions) -> None:
    """Write one row an image: path, class, group where there are some, predicted class, each class's probability."""
    names = np.array(predictions.classes, dtype=object)
    columns = {
        "path": list(predictions.images),
        "class": names[predictions.labels],
        **({} if predictions.groups is None else {"group": list(predictions.groups)}),
        "predicted": names[predictions.predicted],
    }
    frame = pd.DataFrame(columns)
    rounded = predictions.probabilities.round(DECIMALS)
    probabilities = pd.DataFrame(rounded, columns=[PREFIX + name for name in predictions.classes])
    tables.write(path, pd.concat([frame, probabilities], axis=1))


def read(path: Path, content: str | None = None) -> Predictions:
    """Read what :func:`write` wrote.

    Args:
        path: the file, which names it in messages.
        content: of another revision's file, to read in place of this one's.

    Raises:
        InputError: it is missing or not such a file.
    """
    again = "run `dvc repro` to have it written"
    try:
        frame = pd.read_csv(
            path if content is None else StringIO(content),
            dtype={"path": str, "class": str, "group": str, "predicted": str},
            keep_default_na=False,
        )
        classes = tuple(name.removeprefix(PREFIX) for name in frame.columns if name.startswith(PREFIX))
        numbers = {name: number for number, name in enumerate(classes)}
        labels = np.array([numbers[name] for name in frame["class"]], np.int64)
        probabilities = frame[[PREFIX + name for name in classes]].to_numpy(np.float64)
        images = tuple(frame["path"])
        groups = tuple(frame["group"]) if "group" in frame else None
    except FileNotFoundError:
        raise InputError(f"{path}: no such file: {again}") from None
    except (KeyError, ValueError, pd.errors.ParserError) as error:
        raise InputError(f"{path}: not a file of predictions ({error}): {again}") from None
    labels, probabilities = scoring.checked(labels, probabilities, str(path))
    return Predictions(images, classes, labels, probabilities, groups)
