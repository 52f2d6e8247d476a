"""One training as benchmarks compare it: by its best epoch on validation images. Test images play no part."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from headstart.base.extraction import Extraction
from headstart.foundation import paths
from headstart.foundation.arrays import open_array
from headstart.foundation.resume import Resumable
from headstart.images import manifest
from headstart.models import classifier
from headstart.models.samples import Samples, Stored
from headstart.settings.schema import Classifier
from headstart.training.training import Trainer, Training


class Result(NamedTuple):
    """The best epoch of a training by validation loss, how many epochs it had, and how long they took together."""

    accuracy: float
    loss: float
    epoch: int
    epochs: int
    seconds: float


def best_of(trained: Training) -> Result:
    """Return what is compared of a training."""
    best = trained.best
    return Result(
        float(best["val_accuracy"]),
        float(best["val_loss"]),
        trained.best_epoch,
        len(trained.history),
        trained.seconds,
    )


def examples(frame: pd.DataFrame, array: str, split: str) -> Samples:
    """Return extracted features of a split with their labels.

    Args:
        frame: the manifest, of splits.
        array: ``images`` as they are, or their ``views``.
        split: ``train`` or ``validation``.
    """
    values = open_array(paths.FEATURES / f"{array}.npy")
    rows = manifest.rows_of(frame, split)
    stored = Stored(values if array == "views" else values[np.newaxis])
    return stored.samples(rows, manifest.labels_of(frame, rows))


def train_classifier(
    train: Samples, validation: Samples, settings: Classifier, how: Extraction, classes: int, seed: int
) -> Result:
    """Train a classifier on extracted features once, in the current folder.

    Args:
        train: training features, in one view or several.
        validation: validation features.
        settings: of the classifier and its training.
        how: the features were made.
        classes: how many there are.
        seed: of the training.
    """
    import keras

    keras.utils.clear_session()
    model = classifier.build(settings, validation.values.shape[2:], how.feature_rms, classes, seed)
    state = Resumable("benchmark", seed, [])
    trained = Trainer(model, settings).fit(lambda epoch: train, validation, seed, state)
    state.discard()
    return best_of(trained)
