"""The loop that all strategies share: each training in turn, what it says of images it never saw, what is kept."""

import math
import shutil
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from headstart.base.extraction import Extraction
from headstart.base.lazy import keras
from headstart.foundation import paths, tables, versions
from headstart.foundation.array_types import FloatArray, IntArray
from headstart.foundation.atomic import replacing, replacing_folder
from headstart.foundation.resume import Resumable
from headstart.foundation.wording import count
from headstart.images.assignments import KEPT, Assignment
from headstart.models import held_out, inference, models, timing
from headstart.models.architectures import Network
from headstart.models.description import Description, weights_digest
from headstart.models.held_out import HeldOut
from headstart.models.samples import Samples, Stored
from headstart.settings.schema import Layers
from headstart.training import training
from headstart.training.context import TrainingContext
from headstart.training.training import Trainer, Training


class Parts(NamedTuple):
    """What a strategy's model is made of: a classifier on a base, or a network of its own."""

    extraction: Extraction | None = None  # how the features of the model were made, if it is on a base
    classifier: Layers | None = None  # its layers on the base
    network: Network | None = None  # what it is, if it has no base
    unfreeze: int = 0  # how many of the base's last layers were trained


class Learner(NamedTuple):
    """How a strategy trains."""

    model: "keras.Model"  # to logits: what is trained, once for each assignment
    # Gives the model the weights that a training starts from, and trains it, with a state of its own.
    train: Callable[[Assignment, Resumable], Training]
    # What the model takes of images that are validated or tested on, as they are and, where both are asked, mirrored.
    images: Sequence[Stored]
    parts: Parts  # of its model
    seconds: float = 0.0  # that were spent before the first training
    is_start: bool = False  # whether another strategy starts from each of its models
    whole: "keras.Model | None" = None  # what the model is a part of, if of more: its weights are saved then
    counted: str = "epoch"  # the column of its histories that says what a row is


class Outcome(NamedTuple):
    """What came of one training."""

    assignment: Assignment  # who trained on what
    training: Training  # its epochs and seconds
    test: FloatArray  # logits, float64 (images, classes), for the images that it is tested on
    validation: FloatArray  # the same for those that it validated on
    trained: int  # how many weights were trained


def train(context: TrainingContext, learner: Learner) -> Training:
    """Train a strategy as often as its context says, and write models/<strategy>/ and metrics/<strategy>/.

    An interrupted run goes on within the training that it was interrupted in.

    Returns:
        The training whose model is kept.
    """
    ask = _ask(learner.model, learner.images)
    outcomes = [_outcome(context, learner, ask, assignment) for assignment in context.trainings]
    kept = min(
        (one for one in outcomes if context.may_be_kept(one.assignment)),
        key=lambda one: float(one.training.best["val_loss"]),
    )
    _write(context, learner, outcomes, kept)
    seconds = learner.seconds + sum(one.training.seconds for one in outcomes)
    timing.record_training(context.strategy, seconds, weights_digest(paths.MODELS / context.strategy))
    context.state.discard()
    _say(context.strategy, outcomes, kept, learner.counted, seconds)
    return kept.training


def fit(
    context: TrainingContext,
    assignment: Assignment,
    trainer: Trainer,
    examples: Callable[[int], Samples],
    validated: Stored,
    state: Resumable,
) -> Training:
    """Train a model once, from its present weights: see :meth:`headstart.training.training.Trainer.fit`.

    Args:
        context: of the stage.
        assignment: who trains on what.
        trainer: of the model.
        examples: of each epoch.
        validated: holds the images that it validates on.
        state: of the training.
    """
    rows = assignment.validation
    return trainer.fit(
        examples,
        validated.samples(rows, context.labels(rows)),
        assignment.seed,
        state,
        lambda history: write_history(context.strategy, history),
        assignment.title,
    )


def write_history(strategy: str, history: pd.DataFrame) -> None:
    """Write metrics/<strategy>/history.csv, which grows while a strategy trains, for editors that draw it live."""
    table = history.assign(strategy=strategy)[["strategy", *history.columns]]
    tables.write(paths.METRICS / strategy / "history.csv", table)


# From rows of the manifest to their images' logits, float64 (images, classes).
_Ask = Callable[[IntArray], FloatArray]


def _outcome(context: TrainingContext, learner: Learner, ask: _Ask, assignment: Assignment) -> Outcome:
    """Train once, unless an interrupted run has done that."""
    state = context.part(assignment)
    file = state.path / "outcome.npz"
    if not file.exists():
        trained = learner.train(assignment, state)
        if learner.is_start or context.may_be_kept(assignment):
            (learner.whole or learner.model).save_weights(state.path / models.WEIGHTS)
        found = {
            "history": trained.history.to_numpy(),
            "columns": np.array(trained.history.columns, np.str_),
            "seconds": np.array(trained.seconds),
            "test": ask(assignment.test),
            "validation": ask(assignment.validation),
            "trained": np.array(sum(math.prod(weight.shape) for weight in learner.model.trainable_weights)),
        }
        with replacing(file) as temporary:
            np.savez(temporary, allow_pickle=False, **found)
        training.forget(state)
    with np.load(file, allow_pickle=False) as kept:
        return Outcome(
            assignment,
            Training(training.table(kept["history"].tolist(), kept["columns"].tolist()), float(kept["seconds"])),
            kept["test"],
            kept["validation"],
            int(kept["trained"]),
        )


def _ask(model: "keras.Model", images: Sequence[Stored]) -> _Ask:
    """Return what asks a model in its present state: of several views it gives the logits of the mean probability."""
    compiled = inference.compile_logits(model, images[0].values.dtype)

    def ask(rows: IntArray) -> FloatArray:
        if not len(rows):
            return np.empty((0, 0))
        unlabelled = np.zeros(len(rows), np.int64)
        logits = [compiled(stored.samples(rows, unlabelled)) for stored in images]
        if len(logits) == 1:
            return logits[0]
        mean = np.mean([held_out.probabilities(of_view) for of_view in logits], axis=0)
        # Where every view's probability underflows: the least that float64 holds.
        found: FloatArray = np.log(np.maximum(mean, np.finfo(np.float64).tiny))
        return found

    return ask


def _held_out(outcomes: Sequence[Outcome], kept: Outcome) -> HeldOut:
    """Put together what the trainings say of images that they never saw."""
    tested = [one for one in outcomes if one.assignment.fold != KEPT]
    runs = 1 + max(one.assignment.run for one in tested)
    folds = 1 + max(one.assignment.fold for one in tested)
    images = np.unique(np.concatenate([one.assignment.test for one in tested]))
    logits = np.empty((runs, len(images), kept.validation.shape[1]))
    where = np.empty((runs, len(images)), np.int16)
    sizes = np.empty((runs, folds), np.int64)
    for one in tested:
        places = np.searchsorted(images, one.assignment.test)
        logits[one.assignment.run, places] = one.test
        where[one.assignment.run, places] = one.assignment.fold
        sizes[one.assignment.run, one.assignment.fold] = len(one.assignment.train)
    lengths = [len(one.assignment.validation) for one in tested]
    return HeldOut(
        images=images,
        logits=logits,
        folds=where,
        validation_run=np.repeat(np.array([one.assignment.run for one in tested], np.int16), lengths),
        validation_fold=np.repeat(np.array([one.assignment.fold for one in tested], np.int16), lengths),
        validation_image=np.concatenate([one.assignment.validation for one in tested]),
        validation_logits=np.concatenate([one.validation for one in tested]),
        kept_image=kept.assignment.validation,
        kept_logits=kept.validation,
        train_sizes=sizes,
    )


def _write(context: TrainingContext, learner: Learner, outcomes: Sequence[Outcome], kept: Outcome) -> None:
    """Write the model that is kept, what the others were for, and the tables of their epochs and repeats."""
    history = kept.training.history
    description = Description(
        strategy=context.strategy,
        **learner.parts._asdict(),
        classes=context.classes,
        trained_parameters=kept.trained,
        epochs=len(history),
        best_epoch=kept.training.best_epoch,
        versions=versions.installed(),
    )
    with replacing_folder(paths.MODELS / context.strategy) as folder:
        models.write(folder, description, context.part(kept.assignment).path / models.WEIGHTS)
        held_out.save(folder / held_out.NAME, _held_out(outcomes, kept))
        for one in outcomes if learner.is_start else ():
            target = models.weights_of(folder, one.assignment)
            target.parent.mkdir(exist_ok=True)
            shutil.copyfile(context.part(one.assignment).path / models.WEIGHTS, target)
    write_history(context.strategy, history)
    tables.write(paths.METRICS / context.strategy / "repeats.csv", _repeats(outcomes))


def _repeats(outcomes: Sequence[Outcome]) -> pd.DataFrame:
    """One row a training: ``repeat`` and ``fold`` from 1, ``seed``, ``best_epoch``, ``val_loss``, ``val_accuracy``.

    ``fold`` is 0 where there are none, and both are for the model that is kept beside those of the folds.
    """
    in_folds = any(one.assignment.fold == KEPT for one in outcomes)
    rows = [
        [
            one.assignment.run + 1,
            one.assignment.fold + 1 if in_folds else 0,
            one.assignment.seed,
            one.training.best_epoch,
            one.training.best["val_loss"],
            one.training.best["val_accuracy"],
        ]
        for one in outcomes
    ]
    return pd.DataFrame(rows, columns=["repeat", "fold", "seed", "best_epoch", "val_loss", "val_accuracy"])


def _say(strategy: str, outcomes: Sequence[Outcome], kept: Outcome, counted: str, seconds: float) -> None:
    best = kept.training.best
    print(
        f"{strategy}: best of {count(len(kept.training.history), counted)} is {best[counted]:g}, validation accuracy "
        f"{best['val_accuracy']:.4f}, loss {best['val_loss']:.4f}; {seconds:.1f} s"
    )
    if len(outcomes) > 1:
        accuracies = [float(one.training.best["val_accuracy"]) for one in outcomes]
        print(f"{strategy}: {len(accuracies)} trainings reach {min(accuracies):.4f} to {max(accuracies):.4f}")
