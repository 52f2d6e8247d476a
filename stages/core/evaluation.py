"""The numbers of the comparison: metrics of every strategy on the test split."""

import json
from typing import Any

from stages.core import paths
from stages.core.errors import InputError
from stages.core.estimates import estimates, flattened
from stages.core.models import Description
from stages.core.predictions import Predictions


def measure(predictions: Predictions, description: Description, seed: int) -> dict[str, float | int | None]:
    """Return a strategy's metrics on the test split: each with ``_low`` and ``_high``, its 95 % interval.

    Args:
        predictions: on the test split.
        description: of the model.
        seed: start of the bootstrap's resamples.
    """
    scores = flattened(estimates(predictions.labels, predictions.probabilities, seed))
    return {**scores, "trained_parameters": description.trained_parameters, "epochs": description.epochs}


def read() -> dict[str, dict[str, Any]]:
    """Return metrics/evaluation.json.

    Raises:
        InputError: there is none yet.
    """
    try:
        return dict(json.loads(paths.EVALUATION.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise InputError(f"{paths.EVALUATION}: no such file: run `dvc repro` first") from None
