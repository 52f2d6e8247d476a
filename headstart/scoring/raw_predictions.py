"""What a strategy's model predicts for the validation and test images, before calibration."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from headstart.base import runtime
from headstart.foundation import paths
from headstart.foundation.array_types import FloatArray, IntArray
from headstart.images import manifest
from headstart.models import held_out, predictor
from headstart.models.description import Inference, describe
from headstart.scoring import prediction_time
from headstart.scoring.predictions import Predictions


class RawPredictions(NamedTuple):
    """What a model says, and how long it takes to say it.

    Attributes:
        validation: of the validation split.
        test: of the test split.
        seconds: from an image file to its probabilities, a batch at a time.
    """

    validation: Predictions
    test: Predictions
    seconds: float


def predict(name: str, frame: pd.DataFrame, flip: bool, seed: int) -> RawPredictions:
    """Return what the model of a strategy said when it was trained, and time it.

    Args:
        name: the strategy.
        frame: the manifest.
        flip: whether to take the mean over every image and its mirror image.
        seed: the run's seed.
    """
    held = held_out.load(paths.MODELS / name / held_out.NAME)
    kept = [np.array_equal(held.validation(run, 0)[1], held.kept_logits) for run in range(len(held.logits))]
    test = _predictions(frame, held.images, held_out.probabilities(held.logits[kept.index(True) if any(kept) else 0]))
    validation = _predictions(frame, held.kept_image, held_out.probabilities(held.kept_logits))
    runtime.start(seed)
    runtime.set_policy(describe(paths.MODELS / name).policy)
    model = predictor.Predictor(
        predictor.assemble(paths.MODELS / name, paths.WEIGHTS), Inference(temperature=1.0, flip=flip)
    )
    files = [paths.PREPARED / path for path in test.images]
    return RawPredictions(validation, test, prediction_time.measure(model, files))


def _predictions(frame: pd.DataFrame, rows: IntArray, probabilities: FloatArray) -> Predictions:
    return Predictions(
        images=tuple(frame["path"].iloc[rows]),
        classes=tuple(manifest.class_names(frame)),
        labels=manifest.labels_of(frame, rows),
        probabilities=probabilities,
    )
