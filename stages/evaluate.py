"""Score every strategy on the test split, compare them, and say what the images themselves show.

The only stage that scores on test images. Writes the metrics, each strategy's predictions, the suspect images, the
plots, the winner as a folder of its own (models/winner), and from all of these the page plots/report.html.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stages.core import paths, tables
from stages.core.atomic import write_json
from stages.core.dataset import manifest
from stages.core.entry import run_stage
from stages.core.learning import activations, base, extraction, models, pixels, runtime, training, weights
from stages.core.learning.models import Inference
from stages.core.learning.predictor import Assembled, Predictor
from stages.core.learning.strategies import STRATEGIES
from stages.core.params import load
from stages.core.reporting import (
    cost,
    evaluation,
    growth,
    predictions,
    provenance,
    report,
    review,
    sheets,
    summary,
    winner,
)
from stages.core.reporting.predictions import Predictions
from stages.core.resume import Resumable
from stages.core.statistics import curves
from stages.core.statistics.learning_curve import LearningCurve
from stages.core.statistics.paired import compare_all

TABLES = report.TABLES
# Validation is what probabilities are calibrated on.
SCORED = ("validation", "test")


class Ready(NamedTuple):
    """A model that can answer.

    Attributes:
        assembled: itself, and what it stands on.
        values: what it takes of the images of each split of SCORED, and of their mirror images where asked for.
    """

    assembled: Assembled
    values: dict[str, list[NDArray[np.generic]]]


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
    runtime.start(params.seed)
    answered = {name: answer(name, frame, params.test_time_flip) for name in STRATEGIES}
    metrics = {name: measure(name, of_strategy, params.seed) for name, of_strategy in answered.items()}
    calibrated = {name: of_strategy.calibrated for name, of_strategy in answered.items()}
    comparisons = compare_all({name: of_strategy.answers for name, of_strategy in calibrated.items()})
    learned = growth.curves(frame, settings, params.seed)
    found = review.review(frame, settings.suspects, params.seed)
    for name, of_strategy in answered.items():
        predictions.write(paths.METRICS / name / "predictions.csv", of_strategy.calibrated)
        write_tables(name, of_strategy)
    write_curves(learned)
    accuracies = [(name, row["accuracy"]) for name, row in metrics.items()]
    tables.write(TABLES / "accuracy.csv", pd.DataFrame(accuracies, columns=["strategy", "accuracy"]))
    best = evaluation.best(metrics)
    sheets.draw_mistakes(TABLES / "mistakes.png", best, calibrated[best], settings.gallery)
    sheets.draw_suspect_labels(TABLES / "suspect_labels.png", found.table, settings.suspects)
    sheets.draw_suspect_images(TABLES / "suspect_images.png", found.table, settings.suspects)
    review.write(found.table)
    write_json(evaluation.COMPARISON, evaluation.compared(comparisons, STRATEGIES, learned, found))
    write_json(paths.EVALUATION, metrics)
    winner.write(best, Inference(temperature=answered[best].effect["temperature"], flip=params.test_time_flip))
    seconds = {name: cost.of(name, row).train_seconds for name, row in metrics.items()}
    summary.show(metrics, calibrated, seconds, report.repeats(metrics))
    provenance.show(provenance.of_run(STRATEGIES))
    print(f"The page: {report.write()}")


def answer(name: str, frame: pd.DataFrame, flip: bool) -> Answered:
    """Return what the strategy ``name`` says about the test split, calibrated on validation; and time it.

    Args:
        name: the strategy.
        frame: the manifest.
        flip: whether to take the mean over every image and its mirror image.
    """
    folder = paths.MODELS / name
    description = models.describe(folder)
    runtime.set_policy(description.policy)
    state = Resumable(f"evaluate_{name}", None, [folder / "model.weights.h5", paths.MANIFEST])
    assembled, values = (from_pixels if description.network else from_features)(description, frame, flip, state)
    predicted = {
        split: Predictions(
            images=tuple(frame.loc[frame["split"] == split, "path"]),
            classes=tuple(manifest.class_names(frame)),
            labels=manifest.labels(frame, split),
            probabilities=np.mean([training.predict(assembled.model, array) for array in values[split]], axis=0),
        )
        for split in SCORED
    }
    state.discard()
    calibrated, effect = evaluation.calibrate(predicted["validation"], predicted["test"])
    predictor = Predictor(assembled, Inference(temperature=effect["temperature"], flip=flip))
    cost.measure(name, predictor, [paths.PREPARED / path for path in predicted["test"].images])
    return Answered(predicted["test"], calibrated, effect)


def from_features(description: models.Description, frame: pd.DataFrame, flip: bool, state: Resumable) -> Ready:
    """Bring back a model that stands on the base."""
    assert description.extraction, f"{description.strategy} stands on no base"
    whole = base.build(description.extraction.base, weights.load(paths.WEIGHTS), description.image_size)
    cut = base.cut_before(whole, description.unfreeze)
    source = activations.Source(
        whole, extraction.trunk_layer(), frame, activations.NO_VIEWS, batch_size=activations.BATCH
    )
    # Before the model is loaded: that changes the weights of the base's last layers.
    values = {
        split: [activations.at(cut, array, source, state) for array in (split, f"flipped/{split}")[: 1 + flip]]
        for split in SCORED
    }
    model = models.load(paths.MODELS / description.strategy, whole)
    return Ready(Assembled(description, whole, model), values)


def from_pixels(description: models.Description, frame: pd.DataFrame, flip: bool, state: Resumable) -> Ready:
    """Bring back a model that was trained from scratch."""
    size = description.image_size
    plain = {split: pixels.read(frame, split, size, state).values[0] for split in SCORED}
    values = {split: [array, array[:, :, ::-1]][: 1 + flip] for split, array in plain.items()}
    model = models.load_network(paths.MODELS / description.strategy)
    return Ready(Assembled(description, None, model), values)


def measure(name: str, of_strategy: Answered, seed: int) -> dict[str, evaluation.Number]:
    """Return a strategy's row of metrics/evaluation.json."""
    folder = paths.MODELS / name
    return {
        **evaluation.measure(of_strategy.calibrated, models.describe(folder), seed),
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
    """Write the learning curves, empty where none was drawn, and what they say."""
    for name in growth.LEARNS_FROM:
        tables.write(TABLES / f"learning_curve/{name}.csv", curves.learning(learned.get(name)))
    write_json(report.READINGS, {name: curve.reading for name, curve in learned.items()})


if __name__ == "__main__":
    run_stage(main, __doc__)
