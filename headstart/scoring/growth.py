"""What more training images would bring: the learning curve of every strategy that trains on the base's features.

A least-squares classifier replaces the strategy's own, see :mod:`headstart.statistics.least_squares`.
Fine-tuning has no curve: it trains on images, and each point would be a fine-tuning of its own. A fine-tuned base's
features can't be used instead: that base has already learned from every training image.
"""

import hashlib
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from headstart.foundation import memo, paths
from headstart.foundation.array_types import IntArray
from headstart.foundation.arrays import open_array
from headstart.foundation.progress import bar
from headstart.images import manifest
from headstart.models.description import describe
from headstart.models.held_out import HeldOut
from headstart.settings.schema import Evaluate
from headstart.statistics import least_squares
from headstart.statistics.learning_curve import FitPredict, LearningCurve, grow, growing_order, read_curve, sizes

# The features that a strategy's classifier is trained on.
LEARNS_FROM = {"head": "images", "augmented": "views"}
_IMAGES = paths.FEATURES / "images.npy"


class Part(NamedTuple):
    """Rows of the manifest that a training trains on, validates on and is tested on, each (images,), ascending."""

    train: IntArray
    validation: IntArray
    test: IntArray


def curves(frame: pd.DataFrame, held: HeldOut, settings: Evaluate, seed: int) -> dict[str, LearningCurve]:
    """Return the learning curves by strategy; none where ``settings`` asks for none.

    Of a larger set, 4,096 training images are drawn at random; the fractions are of those.

    Args:
        frame: the manifest; data/features is what it describes.
        held: what a strategy left: which images its trainings validated and were tested on.
        settings: at which fractions, and how often.
        seed: for the draws.
    """
    if not settings.learning_curve:
        return {}
    drawn = {}
    for name, array in LEARNS_FROM.items():
        file = paths.FEATURES / f"{array}.npy"
        if not len(open_array(file)):  # no augmented views were kept
            continue
        description = describe(paths.MODELS / name)
        classifier, extraction = description.classifier, description.extraction
        assert classifier, f"{name} trains a classifier on features"
        assert extraction, f"{name} trains a classifier on features"
        preparation = least_squares.Preparation(classifier.pooling, classifier.scaling, extraction.feature_rms)
        drawn[name] = memo.recall(
            f"evaluate/learning_curve/{name}",
            (preparation, settings.learning_curve, settings.curve_repeats, least_squares.MOST_IMAGES, seed, _key(held)),
            [paths.MANIFEST, file, _IMAGES],
            LearningCurve,
            partial(_draw, frame, held, file, preparation, settings, seed),
        )
    return drawn


def _draw(
    frame: pd.DataFrame,
    held: HeldOut,
    file: Path,
    preparation: least_squares.Preparation,
    settings: Evaluate,
    seed: int,
) -> LearningCurve:
    """Draw a curve from the features; with folds each image is tested by a classifier that hasn't trained on it."""
    trained, images = open_array(file), open_array(_IMAGES)
    parts = divided(held, len(frame))
    labels = manifest.labels_of(frame, np.arange(len(frame)))
    drawn = []
    for part in parts:
        order = growing_order(labels[part.train], np.random.default_rng(seed))
        drawn.append(np.sort(part.train[order[: least_squares.MOST_IMAGES]]))
    classes = len(manifest.class_names(frame))
    counts = sizes(min(map(len, drawn)), classes, settings.learning_curve)
    right = []
    with bar("draw the learning curve", len(parts) * len(counts) * settings.curve_repeats, " trainings") as progress:
        for part, chosen in zip(parts, drawn, strict=True):
            products = least_squares.products(
                trained, _rows(images, part.validation), _rows(images, part.test), preparation, chosen
            )
            known = least_squares.Labels(labels[chosen], labels[part.validation], classes)
            train_and_predict = least_squares.fit_predict(products, known)

            def counted(rows: IntArray, training_seed: int, predict: FitPredict = train_and_predict) -> IntArray:
                progress.update(1)
                return predict(rows, training_seed)

            right.append(grow(counted, known.train, labels[part.test], counts, settings.curve_repeats, seed))
    return read_curve(counts, np.concatenate(right, axis=2), seed)


def divided(held: HeldOut, images: int) -> list[Part]:
    """Which images the trainings of the first run trained, validated and were tested on: one, or one per fold."""
    parts = []
    for fold in np.unique(held.folds[0]):
        test, validation = held.images[held.folds[0] == fold], held.validation(0, int(fold))[0]
        parts.append(Part(np.setdiff1d(np.arange(images), np.concatenate([test, validation])), validation, test))
    return parts


def _key(held: HeldOut) -> list[str]:
    """What tells one division of the images from another."""
    parts = (held.folds[0], held.validation_fold, held.validation_image)
    return [hashlib.sha256(np.ascontiguousarray(part).tobytes()).hexdigest() for part in parts]


def _rows(array: NDArray[np.generic], rows: IntArray) -> NDArray[np.generic]:
    """Rows of a file, as a part of it where they follow one another: that needs no memory."""
    start, stop = int(rows[0]), int(rows[-1]) + 1
    return array[start:stop] if stop - start == len(rows) else array[rows]
