"""The numbers of the comparison: every strategy's metrics, and what the strategies show beside one another."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from headstart.foundation.array_types import IntArray
from headstart.foundation.errors import InputError
from headstart.models.description import Decision, Description
from headstart.scoring import scored
from headstart.scoring.review import TWICE, Review
from headstart.scoring.scored import Scored
from headstart.settings.schema import Evaluate
from headstart.statistics import calibration, class_scores, scoring, selective, thresholds
from headstart.statistics.comparisons import Comparison
from headstart.statistics.estimates import estimates, flattened
from headstart.statistics.intervals import Share
from headstart.statistics.learning_curve import LearningCurve
from headstart.statistics.outcome import Outcome
from headstart.statistics.suspects import CONTRADICTED

# A value of a metrics file.
Number = float | int | None

# What DVC shows of a strategy in one row, by names short enough for all of them to fit a terminal.
_AT_A_GLANCE = {
    "accuracy": "accuracy",
    "low": "accuracy_low",
    "high": "accuracy_high",
    "balanced": "balanced_accuracy",
    "log_loss": "log_loss",
    "roc_auc": "roc_auc",
    "f1": "f1",
    "ece": "calibration_error",
}
_DECIMALS_AT_A_GLANCE = 4


def measure(of_strategy: Scored, description: Description, seed: int, balanced: bool = False) -> dict[str, Number]:
    """Return a strategy's metrics on the tested images: each with ``_low`` and ``_high``, its 95 % interval.

    Args:
        of_strategy: what its trainings said.
        description: of the kept model.
        seed: start of the bootstrap's resamples.
        balanced: whether the loss that strategies are chosen by counts every class alike.
    """
    calibrated, raw = of_strategy.calibrated, of_strategy.raw
    return {
        **flattened(estimates(calibrated, seed)),
        **_calibration(calibrated, seed),
        "trained_parameters": description.trained_parameters,
        "epochs": description.epochs,
        "images": len(calibrated.labels),
        "groups": len(calibrated.labels) if calibrated.groups is None else int(np.unique(calibrated.groups).size),
        "runs": calibrated.runs,
        "trainings": len(of_strategy.validated),
        # The very model that is kept was tested on images of its own only where there are no folds.
        "kept_accuracy": None if calibrated.folds is not None else float(calibrated.right[of_strategy.shown].mean()),
        "temperature": of_strategy.temperature,
        "validation_accuracy": scored.validation_accuracy(of_strategy.validated),
        "validation_log_loss": scored.validation_loss(of_strategy.validated, balanced),
        "log_loss_uncalibrated": float(np.mean([scoring.log_loss(raw.labels, rows) for rows in raw.probabilities])),
        "calibration_error_uncalibrated": float(
            np.mean([calibration.calibration_error(raw.labels, rows) for rows in raw.probabilities])
        ),
    }


def _calibration(tested: Outcome, seed: int) -> dict[str, Number]:
    """What the calibration error is made of: the part that chance alone would show, and what is left without it."""
    chance = [calibration.calibration_error_by_chance(tested.labels, rows, seed) for rows in tested.probabilities]
    gaps = [calibration.debiased_calibration_error(tested.labels, rows) for rows in tested.probabilities]
    defined = [gap for gap in gaps if gap is not None]
    return {
        "calibration_error_by_chance": float(np.mean([one.mean for one in chance])),
        "calibration_error_debiased": float(np.mean(defined)) if defined else None,
    }


def at_a_glance(row: Mapping[str, Number]) -> dict[str, Number]:
    """Return the few metrics of a strategy that DVC shows, out of all that :func:`measure` gave.

    ``low`` and ``high`` bound the accuracy, ``balanced`` is the balanced accuracy, ``ece`` the expected calibration
    error.
    """
    values = {short: row[name] for short, name in _AT_A_GLANCE.items()}
    return {short: None if value is None else round(value, _DECIMALS_AT_A_GLANCE) for short, value in values.items()}


def compared(
    comparisons: Sequence[Comparison],
    strategies: Mapping[str, Scored],
    decisions: Mapping[str, Decision | None],
    curves: Mapping[str, LearningCurve],
    found: Review,
    train_labels: IntArray,
    settings: Evaluate,
) -> dict[str, Any]:
    """Return what metrics/comparison.json holds.

    Args:
        comparisons: of every two strategies.
        strategies: in their order.
        decisions: what :func:`decision` gave for each.
        curves: learning curves by strategy.
        found: what the review of the images found.
        train_labels: class numbers of the training images, of all images with folds.
        settings: the section ``evaluate``.
    """
    first = next(iter(strategies.values()))
    classes = first.names.classes
    return {
        "pairs": pairs(comparisons, list(strategies)),
        "margin": settings.margin,
        "doubling": {name: asdict(curve.doubling) for name, curve in curves.items() if curve.doubling},
        "classes": {
            name: [
                {"class": classes[recall.number], "images": recall.images, **asdict(recall.share)}
                for recall in class_scores.recalls(one.calibrated)
            ]
            for name, one in strategies.items()
        },
        "never_recognised": [
            classes[k] for k in class_scores.never_recognised([one.calibrated for one in strategies.values()])
        ],
        "majority": {
            "class": classes[int(np.bincount(train_labels).argmax())],
            "accuracy": class_scores.majority(train_labels, first.calibrated.labels),
        },
        "selective": {name: _selective(one, settings.target_accuracy) for name, one in strategies.items()},
        "lines": {name: _line(one, decisions[name]) for name, one in strategies.items()},
        "frozen_features": {"accuracy": found.frozen_accuracy},
        "suspects": {
            "labels_counted_wrong": int((found.table["counted_wrong"] == "yes").sum()),
            "labels_contradicted": int((found.table["reason"] == CONTRADICTED).sum()),
            "near_duplicates": int((found.table["reason"] == TWICE).sum()),
        },
    }


def pairs(comparisons: Sequence[Comparison], order: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return the comparisons by name.

    A difference is always that of the later strategy minus the earlier one, whichever won, so that two revisions can
    be compared number by number.
    """
    named = {}
    for duel in comparisons:
        earlier, later = sorted((duel.first, duel.second), key=order.index)
        named[f"{later}_minus_{earlier}"] = asdict(duel.of(later))
    return named


def _selective(one: Scored, target: float) -> dict[str, Any] | None:
    """What answering only where the strategy is sure would do; None where no confidence reaches the target."""
    validation = one.validation
    threshold = selective.threshold(validation.labels, validation.calibrated, target)
    return None if threshold is None else asdict(selective.selected(one.calibrated, threshold))


def decision(one: Scored, settings: Evaluate) -> Decision | None:
    """Return from which probability on validation images say that an image counts as the positive class.

    None where no class is, or none of them is of that class.

    Raises:
        InputError: if ``evaluate.positive_class`` is not one of two classes.
    """
    wanted, miss_cost = settings.positive_recall, settings.miss_cost
    if settings.positive_class == "none":
        return None
    classes = one.names.classes
    if len(classes) != 2 or settings.positive_class not in classes:
        raise InputError(
            f"evaluate.positive_class: found {settings.positive_class}, expected one of exactly two classes or none; "
            f"the classes are {', '.join(classes)}: change it in params.yaml"
        )
    positive, validation = classes.index(settings.positive_class), one.validation
    belongs, scores = validation.labels == positive, validation.calibrated[:, positive]
    if wanted:
        threshold = thresholds.by_recall(belongs, scores, wanted)
    else:
        threshold = thresholds.by_cost(belongs, scores, miss_cost)
    return None if threshold is None else Decision(positive=settings.positive_class, threshold=threshold)


def _line(one: Scored, found: Decision | None) -> dict[str, Any] | None:
    """What the threshold for the positive class does; None where there is none."""
    if found is None:
        return None
    return asdict(thresholds.drawn(one.calibrated, one.names.classes.index(found.positive), found.threshold))


def share(row: Mapping[str, float]) -> Share:
    """A share with its interval, as metrics/comparison.json holds it."""
    return Share(row["value"], row["low"], row["high"])
