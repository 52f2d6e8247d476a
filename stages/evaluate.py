"""Score every strategy on the test split, compare them, and say what the images themselves show.

The only stage that scores on test images. Writes the metrics, each strategy's predictions, the suspect images, the
plots, the winner as a folder of its own (models/winner), and from all of these the page plots/report.html.
"""

from typing import NamedTuple

import pandas as pd

from headstart.foundation import paths, tables
from headstart.foundation.atomic import write_json
from headstart.foundation.entry import run_stage
from headstart.images import manifest
from headstart.models import timing
from headstart.models.description import Inference, describe, weights_digest
from headstart.models.strategies import STRATEGIES
from headstart.page import provenance, report, summary
from headstart.scoring import cost, evaluation, growth, predictions, raw_predictions, review, sheets, winner
from headstart.scoring.predictions import Predictions
from headstart.settings.params import load
from headstart.statistics import curves
from headstart.statistics.learning_curve import LearningCurve
from headstart.statistics.paired import compare_all

TABLES = report.TABLES


class Answered(NamedTuple):
    """What one strategy says about the test split: as the model has it, calibrated, and what calibrating did."""

    raw: Predictions
    calibrated: Predictions
    effect: dict[str, float]


def main() -> None:
    """Predict with every model, measure, draw, print the comparison."""
    params = load()
    settings = params.evaluate
    frame = manifest.read(paths.MANIFEST)
    answered = {name: answer(name, frame, params.test_time_flip, params.seed) for name in STRATEGIES}
    metrics = {
        name: measure(name, of_strategy, params.test_time_flip, params.seed) for name, of_strategy in answered.items()
    }
    calibrated = {name: of_strategy.calibrated for name, of_strategy in answered.items()}
    comparisons = compare_all({name: of_strategy.answers for name, of_strategy in calibrated.items()})
    learned = growth.curves(frame, settings, params.seed)
    found = review.recall(frame, settings.suspects, params.seed)
    for name, of_strategy in answered.items():
        predictions.write(paths.METRICS / name / "predictions.csv", of_strategy.calibrated)
        write_tables(name, of_strategy)
    write_curves(learned)
    accuracies = [(name, row["accuracy"]) for name, row in metrics.items()]
    tables.write(TABLES / "accuracy.csv", pd.DataFrame(accuracies, columns=["strategy", "accuracy"]))
    chosen = evaluation.winner(metrics)
    sheets.draw_mistakes(TABLES / "mistakes.png", chosen, calibrated[chosen], settings.gallery)
    sheets.draw_suspect_labels(TABLES / "suspect_labels.png", found.table, settings.suspects)
    sheets.draw_suspect_images(TABLES / "suspect_images.png", found.table, settings.suspects)
    review.write(found.table)
    write_json(evaluation.COMPARISON, evaluation.compared(comparisons, STRATEGIES, learned, found))
    write_json(paths.EVALUATION, metrics)
    winner.write(chosen, Inference(temperature=answered[chosen].effect["temperature"], flip=params.test_time_flip))
    seconds = {name: cost.of(name, row).train_seconds for name, row in metrics.items()}
    summary.show(metrics, calibrated, seconds, report.repeats(metrics))
    provenance.show(provenance.of_run(STRATEGIES))
    print(f"The page: {report.write()}")


def answer(name: str, frame: pd.DataFrame, flip: bool, seed: int) -> Answered:
    """Return what the strategy ``name`` says about the test split, calibrated on validation.

    Args:
        name: the strategy.
        frame: the manifest.
        flip: whether to take the mean over every image and its mirror image.
        seed: the run's seed.
    """
    raw = raw_predictions.predict(name, frame, flip, seed)
    timing.record_prediction(name, raw.seconds, weights_digest(paths.MODELS / name))
    calibrated, effect = evaluation.calibrate(raw.validation, raw.test)
    return Answered(raw.test, calibrated, effect)


def measure(name: str, of_strategy: Answered, flip: bool, seed: int) -> dict[str, evaluation.Number]:
    """Return a strategy's row of metrics/evaluation.json, which holds how its logits became probabilities as well."""
    folder = paths.MODELS / name
    return {
        **evaluation.measure(of_strategy.calibrated, describe(folder), seed),
        "flip": flip,
        **of_strategy.effect,
        "bytes": cost.bytes_on_disk(folder),
    }


def write_tables(name: str, of_strategy: Answered) -> None:
    """Write what DVC draws: classes for the confusion matrix, the ROC curve, the reliability diagrams."""
    raw, calibrated = of_strategy.raw, of_strategy.calibrated
    confusion = pd.DataFrame(
        {
            "actual": [calibrated.classes[label] for label in calibrated.labels],
            "predicted": [calibrated.classes[label] for label in calibrated.predicted],
        }
    )
    tables.write(TABLES / f"confusion/{name}.csv", confusion)
    tables.write(TABLES / f"roc/{name}.csv", curves.roc(calibrated.labels, calibrated.probabilities))
    tables.write(TABLES / f"reliability/{name}.csv", curves.reliability(calibrated.labels, calibrated.probabilities))
    tables.write(TABLES / f"reliability_uncalibrated/{name}.csv", curves.reliability(raw.labels, raw.probabilities))


def write_curves(learned: dict[str, LearningCurve]) -> None:
    """Write the learning curves, empty where none was drawn."""
    for name in growth.LEARNS_FROM:
        tables.write(TABLES / f"learning_curve/{name}.csv", curves.learning(learned.get(name)))


if __name__ == "__main__":
    run_stage(main, __doc__)
