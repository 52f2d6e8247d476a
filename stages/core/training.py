"""The training loop: epochs, the best of them by validation loss, early stopping, resuming."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stages.core import classifier
from stages.core.atomic import replacing
from stages.core.progress import bar
from stages.core.resume import Resumable
from stages.core.samples import Samples, epoch_batches, in_order
from stages.core.sections.classifier import Optimization

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

# Validation and prediction have no gradient to hold, so their batches may be larger than training's.
PREDICTION_BATCH = 128
# The state is saved after an epoch when the last save is this old, seconds: saving every epoch of a
# small head would take longer than training it.
_SAVE_INTERVAL = 5.0


def fit(
    model: "keras.Model", train: Samples, validation: Samples, settings: Optimization, seed: int, state: Resumable
) -> pd.DataFrame:
    """Train ``model``, leave it with the weights of its best epoch, and return its history.

    Args:
        model: from inputs to logits; what is trainable in it trains.
        train: training examples, in as many views as there are.
        validation: validation examples, in one view.
        settings: optimizer, rate, batch size, epochs, patience.
        seed: decides order and views of the examples.
        state: where the training goes on after an interruption.

    Returns:
        One row an epoch: ``epoch`` from 1, ``loss``, ``accuracy``, ``val_loss``, ``val_accuracy``.
        Training loss and accuracy are means over the epoch, dropout and augmentation on.
    """
    optimizer = build_optimizer(settings)
    optimizer.build(model.trainable_variables)
    step = _compile_step(model, optimizer)
    measure = _compile_measure(model)
    run = _Run(model, optimizer, state.path / "training.npz")
    history = run.restore(state.read())
    with bar(f"train {state.path.name}", settings.epochs, " epochs", done=len(history)) as progress:
        while len(history) < settings.epochs and not _is_over(history, settings.patience):
            epoch = len(history)
            sums = [step(x, y) for x, y in epoch_batches(train, settings.batch_size, epoch, seed)]
            val_sums = [measure(x, y) for x, y in in_order(validation, PREDICTION_BATCH)]
            loss, accuracy = _means(sums, len(train.labels))
            val_loss, val_accuracy = _means(val_sums, len(validation.labels))
            history.append([epoch + 1, loss, accuracy, val_loss, val_accuracy])
            if val_loss <= min(row[3] for row in history):
                run.keep_best()
            progress.set_postfix(val_loss=f"{val_loss:.4f}", val_accuracy=f"{val_accuracy:.4f}", refresh=False)
            progress.update(1)
            if run.is_due():
                run.save(state, history)
    run.take_best()
    return pd.DataFrame(history, columns=["epoch", "loss", "accuracy", "val_loss", "val_accuracy"]).astype(
        {"epoch": int}
    )


def predict(model: "keras.Model", values: NDArray[np.generic]) -> NDArray[np.float64]:
    """Return probabilities, float64 (examples, classes), for examples (examples, …)."""
    import tensorflow as tf

    forward = tf.function(
        lambda x: classifier.probabilities(model(tf.cast(x, model.input.dtype), training=False)),
        input_signature=[tf.TensorSpec((None, *values.shape[1:]), values.dtype)],
    )
    samples = Samples(values[np.newaxis], np.zeros(len(values), np.int64))
    rows = [forward(x).numpy() for x, _ in in_order(samples, PREDICTION_BATCH)]
    return np.concatenate(rows).astype(np.float64)


def build_optimizer(settings: Optimization) -> "keras.Optimizer":
    """Return Keras's optimizer of the name in ``settings``, with its usual other settings."""
    import keras

    kinds = {
        "adam": keras.optimizers.Adam,
        "adamw": keras.optimizers.AdamW,
        "rmsprop": keras.optimizers.RMSprop,
        "sgd": keras.optimizers.SGD,
    }
    return kinds[settings.optimizer](settings.learning_rate)


def _compile_step(model: "keras.Model", optimizer: "keras.Optimizer") -> Any:
    import tensorflow as tf

    @tf.function(reduce_retracing=True)
    def step(values: "tf.Tensor", labels: "tf.Tensor") -> "tf.Tensor":
        with tf.GradientTape() as tape:
            logits = model(tf.cast(values, model.input.dtype), training=True)
            losses = classifier.loss(labels, logits)
            mean = tf.reduce_mean(losses)
        gradients = tape.gradient(mean, model.trainable_variables)
        optimizer.apply(gradients, model.trainable_variables)
        return tf.stack([tf.reduce_sum(losses), tf.reduce_sum(classifier.correct(labels, logits))])

    return step


def _compile_measure(model: "keras.Model") -> Any:
    import tensorflow as tf

    @tf.function(reduce_retracing=True)
    def measure(values: "tf.Tensor", labels: "tf.Tensor") -> "tf.Tensor":
        logits = model(tf.cast(values, model.input.dtype), training=False)
        losses = classifier.loss(labels, logits)
        return tf.stack([tf.reduce_sum(losses), tf.reduce_sum(classifier.correct(labels, logits))])

    return measure


def _means(sums: "list[tf.Tensor]", count: int) -> tuple[float, float]:
    loss, right = np.sum([pair.numpy() for pair in sums], axis=0, dtype=np.float64) / count
    return float(loss), float(right)


def _is_over(history: list[list[float]], patience: int) -> bool:
    losses = [row[3] for row in history]
    return patience > 0 and len(losses) - 1 - int(np.argmin(losses)) >= patience if losses else False


class _Run:
    """The changing values of one training: weights, the optimizer's moments, the best weights so far."""

    def __init__(self, model: "keras.Model", optimizer: "keras.Optimizer", file: Path) -> None:
        self._variables = [*model.variables, *optimizer.variables]
        self._weights = model.trainable_variables
        self._best = [np.asarray(weight) for weight in self._weights]
        self._file = file
        self._saved = time.monotonic()

    def keep_best(self) -> None:
        self._best = [np.array(weight) for weight in self._weights]

    def take_best(self) -> None:
        for weight, value in zip(self._weights, self._best, strict=True):
            weight.assign(value)

    def is_due(self) -> bool:
        return time.monotonic() - self._saved >= _SAVE_INTERVAL

    def save(self, state: Resumable, history: list[list[float]]) -> None:
        values = {f"now{i}": np.asarray(variable) for i, variable in enumerate(self._variables)}
        values |= {f"best{i}": value for i, value in enumerate(self._best)}
        # History and weights in one file: they can't come apart.
        with replacing(self._file) as temporary:
            np.savez(temporary, history=np.array(history), **values)
        state.write({"epochs": len(history)})
        self._saved = time.monotonic()

    def restore(self, recorded: dict[str, Any]) -> list[list[float]]:
        if not recorded:
            return []
        with np.load(self._file, allow_pickle=False) as saved:
            for i, variable in enumerate(self._variables):
                variable.assign(saved[f"now{i}"])
            self._best = [saved[f"best{i}"] for i in range(len(self._best))]
            return [[float(value) for value in row] for row in saved["history"]]
