"""The numbers of the comparison: every strategy's metrics, and what the strategies show beside one another."""

from collections.abc import Mapping, Sequence
from typing import Any

from headstart.models.description import Description
from headstart.scoring.predictions import Predictions
from headstart.scoring.review import TWICE, Review
from headstart.statistics import calibration, scoring
from headstart.statistics.estimates import estimates, flattened
from headstart.statistics.learning_curve import LearningCurve
from headstart.statistics.paired import Comparison
from headstart.statistics.suspects import CONTRADICTED

# A value of a metrics file.
Number = float | int | None

# What DVC shows of a strategy in one row, by names short enough for all of them to fit a terminal.
_AT_A_GLANCE = {
    "accuracy": "accuracy",
    "low": "accuracy_low",
    "high": "accuracy_high",
    "log_loss": "log_loss",
    "roc_auc": "roc_auc",
    "f1": "f1",
    "ece": "calibration_error",
}
_DECIMALS_AT_A_GLANCE = 4


def measure(predictions: Predictions, description: Description, seed: int) -> dict[str, Number]:
    """Return a strategy's metrics on the test split: each with ``_low`` and ``_high``, its 95 % interval.

    Args:
        predictions: on the test split.
        description: of the model.
        seed: start of the bootstrap's resamples.
    """
    scores = flattened(estimates(predictions.labels, predictions.probabilities, seed))
    return {**scores, "trained_parameters": description.trained_parameters, "epochs": description.epochs}


def at_a_glance(row: Mapping[str, Number]) -> dict[str, Number]:
    """Return the few metrics of a strategy that DVC shows, out of all that :func:`measure` gave.

    ``low`` and ``high`` bound the accuracy, ``ece`` is the expected calibration error.
    """
    values = {short: row[name] for short, name in _AT_A_GLANCE.items()}
    return {short: None if value is None else round(value, _DECIMALS_AT_A_GLANCE) for short, value in values.items()}


def calibrate(validation: Predictions, test: Predictions) -> tuple[Predictions, dict[str, float]]:
    """Fit a temperature on the validation split and apply it to the test split.

    Returns:
        The test predictions with calibrated probabilities; the temperature, accuracy and log loss of the validation
        split with it, and what log loss and calibration error the test split shows without it.
    """
    temperature = calibration.fit_temperature(validation.labels, validation.probabilities)
    on_validation = calibration.apply_temperature(validation.probabilities, temperature.value)
    probabilities = calibration.apply_temperature(test.probabilities, temperature.value)
    return test.with_probabilities(probabilities), {
        "temperature": temperature.value,
        "validation_accuracy": float((validation.predicted == validation.labels).mean()),
        "validation_log_loss": scoring.log_loss(validation.labels, on_validation),
        "log_loss_uncalibrated": scoring.log_loss(test.labels, test.probabilities),
        "calibration_error_uncalibrated": calibration.calibration_error(test.labels, test.probabilities),
    }


def compared(
    comparisons: Sequence[Comparison],
    order: Sequence[str],
    curves: Mapping[str, LearningCurve],
    found: Review,
) -> dict[str, dict[str, Any]]:
    """Return what metrics/comparison.json holds.

    Args:
        comparisons: of every two strategies.
        order: the strategies; a difference is always that of the later one minus the earlier one, whichever
            won, so that two revisions can be compared.
        curves: learning curves by strategy.
        found: what the review of the images found.
    """
    pairs = {}
    for duel in comparisons:
        earlier, later = sorted((duel.first, duel.second), key=order.index)
        turn = 1 if duel.first == later else -1
        low, high = sorted((turn * duel.low, turn * duel.high))
        pairs[f"{later}_minus_{earlier}"] = {
            "difference": turn * duel.difference,
            "difference_low": low,
            "difference_high": high,
            "p_value": duel.p_holm,
            "detectable": duel.detectable,
        }
    doubled = {
        name: {"gain": curve.doubling.value, "gain_low": curve.doubling.low, "gain_high": curve.doubling.high}
        for name, curve in curves.items()
        if curve.doubling
    }
    return {
        "pairs": pairs,
        "doubling": doubled,
        "frozen_features": {"accuracy": found.frozen_accuracy},
        "suspects": {
            "labels_counted_wrong": int((found.table["counted_wrong"] == "yes").sum()),
            "labels_contradicted": int((found.table["reason"] == CONTRADICTED).sum()),
            "images_in_two_splits": int((found.table["reason"] == TWICE).sum()),
        },
    }
