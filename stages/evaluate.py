"""Score every strategy on images that it never saw, compare them, and say what the images themselves show.

The only stage that reads the labels of test images. Writes the metrics, each strategy's predictions, the suspect
images, the plots, and the winner as a folder of its own (models/winner).
"""

from typing import Any

import pandas as pd

from headstart.foundation import paths, tables
from headstart.foundation.atomic import write_json
from headstart.foundation.entry import run_stage
from headstart.foundation.progress import track
from headstart.images import manifest
from headstart.models import held_out
from headstart.models.description import Decision, Inference, describe
from headstart.models.strategies import STRATEGIES
from headstart.scoring import cost, evaluation, growth, predictions, results, review, scored, sheets, winner
from headstart.scoring.scored import Scored
from headstart.settings.params import load
from headstart.settings.schema import Params
from headstart.statistics import curves
from headstart.statistics.comparisons import compare
from headstart.statistics.learning_curve import LearningCurve


def main() -> None:
    """Measure what every model said, compare, draw, name the winner."""
    params = load()
    settings = params.evaluate
    frame = manifest.read(paths.MANIFEST)
    strategies = {name: scored.read(name, frame) for name in STRATEGIES}
    decisions = {name: evaluation.decision(one, settings) for name, one in strategies.items()}
    metrics = {
        name: measure(name, of_strategy, decisions[name], params)
        for name, of_strategy in track(strategies.items(), "measure", len(strategies), " strategies")
    }
    chosen = results.winner(metrics)
    comparisons = compare({name: one.calibrated for name, one in strategies.items()}, chosen, params.seed)
    held = held_out.load(paths.MODELS / "head" / held_out.NAME)
    learned = growth.curves(frame, held, settings, params.seed)
    framing = describe(paths.MODELS / STRATEGIES[0]).framing
    found = review.recall(frame, settings.suspects, params.seed, framing.white)
    trained_on = scored.trained_on(frame)
    compared = evaluation.compared(comparisons, strategies, decisions, learned, found, trained_on, settings)
    for name, of_strategy in strategies.items():
        predictions.write(paths.METRICS / name / "predictions.csv", of_strategy.predictions)
        write_json(paths.METRICS / name / "metrics.json", evaluation.at_a_glance(metrics[name]))
    write_tables(strategies, learned)
    accuracies = [(name, row["accuracy"]) for name, row in metrics.items()]
    tables.write(paths.TABLES / "accuracy.csv", pd.DataFrame(accuracies, columns=["strategy", "accuracy"]))
    sheets.draw_mistakes(
        paths.TABLES / "mistakes.png", chosen, strategies[chosen].predictions, settings.gallery, framing
    )
    sheets.draw_suspect_labels(paths.TABLES / "suspect_labels.png", found.table, settings.suspects, framing)
    sheets.draw_suspect_images(paths.TABLES / "suspect_images.png", found.table, settings.suspects, framing)
    review.write(found.table)
    write_json(results.COMPARISON, compared)
    write_json(paths.EVALUATION, metrics)
    winner.write(chosen, Inference(**{name: metrics[chosen][name] for name in Inference.model_fields}))
    print(f"The best on validation images: {chosen}")


def measure(name: str, of_strategy: Scored, decision: Decision | None, params: Params) -> dict[str, Any]:
    """Return a strategy's row of metrics/evaluation.json, which holds how it predicts as well."""
    folder = paths.MODELS / name
    balanced = params.evaluate.choose_by == "balanced_log_loss"
    return {
        **evaluation.measure(of_strategy, describe(folder), params.seed, balanced),
        "flip": params.test_time_flip,
        "decision": decision.model_dump() if decision else None,
        "bytes": cost.bytes_on_disk(folder),
    }


def write_tables(strategies: dict[str, Scored], learned: dict[str, LearningCurve]) -> None:
    """Write what DVC draws, one table a kind with the strategy in its first column.

    Classes for the confusion matrices, ROC curves, reliability diagrams, learning curves (none where none was drawn).
    """
    calibrated = {name: one.predictions for name, one in strategies.items()}
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
        ("reliability_uncalibrated", {name: one.raw_predictions for name, one in strategies.items()}),
    ):
        write_table(kind, {name: curves.reliability(one.labels, one.probabilities) for name, one in predicted.items()})
    write_table("learning_curve", {name: curves.learning(learned.get(name)) for name in growth.LEARNS_FROM})


def write_table(kind: str, rows: dict[str, pd.DataFrame]) -> None:
    """Write the rows of every strategy below one another to plots/evaluation/<kind>.csv."""
    stacked = pd.concat([table.assign(strategy=name) for name, table in rows.items()], ignore_index=True)
    tables.write(paths.TABLES / f"{kind}.csv", stacked[["strategy", *stacked.columns.drop("strategy")]])


if __name__ == "__main__":
    run_stage(main, __doc__)
