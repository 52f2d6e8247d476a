"""Curves as tables that can be drawn: ROC, reliability, learning."""

from dataclasses import asdict

import numpy as np
import pandas as pd
from sklearn.metrics import roc_curve

from headstart.foundation.array_types import FloatArray, IntArray
from headstart.statistics.calibration import reliability as reliability_bins
from headstart.statistics.learning_curve import LearningCurve
from headstart.statistics.scoring import ranked_classes

# Points of a curve. More can't be seen in a plot.
_POINTS = 201


def roc(labels: IntArray, probabilities: FloatArray) -> pd.DataFrame:
    """Return the ROC curve; for more than two classes, the mean of the one-against-rest curves.

    Args:
        labels: class numbers, shape (images,).
        probabilities: shape (images, classes).

    Returns:
        Columns ``false_positive_rate`` (evenly spaced) and ``true_positive_rate``. The mean is taken over
        true positive rates at equal false positive rates (Fawcett 2006, "vertical averaging"). No rows
        where all images are of one class.
    """
    grid = np.linspace(0, 1, _POINTS)
    rates = []
    for k in ranked_classes(labels, probabilities.shape[1]):
        false_positive, true_positive, _ = roc_curve(labels == k, probabilities[:, k])
        rates.append(np.interp(grid, false_positive, true_positive))
    mean = np.mean(rates, axis=0) if rates else np.empty(0)
    return pd.DataFrame({"false_positive_rate": grid[: len(mean)], "true_positive_rate": mean})


def reliability(labels: IntArray, probabilities: FloatArray) -> pd.DataFrame:
    """Return the reliability diagram: one row a bin of confidence that has images.

    Args:
        labels: class numbers, shape (images,).
        probabilities: shape (images, classes).

    Returns:
        Columns ``confidence`` (mean over the bin's images), ``accuracy``, ``accuracy_low``, ``accuracy_high``,
        ``images``.
    """
    bins = [asdict(one) for one in reliability_bins(labels, probabilities)]
    return pd.DataFrame(bins)[["confidence", "accuracy", "accuracy_low", "accuracy_high", "images"]]


def learning(curve: LearningCurve | None) -> pd.DataFrame:
    """Return a learning curve: columns ``images``, ``accuracy``, ``accuracy_low``, ``accuracy_high``.

    No rows for None.
    """
    points = [(point.images, point.mean, point.low, point.high) for point in curve.points] if curve else []
    return pd.DataFrame(points, columns=["images", "accuracy", "accuracy_low", "accuracy_high"])
