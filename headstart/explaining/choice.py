"""Which image and which answers are explained."""

import numpy as np
import pandas as pd

from headstart.foundation.array_types import IntArray
from headstart.foundation.errors import InputError
from headstart.scoring.predictions import Predictions


def image(wanted: str, predictions: Predictions, frame: pd.DataFrame) -> str:
    """Return the path of the image whose activations are shown: the one that is ``wanted``, if it is in the manifest.

    For ``auto`` it is that of the most confident correct prediction, or, if none is correct, the most confident of all.

    Raises:
        InputError: the manifest has no such image.
    """
    if wanted == "auto":
        first = [*surest(predictions, right=True, most=1), *surest(predictions, right=False, most=1)][0]
        return predictions.images[int(first)]
    if wanted not in set(frame["path"]):
        raise InputError(
            f"params.yaml: explain.image: found {wanted!r}, expected auto or a path in data/prepared/manifest.csv, "
            f"such as {predictions.images[0]!r}"
        )
    return wanted


def surest(predictions: Predictions, right: bool, most: int) -> IntArray:
    """Return the places of the most confident correct, or wrong, predictions: one of each class, then the next of each.

    Without the turns, all of them may be of the one class that is easiest to recognize.
    """
    found = np.flatnonzero((predictions.labels == predictions.predicted) == right)
    sureness = predictions.probabilities[found, predictions.predicted[found]]
    found = found[np.argsort(-sureness, kind="stable")]
    turn = pd.Series(predictions.labels[found]).groupby(predictions.labels[found]).cumcount()
    places: IntArray = found[np.argsort(turn.to_numpy(), kind="stable")][:most]
    return places


def contested(predictions: Predictions, places: IntArray) -> IntArray:
    """Return the classes whose evidence is shown for each prediction: both of two, or the predicted and the true one.

    Returns:
        int64 (answers, 2); for a correct prediction among more than two classes both are the same.
    """
    if len(predictions.classes) == 2:
        return np.tile(np.arange(2), (len(places), 1))
    return np.stack([predictions.predicted[places], predictions.labels[places]], axis=1)
