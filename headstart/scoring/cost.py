"""What a strategy costs: seconds to train and to predict, weights trained, bytes on disk.

Seconds differ from run to run, so they are kept in metrics/timings.json and not in an output of a stage, and count
only for the very model that they were measured on.
"""

import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from headstart.foundation import paths
from headstart.images import images
from headstart.models import timing
from headstart.models.description import weights_digest
from headstart.models.predictor import BATCH, Predictor

# Batches that prediction is timed on.
_BATCHES = 3


class Cost(NamedTuple):
    """What one strategy costs; seconds are None where they were not measured on this model.

    Attributes:
        train_seconds: of one training, without the extraction of features, which the strategies on a base share.
        predict_seconds: from an image file to its probabilities, a batch at a time.
        trained_parameters: how many weights were trained.
        bytes: of its files, without the base, which the strategies on it share.
    """

    train_seconds: float | None
    predict_seconds: float | None
    trained_parameters: int
    bytes: int


def of(name: str, metrics: dict[str, Any]) -> Cost:
    """Return the cost of the strategy ``name``, whose row of metrics/evaluation.json is ``metrics``."""
    digest = weights_digest(paths.MODELS / name)
    trained = timing.training_seconds(name, digest)
    return Cost(
        train_seconds=None if trained is None else trained / trainings(name),
        predict_seconds=timing.prediction_seconds(name, digest),
        trained_parameters=metrics["trained_parameters"],
        bytes=metrics["bytes"],
    )


def trainings(name: str) -> int:
    """Return how often a strategy was trained: the rows of its repeats.csv, and once where there is none."""
    try:
        return len(pd.read_csv(paths.METRICS / name / "repeats.csv"))
    except FileNotFoundError:
        return 1


def bytes_on_disk(folder: Path) -> int:
    """Return the size of the files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def measure(predictor: Predictor, files: list[Path]) -> float:
    """Time the way from image files to probabilities; return the seconds an image.

    Args:
        predictor: the model.
        files: images to predict; 96 of them at the most are taken.
    """
    batches = [files[start : start + BATCH] for start in range(0, min(len(files), BATCH * _BATCHES), BATCH)]

    def predict(batch: list[Path]) -> None:
        predictor(np.stack([images.load(path, predictor.image_size) for path in batch]))

    predict(batches[0])  # TensorFlow plans its work at the first call
    seconds = []
    for batch in batches:
        started = time.perf_counter()
        predict(batch)
        seconds.append((time.perf_counter() - started) / len(batch))
    # The median: another program may have had the processor for a while.
    return float(np.median(seconds))
