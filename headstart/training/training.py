"""The training loop: epochs, the best of them by validation loss, early stopping, resuming."""

import math
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd

from headstart.base import batches, compiling
from headstart.base.lazy import keras, tf
from headstart.foundation.atomic import replacing
from headstart.foundation.errors import InputError
from headstart.foundation.progress import bar, until
from headstart.foundation.resume import Resumable
from headstart.models import classifier
from headstart.models.samples import Samples, epoch_batches, in_order
from headstart.settings.schema import Optimization
from headstart.training import class_weights, layerwise
from headstart.training.class_weights import ClassWeights
from headstart.training.layerwise import Group
from headstart.training.steps import Steps

HISTORY_COLUMNS = ["epoch", "loss", "accuracy", "val_loss", "val_accuracy"]
# The state is saved after an epoch when the last save is this old, seconds: saving every epoch of a
# small head would take longer than training it.
_SAVE_INTERVAL = 5.0
_FILE = "training.npz"


class Training(NamedTuple):
    """What a training left beside the model."""

    # One row an epoch: ``epoch`` from 1, ``loss``, ``accuracy``, ``val_loss``, ``val_accuracy``. The first two are
    # means over the epoch of what training sees: with dropout, smoothed labels, mixtures. Validation has none of these.
    # Both losses have class weights.
    history: pd.DataFrame
    seconds: float  # time spent, that of interrupted runs included

    @property
    def best_epoch(self) -> int:
        """The epoch of the lowest validation loss, whose weights the model has; the first of equals."""
        return int(self.best["epoch"])

    @property
    def best(self) -> "pd.Series[float]":
        """The row of the best epoch."""
        return self.history.iloc[int(self.history["val_loss"].argmin())]


class Trainer:
    """Trains one model as often as asked, each time from the weights that it is given.

    Its steps are compiled in the first training: for a small head that takes longer than the training itself.

    Attributes:
        model: what is trained.
    """

    def __init__(self, model: "keras.Model", settings: Optimization, groups: Sequence[Group] = ()) -> None:
        """Prepare the trainings of a model.

        Args:
            model: from inputs to logits; what is trainable in it trains.
            settings: all about the trainings.
            groups: what is trainable, if not all of it trains the same way and from the start.
        """
        self.model = model
        self._settings = settings
        self._steps = Steps(model, groups or layerwise.together(model), settings)
        self._measure = _compile_measure(model)

    def fit(
        self,
        train: Callable[[int], Samples],
        validation: Samples,
        seed: int,
        state: Resumable,
        follow: Callable[[pd.DataFrame], None] | None = None,
        title: str = "",
    ) -> Training:
        """Train the model from its present weights, and leave it with those of its best epoch.

        Args:
            train: gives the training examples of an epoch (from 0), in one view or several.
            validation: validation examples, in one view.
            seed: decides order, views and mixtures of the examples.
            state: where the training goes on after an interruption.
            follow: gets the history so far, every few seconds at most: for those who watch the training.
            title: which of several trainings it is, for progress.

        Raises:
            InputError: the loss became infinite or no number.
        """
        started = time.monotonic()
        settings = self._settings
        self._steps.begin(seed)
        run = _Run(self.model, self._steps, state)
        history, spent = run.restore()
        section = state.name.partition("/")[0]
        with bar(shown_as(section, title), settings.epochs, " epochs", done=len(history)) as progress:
            while len(history) < settings.epochs and not _is_over(history, settings.patience):
                epoch = len(history)
                samples = train(epoch)
                weights = class_weights.of(settings, samples.labels, self.model.output_shape[1])
                step = self._steps.of_epoch(epoch, math.ceil(len(samples.labels) / settings.batch_size), weights)
                shuffled = partial(epoch_batches, samples, settings.batch_size, epoch, seed)
                sums = [step(x, y) for x, y in shuffled()]
                loss, accuracy = _means(sums, len(samples.labels))
                with self._steps.averaged(shuffled):
                    val_loss, val_accuracy = self._measure(validation, weights)
                    if not np.isfinite([loss, val_loss]).all():
                        raise InputError(
                            f"params.yaml: {section}.learning_rate: {settings.learning_rate} made the loss overflow "
                            f"in epoch {epoch + 1}: lower it"
                        )
                    history.append([epoch + 1, loss, accuracy, val_loss, val_accuracy])
                    if _best(history) == epoch:
                        run.keep_best()
                progress.update(1)
                shown = f"val_loss={val_loss:.4f}, val_accuracy={val_accuracy:.4f}"
                if settings.patience:
                    soonest = settings.patience - (epoch - _best(history))
                    shown = f"or {until(progress, soonest)} if it stops early, {shown}"
                progress.set_postfix_str(shown, refresh=False)
                if run.is_due():
                    run.save(history, spent + time.monotonic() - started)
                    if follow:
                        follow(table(history))
        # Kept although it is finished: if a later repeat is interrupted, this one is not trained again.
        run.save(history, spent + time.monotonic() - started)
        run.take_best()
        return Training(table(history), spent + time.monotonic() - started)


def shown_as(section: str, title: str) -> str:
    """What the progress of a training is called; ``title`` says which of several it is, "" if there is but one."""
    return f"train {section}{', ' if title else ''}{title}"


def table(history: list[list[float]], columns: Sequence[str] = HISTORY_COLUMNS) -> pd.DataFrame:
    """Return the rows of a history as a table; ``columns`` begin with HISTORY_COLUMNS."""
    return pd.DataFrame(history, columns=list(columns)).astype({"epoch": int})


def forget(state: Resumable) -> None:
    """Delete what :meth:`Trainer.fit` keeps to go on from, once its result is in safety."""
    (state.path / _FILE).unlink(missing_ok=True)


def _compile_measure(model: "keras.Model") -> Callable[[Samples, ClassWeights | None], tuple[float, float]]:
    """Return a function from examples and weights of the classes to the mean loss and the part that is right."""

    def by_example(values: "tf.Tensor", labels: "tf.Tensor") -> "tf.Tensor":
        logits = model(tf.cast(values, model.input.dtype), training=False)
        return tf.stack([classifier.loss(labels, logits), classifier.correct(labels, logits)], axis=1)

    compiled = compiling.compiled_for_rows(by_example)

    def measure(samples: Samples, weights: ClassWeights | None) -> tuple[float, float]:
        found = []
        for values, labels in in_order(samples, batches.SIZE):
            whole = (batches.padded(rows, batches.SIZE) for rows in (values, labels))
            found.append(compiled(*whole).numpy()[: len(labels)])
        rows = np.concatenate(found)
        if weights is not None:
            rows[:, 0] *= weights[samples.labels]
        loss, right = rows.mean(axis=0, dtype=np.float64).tolist()
        return loss, right

    return measure


def _means(sums: "list[tf.Tensor]", count: int) -> tuple[float, float]:
    loss, right = np.array([pair.numpy() for pair in sums], np.float64).sum(axis=0).tolist()
    return loss / count, right / count


def _best(history: list[list[float]]) -> int:
    """Number, from 0, of the epoch with the lowest validation loss; the first of equals."""
    return int(np.argmin([row[HISTORY_COLUMNS.index("val_loss")] for row in history]))


def _is_over(history: list[list[float]], patience: int) -> bool:
    return bool(history) and patience > 0 and len(history) - 1 - _best(history) >= patience


class _Run:
    """The changing values of one training: weights, their moments and average, the best weights so far."""

    def __init__(self, model: "keras.Model", steps: Steps, state: Resumable) -> None:
        self._variables = [*model.variables, *steps.variables]
        # With batch normalization's moving averages: they belong to the best epoch as its weights do.
        self._weights = model.weights
        self._state = state
        self._file = state.path / _FILE
        self._saved = time.monotonic()
        self.keep_best()

    def keep_best(self) -> None:
        self._best = [weight.value.numpy() for weight in self._weights]

    def take_best(self) -> None:
        for weight, value in zip(self._weights, self._best, strict=True):
            weight.assign(value)

    def is_due(self) -> bool:
        return time.monotonic() - self._saved >= _SAVE_INTERVAL

    def save(self, history: list[list[float]], seconds: float) -> None:
        values = {f"now{i}": variable.value.numpy() for i, variable in enumerate(self._variables)}
        values |= {f"best{i}": value for i, value in enumerate(self._best)}
        # One file for all, so that history and weights can't come apart.
        with replacing(self._file) as temporary:
            np.savez(temporary, allow_pickle=False, history=np.array(history), seconds=np.array(seconds), **values)
        self._saved = time.monotonic()

    def restore(self) -> tuple[list[list[float]], float]:
        """Take up what :meth:`save` left; return the history and the seconds spent so far."""
        if not self._file.exists():
            return [], 0.0
        with np.load(self._file, allow_pickle=False) as saved:
            for i, variable in enumerate(self._variables):
                variable.assign(saved[f"now{i}"])
            self._best = [saved[f"best{i}"] for i in range(len(self._best))]
            return saved["history"].tolist(), float(saved["seconds"])
