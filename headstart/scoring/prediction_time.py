"""How long a model takes from an image file to its probabilities."""

import time
from itertools import cycle, islice
from pathlib import Path

import numpy as np

from headstart.images import images
from headstart.models.predictor import Predictor

# Batches that prediction is timed on.
_BATCHES = 3


def measure(predictor: Predictor, files: list[Path]) -> float:
    """Time the way from image files to probabilities; return the seconds an image.

    Args:
        predictor: the model.
        files: images to predict; three batches at the most are taken, and those of a smaller set several times.
    """
    size = predictor.batch_size
    taken = list(islice(cycle(files), size * max(1, min(len(files) // size, _BATCHES))))
    batches = [taken[start : start + size] for start in range(0, len(taken), size)]

    def predict(batch: list[Path]) -> None:
        predictor(np.stack([images.load(path, predictor.framing) for path in batch]))

    predict(batches[0])  # TensorFlow plans its work at the first call
    seconds = []
    for batch in batches:
        started = time.perf_counter()
        predict(batch)
        seconds.append((time.perf_counter() - started) / len(batch))
    # The median: another program may have had the processor for a while.
    return float(np.median(seconds))
