"""Training classifiers on the features of the frozen base: what the strategies that do so have in common."""

from pathlib import Path
from typing import cast

import numpy as np

from headstart.base import extraction
from headstart.base.lazy import keras
from headstart.foundation import paths
from headstart.foundation.arrays import open_array
from headstart.foundation.resume import Resumable
from headstart.images.assignments import Assignment
from headstart.models import classifier, models
from headstart.models.samples import Examples, Stored, every_epoch
from headstart.settings.schema import Classifier, Layers
from headstart.training import strategy
from headstart.training.context import TrainingContext
from headstart.training.strategy import Learner, Parts
from headstart.training.training import Trainer, Training

FEATURES = paths.FEATURES / "images.npy"
_FLIPPED = paths.FLIPPED / "features" / "images.npy"


def files(flip: bool) -> list[Path]:
    """The files of the features that are validated and tested on."""
    return [FEATURES, *([_FLIPPED] if flip else [])]


def stored(context: TrainingContext) -> list[Stored]:
    """The features of the images that are validated and tested on: as they are and, where both are asked, mirrored."""
    found = []
    for file in files(context.params.test_time_flip):
        values = open_array(file)[np.newaxis]
        found.append(Stored(values, len(context.frame) - values.shape[1]))  # those of the manifest's last rows
    return found


def train(context: TrainingContext, examples: Examples | None, is_start: bool = False) -> None:
    """Train the strategy's classifier.

    Args:
        context: of the stage.
        examples: what it trains on; None for the images as they are.
        is_start: whether another strategy starts from each classifier.
    """
    settings = cast(Classifier, context.settings)
    how = extraction.read()
    images = stored(context)

    def build(seed: int) -> "keras.Model":
        return classifier.build(settings, images[0].values.shape[2:], how.feature_rms, len(context.classes), seed)

    trainer = Trainer(build(context.params.seed), settings)

    def train_once(assignment: Assignment, state: Resumable) -> Training:
        models.become(trainer.model, build(assignment.seed))
        labels = context.labels(assignment.train)
        of_epoch = (examples or every_epoch(images[0]))(assignment.train, labels, state)
        return strategy.fit(context, assignment, trainer, of_epoch, images[0], state)

    layers = Layers.model_validate(settings.model_dump(include=set(Layers.model_fields)))
    parts = Parts(extraction=how, classifier=layers)
    strategy.train(context, Learner(trainer.model, train_once, images, parts, is_start=is_start))
