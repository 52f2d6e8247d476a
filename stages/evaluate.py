"""Score every strategy on the test split and compare them.

The only stage that scores on test images. Writes metrics/evaluation.json, the predictions of each
strategy, and the plots.
"""

import csv

import pandas as pd

from stages.core import (
    activations,
    base,
    curves,
    evaluation,
    extraction,
    figures,
    images,
    manifest,
    models,
    paths,
    predictions,
    runtime,
    strategy,
    summary,
    timing,
    training,
    weights,
)
from stages.core.atomic import replacing, write_json
from stages.core.entry import run_stage
from stages.core.params import load
from stages.core.predictions import Predictions
from stages.core.resume import Resumable
from stages.core.strategies import STRATEGIES

TABLES = paths.PLOTS / "evaluation"


def main() -> None:
    """Predict with every model, measure, draw, print the comparison."""
    params = load()
    frame = manifest.read(paths.MANIFEST)
    runtime.start(params.seed)
    predicted = {name: predict(name, "test", frame) for name in STRATEGIES}
    metrics = {
        name: evaluation.measure(of_strategy, models.describe(paths.MODELS / name), params.seed)
        for name, of_strategy in predicted.items()
    }
    for name, of_strategy in predicted.items():
        predictions.write(paths.METRICS / name / "predictions.csv", of_strategy)
        write_tables(name, of_strategy)
    best = max(metrics, key=lambda name: metrics[name]["accuracy"] or 0)
    draw_mistakes(best, predicted[best], params.evaluate.gallery)
    accuracy = pd.DataFrame({"strategy": list(metrics), "accuracy": [row["accuracy"] for row in metrics.values()]})
    _write_csv(accuracy, "accuracy.csv")
    write_json(paths.EVALUATION, metrics)
    seconds = {name: timing.recall(name, strategy.digest(paths.MODELS / name)) for name in metrics}
    summary.show(metrics, predicted, seconds)


def predict(name: str, split: str, frame: pd.DataFrame) -> Predictions:
    """Return the predictions of the strategy ``name`` for the images of a split."""
    folder = paths.MODELS / name
    how = models.describe(folder).extraction
    runtime.set_policy(how.policy)
    whole = base.build(weights.load(paths.WEIGHTS), how.image_size)
    cut = base.cut_before(whole, models.describe(folder).unfreeze)
    source = activations.Source(
        whole, extraction.trunk_layer(), frame, activations.NO_VIEWS, batch_size=activations.BATCH
    )
    state = Resumable(f"evaluate_{name}", split, [folder / "model.weights.h5", paths.MANIFEST])
    values = activations.at(cut, split, source, state)
    probabilities = training.predict(models.load(folder, whole), values)
    state.discard()
    return Predictions(
        images=tuple(frame.loc[frame["split"] == split, "path"]),
        classes=tuple(manifest.class_names(frame)),
        labels=manifest.labels(frame, split),
        probabilities=probabilities,
    )


def write_tables(name: str, of_strategy: Predictions) -> None:
    """Write what DVC draws: actual and predicted classes for the confusion matrix, and the ROC curve."""
    classes = of_strategy.classes
    confusion = pd.DataFrame(
        {
            "actual": [classes[label] for label in of_strategy.labels],
            "predicted": [classes[label] for label in of_strategy.predicted],
        }
    )
    _write_csv(confusion, f"confusion/{name}.csv")
    _write_csv(curves.roc(of_strategy.labels, of_strategy.probabilities), f"roc/{name}.csv")


def draw_mistakes(name: str, of_strategy: Predictions, count: int) -> None:
    """Draw the test images that a strategy got wrong, the surest first."""
    wrong = (of_strategy.labels != of_strategy.predicted).nonzero()[0]
    sureness = of_strategy.probabilities[wrong, of_strategy.predicted[wrong]]
    surest = wrong[(-sureness).argsort(kind="stable")][:count]
    tiles = [
        figures.Tile(
            images.load(paths.PREPARED / of_strategy.images[i], size=160),
            f"{of_strategy.classes[of_strategy.labels[i]]}, said to be\n"
            f"{of_strategy.classes[of_strategy.predicted[i]]} "
            f"({of_strategy.probabilities[i, of_strategy.predicted[i]]:.2f})",
        )
        for i in surest
    ]
    title = f"{name}: {len(wrong)} of {len(of_strategy.labels)} test images wrong; the {len(tiles)} surest mistakes"
    figures.gallery(TABLES / "mistakes.png", title, tiles, empty="no test image was classified wrongly")


def _write_csv(frame: pd.DataFrame, name: str) -> None:
    with replacing(TABLES / name) as temporary:
        # Every text in quotes, so that no reader takes one for a number or for a line's end.
        frame.to_csv(temporary, index=False, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)


if __name__ == "__main__":
    run_stage(main, __doc__)
