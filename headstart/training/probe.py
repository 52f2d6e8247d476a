"""A linear probe: logistic regression on the base's pooled features, its penalty chosen on validation images.

What bases are usually judged by (Kornblith, Shlens and Le 2019, Do better ImageNet models transfer better?, CVPR): the
features of an image are each channel's mean, standardised by the training images, and of several strengths of the L2
penalty the one with the lowest validation loss is kept. The loss has one minimum, which L-BFGS finds in seconds, so
that nothing is random and there is no rate to choose.
"""

import time
import warnings
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import log_softmax
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from headstart.base import extraction
from headstart.foundation.array_types import FloatArray, IntArray
from headstart.foundation.errors import InputError
from headstart.foundation.progress import bar
from headstart.foundation.resume import Resumable
from headstart.images.assignments import Assignment
from headstart.models import classifier, pooling
from headstart.settings.schema import Layers, Probe
from headstart.training import class_weights, heads, strategy, training
from headstart.training.context import TrainingContext
from headstart.training.strategy import Learner, Parts
from headstart.training.training import Training

# What it is on the base: standardisation is folded into its weights.
_LAYERS = Layers(pooling="average", scaling="none", units=0, activation="linear", dropout=0.0)
# Of the gradient of the mean loss. At scikit-learn's 1e-4 a validation loss was still 2 % off its value at the minimum,
# at 1e-6 a few parts in a thousand, and that only where the penalty is far too weak.
_TOLERANCE = 1e-6
# Some 50 are usual.
_MOST_STEPS = 10_000


class Pooled(NamedTuple):
    """Labelled images as the probe sees them."""

    features: FloatArray  # each channel's mean, shape (images, channels)
    labels: IntArray  # shape (images,)


class Weights(NamedTuple):
    """A fitted probe: ``features @ kernel + bias`` are its logits, of features that are not standardised."""

    kernel: FloatArray  # shape (channels, units); a single unit stands for two classes
    bias: FloatArray  # shape (units,)


def train(context: TrainingContext) -> None:
    """Fit the probe as often as the context says.

    Raises:
        InputError: a penalty is so weak that no minimum was found.
    """
    settings = context.params.train_probe
    how = extraction.read()
    images = heads.stored(context)
    pooled = pooling.average(images[0].values[0])
    shape = images[0].values.shape[2:]
    model = classifier.build(_LAYERS, shape, how.feature_rms, len(context.classes), context.params.seed)

    fitted: dict[tuple[bytes, bytes], tuple[Weights, list[list[float]]]] = {}

    def train_once(assignment: Assignment, state: Resumable) -> Training:
        started = time.monotonic()
        # Nothing is random: repeats on the same images, as all are without folds, are fitted once.
        key = assignment.train.tobytes(), assignment.validation.tobytes()
        if key not in fitted:
            known, unseen = (
                Pooled(pooled[rows - images[0].first], context.labels(rows))
                for rows in (assignment.train, assignment.validation)
            )
            title = training.shown_as("train_probe", assignment.title)
            fitted[key] = fit(known, unseen, settings, len(context.classes), title)
        weights, rows = fitted[key]
        model.get_layer("logits").set_weights(list(weights))
        history = training.table(rows, [*training.HISTORY_COLUMNS, "strength"])
        return Training(history, time.monotonic() - started)

    learner = Learner(model, train_once, images, Parts(how, _LAYERS), counted="strength")
    if remark := at_the_end(float(strategy.train(context, learner).best["strength"]), settings.strengths):
        print(remark)


def at_the_end(best: float, strengths: Sequence[float]) -> str | None:
    """Say if a penalty beyond those that were tried may be better than the best of them; None if not."""
    if len(strengths) == 1 or min(strengths) < best < max(strengths):
        return None
    which, more = ("weakest", "weaker") if best == min(strengths) else ("strongest", "stronger")
    return f"probe: that is the {which} penalty that was tried: add {more} ones to train_probe.strengths"


def fit(
    known: Pooled, unseen: Pooled, settings: Probe, classes: int, title: str = "train_probe"
) -> tuple[Weights, list[list[float]]]:
    """Fit a probe with every penalty, from the strongest to the weakest, and keep the best of them.

    The same to the last bit on any number of threads.

    Args:
        known: training images, of every class.
        unseen: validation images.
        settings: the penalties, and how much each class counts.
        classes: how many there are.
        title: for progress.

    Returns:
        The weights with the lowest validation loss, the first of equals, and a row for each penalty: its number from 1,
        mean loss (without the penalty) and accuracy on training and on validation images, its strength. Losses have
        class weights.

    Raises:
        InputError: a penalty is so weak that no minimum was found.
    """
    of_classes = class_weights.of(settings, known.labels, classifier.output_units(classes))
    weighted = np.ones(classes) if of_classes is None else of_classes.astype(np.float64)
    found, rows = [], []
    strengths = sorted(settings.strengths, reverse=True)
    # On several threads sums come out in another order, and the last digits with them.
    with threadpool_limits(limits=1), bar(title, len(strengths), " strengths") as progress:
        scaler = StandardScaler().fit(known.features)
        standardised = scaler.transform(known.features)
        # Each penalty starts from the weights of the one before, which are close.
        model = LogisticRegression(tol=_TOLERANCE, max_iter=_MOST_STEPS, warm_start=True)
        for number, strength in enumerate(strengths, 1):
            model.set_params(C=1 / strength)
            with warnings.catch_warnings():
                warnings.simplefilter("error", ConvergenceWarning)
                try:
                    model.fit(standardised, known.labels, weighted[known.labels])
                except ConvergenceWarning:
                    raise InputError(
                        f"params.yaml: train_probe.strengths: with {strength:g} no minimum of the loss was found in "
                        f"{_MOST_STEPS:,} steps: leave out such weak penalties"
                    ) from None
            kernel = (model.coef_ / scaler.scale_).T
            found.append(Weights(kernel, model.intercept_ - scaler.mean_ @ kernel))
            measured = [_measure(found[-1], images, weighted) for images in (known, unseen)]
            rows.append([number, *measured[0], *measured[1], strength])
            progress.update(1)
    best = min(range(len(rows)), key=lambda place: rows[place][3])
    return found[best], rows


def _measure(weights: Weights, images: Pooled, weighted: FloatArray) -> tuple[float, float]:
    """The mean loss of images, each weighted by its class, and the part of them that is right."""
    logits = images.features @ weights.kernel + weights.bias
    if logits.shape[1] == 1:
        logits = np.column_stack([np.zeros(len(logits)), logits])
    truth = log_softmax(logits, axis=1)[np.arange(len(logits)), images.labels]
    right = logits.argmax(axis=1) == images.labels
    return float(-(weighted[images.labels] * truth).mean()), float(right.mean())
