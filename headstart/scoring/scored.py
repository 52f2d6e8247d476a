"""What a strategy said of images that it had never seen, calibrated, and beside their labels.

Nothing is computed on images here: the training stages left the logits. This is where they meet the labels.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from headstart.foundation import paths
from headstart.foundation.array_types import FloatArray, IntArray
from headstart.foundation.errors import InputError
from headstart.images import assignments, manifest
from headstart.models import held_out
from headstart.models.held_out import HeldOut
from headstart.scoring.predictions import Predictions
from headstart.statistics import calibration, clusters, scoring
from headstart.statistics.outcome import Outcome


class Validated(NamedTuple):
    """What one training said of the images that it validated on; labels (images,), probabilities (images, classes)."""

    labels: IntArray
    raw: FloatArray
    calibrated: FloatArray


class Scored(NamedTuple):
    """One strategy."""

    raw: Outcome  # on the tested images, as its trainings have it
    calibrated: Outcome  # the same, each training with the temperature that its own validation images gave
    validated: list[Validated]  # of each training, run by run
    shown: int  # the run that is shown image by image: without folds that of the kept model, with folds the first
    names: "Names"  # of the tested images, their classes and groups
    temperature: float  # of the kept model

    @property
    def predictions(self) -> Predictions:
        """The calibrated predictions of the run that is shown."""
        return self._predictions(self.calibrated)

    @property
    def raw_predictions(self) -> Predictions:
        """The same as the models have it."""
        return self._predictions(self.raw)

    @property
    def validation(self) -> Validated:
        """What all trainings said of their validation images, one after the other."""
        return Validated(*(np.concatenate(parts) for parts in zip(*self.validated, strict=True)))

    def _predictions(self, tested: Outcome) -> Predictions:
        names = self.names
        return Predictions(names.images, names.classes, tested.labels, tested.probabilities[self.shown], names.groups)


class Names(NamedTuple):
    """What the tested images are called: paths, all classes, and groups, None where no image has one."""

    images: tuple[str, ...]
    classes: tuple[str, ...]
    groups: tuple[str, ...] | None


def read(name: str, frame: pd.DataFrame) -> Scored:
    """Return what the trainings of the strategy ``name`` left, for the images of a manifest.

    Raises:
        InputError: they left nothing, or something of other images.
    """
    path = paths.MODELS / name / held_out.NAME
    held = held_out.load(path)
    if held.images.max(initial=-1) >= len(frame) or held.logits.shape[2] != frame["class"].nunique():
        raise InputError(f"{path}: not of the images of {paths.MANIFEST}: run `dvc repro` to train again")
    return score(held, frame)


def score(held: HeldOut, frame: pd.DataFrame) -> Scored:
    """Look up the labels, and calibrate each training on the images that it validated on.

    Args:
        held: of one strategy.
        frame: the manifest.
    """
    classes = manifest.class_names(frame)
    labels = manifest.labels_of(frame, np.arange(len(frame)))
    groups = group_names(frame.iloc[held.images])
    raw = held_out.probabilities(held.logits)
    calibrated = raw.copy()
    validated = []
    for run, folds in enumerate(held.folds):
        for fold in np.unique(held.validation_fold[held.validation_run == run]):
            images, logits = held.validation(run, int(fold))
            said = held_out.probabilities(logits)
            temperature = fitted(labels[images], said)
            tested = folds == fold
            calibrated[run, tested] = calibration.apply_temperature(raw[run, tested], temperature)
            validated.append(Validated(labels[images], said, calibration.apply_temperature(said, temperature)))
    in_folds = assignments.in_folds(frame)
    pool = len(assignments.spans(frame).trained)
    as_raw = Outcome(
        labels=labels[held.images],
        probabilities=raw,
        folds=held.folds.astype(np.int64) if in_folds else None,
        groups=None if groups is None else clusters.numbered(groups),
        left_out=0.0 if in_folds else max(0.0, 1 - float(held.train_sizes.mean()) / max(pool, 1)),
    )
    return Scored(
        raw=as_raw,
        calibrated=replace(as_raw, probabilities=calibrated),
        validated=validated,
        shown=0 if in_folds else _kept(held),
        names=Names(tuple(frame["path"].iloc[held.images]), tuple(classes), groups),
        temperature=fitted(labels[held.kept_image], held_out.probabilities(held.kept_logits)),
    )


def trained_on(frame: pd.DataFrame) -> IntArray:
    """The labels of the images that strategies train on: those of the training split, or with folds all of them."""
    return manifest.labels_of(frame, np.array(assignments.spans(frame).trained, dtype=np.int64))


def fitted(labels: IntArray, probabilities: FloatArray) -> float:
    """The temperature for a model whose predictions for its validation images are ``probabilities``."""
    return calibration.fit_temperature(labels, probabilities, calibration.PRIOR_DEVIATION).value


def validation_loss(validated: list[Validated], balanced: bool) -> float:
    """The validation log loss that strategies are chosen by, the mean over trainings; lowest wins."""
    return float(np.mean([calibration.loss_to_choose_by(*one, balanced=balanced) for one in validated]))


def validation_accuracy(validated: list[Validated]) -> float:
    """The accuracy on validation images, the mean over trainings."""
    return float(np.mean([scoring.accuracy(one.labels, one.raw) for one in validated]))


def group_names(rows: pd.DataFrame) -> tuple[str, ...] | None:
    """The group of each image; an image without one is a group of its own. None where none has one."""
    if not rows["group"].any():
        return None
    return tuple(group or f"image {path}" for group, path in zip(rows["group"], rows["path"], strict=True))


def _kept(held: HeldOut) -> int:
    """The run of the kept model."""
    for run in range(len(held.logits)):
        images, logits = held.validation(run, 0)
        if np.array_equal(images, held.kept_image) and np.array_equal(logits, held.kept_logits):
            return run
    return 0
