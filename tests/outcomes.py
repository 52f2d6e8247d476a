"""Strategies that were trained once and tested on one split, made of predictions."""

import numpy as np
import numpy.typing as npt

from headstart.foundation.array_types import FloatArray, IntArray
from headstart.scoring.predictions import Predictions
from headstart.scoring.scored import Names, Scored, Validated
from headstart.statistics.outcome import Outcome


def once(labels: IntArray, probabilities: FloatArray, groups: IntArray | None = None) -> Outcome:
    """One training; labels (images,), probabilities (images, classes)."""
    return Outcome(labels, probabilities[None], groups=groups)


def answered(right: npt.ArrayLike) -> Outcome:
    """One training, of which image it was right: True is the first of two classes, which all images are of."""
    return several(np.asarray(right, dtype=np.bool_)[None])


def several(right: npt.ArrayLike, folds: IntArray | None = None, groups: IntArray | None = None) -> Outcome:
    """Several runs, right as told (runs, images); all images are of the first of two classes."""
    share = np.where(np.asarray(right, dtype=np.bool_), 0.9, 0.1)
    return Outcome(np.zeros(share.shape[1], dtype=np.int64), np.stack([share, 1 - share], axis=2), folds, groups)


def scored(drawn: Predictions) -> Scored:
    """What one training said, of images that stand for validation as well; calibrated as it is."""
    tested = once(drawn.labels, drawn.probabilities)
    validated = Validated(drawn.labels, drawn.probabilities, drawn.probabilities)
    names = Names(drawn.images, drawn.classes, None)
    return Scored(tested, tested, [validated], 0, names, temperature=1.5)
