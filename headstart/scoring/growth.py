"""What more training images would bring: the learning curve of every strategy that trains on the base's features.

A least-squares classifier replaces the strategy's own, see :mod:`headstart.statistics.least_squares`.
Fine-tuning has no curve: it trains on images, and each point would be a fine-tuning of its own. A fine-tuned base's
features can't be used instead: that base has already learned from every training image.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from headstart.foundation import memo, paths
from headstart.foundation.array_types import IntArray
from headstart.foundation.arrays import open_array
from headstart.foundation.progress import bar
from headstart.images import manifest
from headstart.models.description import describe
from headstart.settings.schema import Evaluate
from headstart.statistics import least_squares
from headstart.statistics.learning_curve import LearningCurve, growing_order, learning_curve

# The features that a strategy's classifier is trained on.
LEARNS_FROM = {"head": "train", "augmented": "train_views"}


def curves(frame: pd.DataFrame, settings: Evaluate, seed: int) -> dict[str, LearningCurve]:
    """Return the learning curves by strategy; none where ``settings`` asks for none.

    Of a larger set, 4,096 training images are drawn at random; the fractions are of those.

    Args:
        frame: the manifest; data/features is what it describes.
        settings: at which fractions, and how often.
        seed: for the draws.
    """
    if not settings.learning_curve:
        return {}
    drawn = {}
    for name, array in LEARNS_FROM.items():
        files = [paths.FEATURES / f"{part}.npy" for part in (array, "validation", "test")]
        if not len(open_array(files[0])):  # no augmented views were kept
            continue
        description = describe(paths.MODELS / name)
        classifier, extraction = description.classifier, description.extraction
        assert classifier, f"{name} trains a classifier on features"
        assert extraction, f"{name} trains a classifier on features"
        preparation = least_squares.Preparation(classifier.pooling, classifier.scaling, extraction.feature_rms)
        drawn[name] = memo.recall(
            f"evaluate/learning_curve/{name}",
            (preparation, settings.learning_curve, settings.curve_repeats, least_squares.MOST_IMAGES, seed),
            [paths.MANIFEST, *files],
            LearningCurve,
            partial(_draw, frame, files, preparation, settings, seed),
        )
    return drawn


def _draw(
    frame: pd.DataFrame, files: Sequence[Path], preparation: least_squares.Preparation, settings: Evaluate, seed: int
) -> LearningCurve:
    """Draw a curve from the features of training, validation and test images."""
    labels = {split: manifest.labels(frame, split) for split in manifest.SPLITS}
    order = growing_order(labels["train"], np.random.default_rng(seed))
    chosen = np.sort(order[: least_squares.MOST_IMAGES])
    train, validation, test = map(open_array, files)
    products = least_squares.products(train, validation, test, preparation, chosen)
    known = least_squares.Labels(labels["train"][chosen], labels["validation"], len(manifest.class_names(frame)))
    train_and_predict = least_squares.fit_predict(products, known)
    with bar(
        "draw the learning curve", len(settings.learning_curve) * settings.curve_repeats, " trainings"
    ) as progress:

        def counted(rows: IntArray, training_seed: int) -> IntArray:
            predicted = train_and_predict(rows, training_seed)
            progress.update(1)
            return predicted

        return learning_curve(
            counted, known.train, labels["test"], settings.learning_curve, settings.curve_repeats, seed
        )
