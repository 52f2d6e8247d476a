"""Score every strategy on the test split, compare them, and say what the images themselves show.

The only stage that scores on test images. Writes the metrics, each strategy's predictions, the suspect images, the
plots, and the winner as a folder of its own (models/winner).
"""

from typing import NamedTuple

import pandas as pd

from headstart.foundation import paths, tables
from headstart.foundation.atomic import write_json
from headstart.foundation.entry import run_stage
from headstart.foundation.progress import track
from headstart.images import manifest
from headstart.models import timing
from headstart.models.description import Inference, describe, weights_digest
from headstart.models.strategies import STRATEGIES
from headstart.scoring import cost, evaluation, growth, predictions, raw_predictions, results, review, sheets, winner
from headstart.scoring.predictions import Predictions
from headstart.settings.params import load
from headstart.statistics import curves
from headstart.statistics.learning_curve import LearningCurve
from headstart.statistics.paired import compare_all


class Answered(NamedTuple):
    """What one strategy says about the test split: as the model has it, calibrated, and what calibrating did."""

    raw: Predictions
    calibrated: Predictions
    effect: dict[str, float]


def main() -> None:
    """Predict with every model, measure, draw, name the winner."""
    params = load()
    settings = params.evaluate
    frame = manifest.read(paths.MANIFEST)
    answered = {
        name: answer(name, frame, params.test_time_flip, params.seed)
        for name in track(STRATEGIES, "ask the models", len(STRATEGIES), " strategies")
    }
    metrics = {
        name: measure(name, of_strategy, params.test_time_flip, params.seed)
        for name, of_strategy in track(answered.items(), "measure", len(answered), " strategies")
    }
    calibrated = {name: of_strategy.calibrated for name, of_strategy in answered.items()}
    comparisons = compare_all({name: of_strategy.answers for name, of_strategy in calibrated.items()})
    learned = growth.curves(frame, settings, params.seed)
    framing = describe(paths.MODELS / STRATEGIES[0]).framing
    found = review.recall(frame, settings.suspects, params.seed, framing.white)
    for name, of_strategy in answered.items():
        predictions.write(paths.METRICS / name / "predictions.csv", of_strategy.calibrated)
        write_json(paths.METRICS / name / "metrics.json", evaluation.at_a_glance(metrics[name]))
    write_tables(answered, learned)
    accuracies = [(name, row["accuracy"]) for name, row in metrics.items()]
    tables.write(paths.TABLES / "accuracy.csv", pd.DataFrame(accuracies, columns=["strategy", "accuracy"]))
    chosen = results.winner(metrics)
    sheets.draw_mistakes(paths.TABLES / "mistakes.png", chosen, calibrated[chosen], settings.gallery, framing)
    sheets.draw_suspect_labels(paths.TABLES / "suspect_labels.png", found.table, settings.suspects, framing)
    sheets.draw_suspect_images(paths.TABLES / "suspect_images.png", found.table, settings.suspects, framing)
    review.write(found.table)
    write_json(results.COMPARISON, evaluation.compared(comparisons, STRATEGIES, learned, found))
    write_json(paths.EVALUATION, metrics)
    winner.write(chosen, Inference(temperature=answered[chosen].effect["temperature"], flip=params.test_time_flip))
    print(f"The best on validation images: {chosen}")


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


def write_tables(answered: dict[str, Answered], learned: dict[str, LearningCurve]) -> None:
    """Write what DVC draws, one table a kind with the strategy in its first column.

    Classes for the confusion matrices, ROC curves, reliability diagrams, learning curves (none where none was drawn).
    """
    calibrated = {name: one.calibrated for name, one in answered.items()}
    write_table(
        "confusion",
        {
            name: pd.DataFrame(
                {
                    "actual": [one.classes[label] for label in one.labels],
                    "predicted": [one.classes[label] for label in one.predicted],
                }
            )
            for name, one in calibrated.items()
        },
    )
    write_table("roc", {name: curves.roc(one.labels, one.probabilities) for name, one in calibrated.items()})
    for kind, predicted in (
        ("reliability", calibrated),
        ("reliability_uncalibrated", {name: one.raw for name, one in answered.items()}),
    ):
        write_table(kind, {name: curves.reliability(one.labels, one.probabilities) for name, one in predicted.items()})
    write_table("learning_curve", {name: curves.learning(learned.get(name)) for name in growth.LEARNS_FROM})


def write_table(kind: str, rows: dict[str, pd.DataFrame]) -> None:
    """Write the rows of every strategy below one another to plots/evaluation/<kind>.csv."""
    stacked = pd.concat([table.assign(strategy=name) for name, table in rows.items()], ignore_index=True)
    tables.write(paths.TABLES / f"{kind}.csv", stacked[["strategy", *stacked.columns.drop("strategy")]])


if __name__ == "__main__":
    run_stage(main, __doc__)
