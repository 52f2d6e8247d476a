"""Unfreeze the last layers of the base and train them together with the classifier of train_augmented.

What the frozen layers give is computed once: only the unfrozen part runs in every epoch.
"""

import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from headstart.base import base, extraction, runtime, weights
from headstart.base.extraction import Extraction
from headstart.base.weights import Tensors
from headstart.foundation import paths
from headstart.foundation.entry import run_stage
from headstart.foundation.resume import Resumable
from headstart.images import manifest
from headstart.models import activations, models
from headstart.models.description import describe
from headstart.models.samples import Samples
from headstart.settings.params import load
from headstart.settings.schema import Finetune, Params
from headstart.training import layerwise, strategy, training

if TYPE_CHECKING:
    import keras

START = paths.MODELS / "augmented"


class Prepared(NamedTuple):
    """What fine-tuning starts from.

    Attributes:
        weights: of the whole base.
        extraction: how features were made, and with them the classifier.
        unfreeze: how many of the base's last layers train.
        train: gives an epoch's outputs of the last layer that stays as it is, for augmented views.
        validation: the same for validation images.
        seconds: it took to compute these, as far as it was done beforehand.
    """

    weights: Tensors
    extraction: Extraction
    unfreeze: int
    train: Callable[[int], Samples]
    validation: Samples
    seconds: float


def main() -> None:
    """Read params.yaml, the activations and the classifier, train, write the model and its history."""
    params = load()
    settings = params.finetune
    state = Resumable(
        "finetune",
        (params.seed, settings, params.augmentation, params.extract_features),
        [paths.MANIFEST, paths.WEIGHTS, START / "model.weights.h5"],
    )
    runtime.start(params.seed)
    prepared = prepare(params, state)
    outcome = strategy.repeat(
        params.repeats, params.seed, state, lambda seed, part: train(prepared, settings, seed, part)
    )
    outcome = outcome._replace(seconds=prepared.seconds + outcome.seconds)
    start = describe(START)
    strategy.finish(
        "finetune",
        outcome,
        state,
        start.classes,
        extraction=start.extraction,
        classifier=start.classifier,
        unfreeze=prepared.unfreeze,
    )


def prepare(params: Params, state: Resumable) -> Prepared:
    """Compute what no epoch changes, as far as no earlier stage has kept it.

    Raises:
        InputError: the layers can't be unfrozen as params.yaml says.
    """
    settings = params.finetune
    frame = manifest.read(paths.MANIFEST)
    how = extraction.read()
    runtime.set_policy(how.policy)
    pretrained = weights.load(paths.WEIGHTS)
    whole = base.build(how.base, pretrained, how.image_size)
    unfreeze = base.count_unfrozen(whole, settings.unfreeze)
    cut = base.cut_before(whole, unfreeze)
    models.set_trainable(whole, unfreeze)
    layerwise.check(whole, settings)
    source = activations.source(whole, frame, params.extract_features, params.augmentation, params.seed)
    labels = {split: manifest.labels(frame, split) for split in ("train", "validation")}
    started = time.monotonic()
    train = activations.training_samples(cut, labels["train"], source, state)
    validation = Samples(activations.at(cut, "validation", source, state)[None], labels["validation"])
    return Prepared(pretrained, how, unfreeze, train, validation, time.monotonic() - started)


def train(
    prepared: Prepared, settings: Finetune, seed: int, state: Resumable
) -> tuple["keras.Model", training.Training]:
    """Train once, and prove that the layers that should have changed have, and no others."""
    how = prepared.extraction
    whole = base.build(how.base, prepared.weights, how.image_size)
    model = models.join(whole, models.load(START, whole), prepared.unfreeze)
    before = base.digests(whole)
    groups = layerwise.groups(model, whole, settings)
    follow = partial(strategy.write_history, "finetune")
    result = training.fit(model, prepared.train, prepared.validation, settings, seed, state, groups, follow)
    layerwise.freeze_unreached(whole, settings, result.best_epoch)
    base.check_frozen(whole, before)
    return model, result


if __name__ == "__main__":
    run_stage(main, __doc__)
