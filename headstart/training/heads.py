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
from headstart.models import classifier, models, pooled
from headstart.models.samples import Examples, Stored, every_epoch
from headstart.settings.schema import Classifier, Layers
from headstart.training import mixing, strategy
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


def averages_first(settings: Classifier) -> bool:
    """Whether maps can be averaged once for all trainings, as they can unless mixing cuts rectangles out of them."""
    return settings.pooling == "average" and not mixing.asked(settings.recipe)


def train(context: TrainingContext, examples: Stored | Examples | None, is_start: bool = False) -> None:
    """Train the strategy's classifier.

    Args:
        context: of the stage.
        examples: features that it trains on, the same in every epoch or new ones in each; None for the images as they
            are.
        is_start: whether another strategy starts from each classifier.
    """
    settings = cast(Classifier, context.settings)
    how = extraction.read()
    images = stored(context)
    shape = images[0].values.shape[2:]

    def build(seed: int) -> "keras.Model":
        return classifier.build(settings, shape, how.feature_rms, len(context.classes), seed)

    whole = trained = build(context.params.seed)
    if averages_first(settings) and not callable(examples):
        stem, trained = pooled.divide(whole)
        folder = context.state.path
        images = [pooled.prepare(stem, one, folder / f"images_{number}.npy") for number, one in enumerate(images)]
        if examples is not None:
            examples = pooled.prepare(stem, examples, folder / "examples.npy")
    of_training = examples if callable(examples) else every_epoch(examples or images[0])
    trainer = Trainer(trained, settings)

    def train_once(assignment: Assignment, state: Resumable) -> Training:
        models.become(whole, build(assignment.seed))
        of_epoch = of_training(assignment.train, context.labels(assignment.train), state)
        return strategy.fit(context, assignment, trainer, of_epoch, images[0], state)

    layers = Layers.model_validate(settings.model_dump(include=set(Layers.model_fields)))
    parts = Parts(extraction=how, classifier=layers)
    strategy.train(context, Learner(trained, train_once, images, parts, is_start=is_start, whole=whole))
