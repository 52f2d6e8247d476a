"""What training stages share: their examples, repeats, and what they leave behind."""

import math
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from headstart.base.extraction import Extraction
from headstart.foundation import paths, tables, versions
from headstart.foundation.arrays import open_array
from headstart.foundation.resume import Resumable
from headstart.images import manifest
from headstart.models import classifier, models, timing
from headstart.models.architectures import Network
from headstart.models.description import Description, weights_digest
from headstart.models.samples import Samples
from headstart.settings.schema import Classifier, Layers
from headstart.training import training
from headstart.training.training import Training

if TYPE_CHECKING:
    import keras


def examples(frame: pd.DataFrame, array: str) -> Samples:
    """Return the extracted features ``array`` with their labels.

    Args:
        frame: the manifest.
        array: ``train``, ``validation`` or ``train_views``.
    """
    values = open_array(paths.FEATURES / f"{array}.npy")
    labels = manifest.labels(frame, array.removesuffix("_views"))
    return Samples(values if array.endswith("_views") else values[np.newaxis], labels)


class Examples(NamedTuple):
    """What a classifier on extracted features learns from.

    Attributes:
        train: gives the training examples of an epoch, from 0.
        validation: in one view.
        classes: names, in the order of the labels.
        extraction: how the features were made.
    """

    train: Callable[[int], Samples]
    validation: Samples
    classes: list[str]
    extraction: Extraction


class Outcome(NamedTuple):
    """What came of training a strategy one or several times.

    Attributes:
        model: the one with the lowest validation loss.
        training: its training.
        repeats: one row a training: ``repeat`` from 1, ``seed``, ``best_epoch``, ``val_loss``, ``val_accuracy``.
        seconds: spent on all of them.
    """

    model: "keras.Model"
    training: Training
    repeats: pd.DataFrame
    seconds: float


def repeat(
    count: int, seed: int, state: Resumable, train: Callable[[int, Resumable], tuple["keras.Model", Training]]
) -> Outcome:
    """Train ``count`` times with different seeds; the spread of the results shows the training noise.

    Args:
        count: how often.
        seed: the run's seed, and that of the first training.
        state: of the stage.
        train: trains once, from a seed and with a state of its own.
    """
    best: tuple[keras.Model, Training] | None = None
    rows = []
    seconds = 0.0
    for number in range(count):
        own_seed = seed if number == 0 else int(np.random.SeedSequence([seed, number]).generate_state(1)[0] >> 1)
        # A single training needs no number, which would show in its progress.
        part = state if count == 1 else Resumable(f"{state.name}/repeat_{number + 1}", (state.key, own_seed), [])
        model, training = train(own_seed, part)
        last = training.best
        rows.append([number + 1, own_seed, training.best_epoch, last["val_loss"], last["val_accuracy"]])
        seconds += training.seconds
        if best is None or last["val_loss"] < best[1].best["val_loss"]:
            best = model, training
    assert best is not None, "count is 1 at the least"
    table = pd.DataFrame(rows, columns=["repeat", "seed", "best_epoch", "val_loss", "val_accuracy"])
    return Outcome(*best, table, seconds)


def train_classifier(
    name: str, settings: Classifier, examples: Examples, repeats: int, seed: int, state: Resumable
) -> None:
    """Train a classifier on the features of the frozen base, and write it as the strategy ``name``.

    Args:
        name: the strategy's.
        settings: the classifier's layers, and its training.
        examples: what it learns from.
        repeats: how often it is trained.
        seed: the run's seed.
        state: of the stage.
    """

    def train_once(own_seed: int, part: Resumable) -> tuple["keras.Model", Training]:
        shape = examples.validation.values.shape[2:]
        model = classifier.build(settings, shape, examples.extraction.feature_rms, len(examples.classes), own_seed)
        follow = partial(write_history, name)
        return model, training.fit(model, examples.train, examples.validation, settings, own_seed, part, follow=follow)

    outcome = repeat(repeats, seed, state, train_once)
    layers = Layers.model_validate(settings.model_dump(include=set(Layers.model_fields)))
    finish(name, outcome, state, examples.classes, extraction=examples.extraction, classifier=layers)


def finish(
    name: str,
    outcome: Outcome,
    state: Resumable,
    classes: list[str],
    *,
    extraction: Extraction | None = None,
    classifier: Layers | None = None,
    network: Network | None = None,
    unfreeze: int = 0,
) -> None:
    """Write models/<strategy>/, the history and repeats in metrics/<strategy>/, and say how it went.

    Args:
        name: the strategy's.
        outcome: of its trainings.
        state: of the stage.
        classes: names, in the order of the labels.
        extraction: how the features of the model were made, if it is on a base.
        classifier: its layers on the base.
        network: what it is, if it has no base.
        unfreeze: how many of the base's last layers were trained.
    """
    training = outcome.training
    description = Description(
        strategy=name,
        extraction=extraction,
        classifier=classifier,
        network=network,
        classes=classes,
        unfreeze=unfreeze,
        trained_parameters=sum(math.prod(weight.shape) for weight in outcome.model.trainable_weights),
        epochs=len(training.history),
        best_epoch=training.best_epoch,
        versions=versions.installed(),
    )
    models.save(paths.MODELS / name, outcome.model, description)
    write_history(name, training.history)
    tables.write(paths.METRICS / name / "repeats.csv", outcome.repeats)
    timing.record_training(name, outcome.seconds, weights_digest(paths.MODELS / name))
    state.discard()
    print(
        f"{name}: best of {len(training.history)} epochs is {training.best_epoch}, validation accuracy "
        f"{training.best['val_accuracy']:.4f}, loss {training.best['val_loss']:.4f}; {outcome.seconds:.1f} s"
    )
    if len(outcome.repeats) > 1:
        accuracies = outcome.repeats["val_accuracy"]
        print(f"{name}: {len(accuracies)} trainings reach {accuracies.min():.4f} to {accuracies.max():.4f}")


def write_history(strategy: str, history: pd.DataFrame) -> None:
    """Write metrics/<strategy>/history.csv, which grows while a strategy trains, for editors that draw it live."""
    table = history.assign(strategy=strategy)[["strategy", *history.columns]]
    tables.write(paths.METRICS / strategy / "history.csv", table)
