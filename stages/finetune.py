"""Unfreeze the last layers of the base and train them together with the classifier of train_augmented.

What the frozen layers give is computed once: only the unfrozen part runs in every epoch. Each training starts from the
classifier that was trained on the same images.
"""

import time
from typing import NamedTuple

from headstart.base import base, extraction, network, runtime, weights
from headstart.base.extraction import Extraction
from headstart.base.lazy import keras
from headstart.base.weights import Tensors
from headstart.foundation import paths
from headstart.foundation.entry import run_stage
from headstart.foundation.resume import Resumable
from headstart.images.assignments import Assignment
from headstart.models import activations, models
from headstart.models.description import describe
from headstart.models.samples import Examples, Stored
from headstart.settings.params import load
from headstart.settings.schema import Finetune
from headstart.training import layerwise, strategy
from headstart.training.context import TrainingContext, begin
from headstart.training.strategy import Learner, Parts
from headstart.training.training import Trainer, Training

START = paths.MODELS / "augmented"


class Prepared(NamedTuple):
    """What fine-tuning starts from.

    Attributes:
        base: the whole base.
        weights: those that it was pretrained with.
        extraction: how features were made, and with them the classifier.
        unfreeze: how many of the base's last layers train.
        examples: gives outputs of the last layer that stays as it is, for augmented views.
        images: the same for images that are validated or tested on, as they are and, where asked for, mirrored.
        seconds: it took to compute these, as far as it was done beforehand.
    """

    base: "keras.Model"
    weights: Tensors
    extraction: Extraction
    unfreeze: int
    examples: Examples
    images: list[Stored]
    seconds: float


class Joined(NamedTuple):
    """The classifier and the base as one model, which every training trains.

    Attributes:
        head: the classifier.
        trainer: of both.
    """

    head: "keras.Model"
    trainer: Trainer


def main() -> None:
    """Read params.yaml, the activations and the classifiers, train, write the model and its history."""
    params = load()
    starts = [START / "model.json", *sorted(START.glob("**/*.weights.h5"))]
    context = begin("finetune", params, [paths.WEIGHTS, *starts], params.augmentation, params.extract_features)
    prepared = prepare(context, params.finetune)
    joined = join(prepared, params.finetune)
    strategy.train(
        context,
        Learner(
            joined.trainer.model,
            lambda assignment, state: train(context, prepared, joined, assignment, state),
            prepared.images,
            Parts(prepared.extraction, describe(START).classifier, unfreeze=prepared.unfreeze),
            prepared.seconds,
        ),
    )


def prepare(context: TrainingContext, settings: Finetune) -> Prepared:
    """Compute what no epoch changes, as far as no earlier stage has kept it.

    Raises:
        InputError: the layers can't be unfrozen as params.yaml says.
    """
    params = context.params
    how = extraction.read()
    runtime.set_policy(how.policy)
    pretrained = weights.load(paths.WEIGHTS)
    whole = base.build(how.base, pretrained, how.image_size)
    unfreeze = base.count_unfrozen(whole, settings.unfreeze)
    cut = base.cut_before(whole, unfreeze)
    models.set_trainable(whole, unfreeze)
    layerwise.check(whole, settings)
    source = activations.source(whole, context.frame, params.extract_features, params.augmentation, params.seed)
    started = time.monotonic()
    examples = activations.training_samples(cut, source, context.state)
    arrays = ["images", "flipped/images"][: 1 + params.test_time_flip]
    images = [activations.at(cut, array, source, context.state) for array in arrays]
    return Prepared(whole, pretrained, how, unfreeze, examples, images, time.monotonic() - started)


def join(prepared: Prepared, settings: Finetune) -> Joined:
    """Put the classifier on the base."""
    head = models.load(START, prepared.base)
    model = models.join(prepared.base, head, prepared.unfreeze)
    return Joined(head, Trainer(model, settings, layerwise.groups(model, prepared.base, settings)))


def train(
    context: TrainingContext, prepared: Prepared, joined: Joined, assignment: Assignment, state: Resumable
) -> Training:
    """Train once, and prove that the layers that should have changed have, and no others."""
    whole, settings = prepared.base, context.params.finetune
    network.assign(whole, prepared.weights)
    # A new one's dropout begins anew as well.
    models.become(joined.head, models.load(START, whole, models.weights_of(START, assignment)))
    models.set_trainable(whole, prepared.unfreeze)
    before = base.digests(whole)
    examples = prepared.examples(assignment.train, context.labels(assignment.train), state)
    result = strategy.fit(context, assignment, joined.trainer, examples, prepared.images[0], state)
    layerwise.freeze_unreached(whole, settings, result.best_epoch)
    base.check_frozen(whole, before)
    return result


if __name__ == "__main__":
    run_stage(main, __doc__)
