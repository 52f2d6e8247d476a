"""Everything the page shows, gathered from what the stages wrote.

Two runs with the same results give the same page: it has no time, no commit and no name of a machine.
"""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from PIL import Image

from headstart.base import bases
from headstart.drawing import explanation
from headstart.drawing.explanation import Inside
from headstart.foundation import paths
from headstart.foundation.errors import InputError
from headstart.foundation.framing import Framing
from headstart.images import images, manifest
from headstart.models.description import Description, describe
from headstart.page import advice, reproduction, verdicts
from headstart.page.advice import Evidence, Reading
from headstart.page.reproduction import Reproduction
from headstart.scoring import evaluation, predictions, results, review, scored
from headstart.scoring.predictions import Predictions
from headstart.settings.params import load
from headstart.statistics.comparisons import Comparison, between
from headstart.statistics.intervals import Share

# Pixels a side of a picture on the page: sharp on a phone, a few kilobytes each.
_SIDE = 192
_QUALITY = 80


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """What the page shows. Dictionaries are keyed by strategy, in the order in which tables show them.

    Attributes:
        source: the image set's name.
        dataset: metrics/dataset.json.
        metrics: metrics/evaluation.json.
        predicted: of images that the models never saw.
        comparisons: of every two strategies.
        compared: metrics/comparison.json.
        settings: the section ``evaluate`` of the parameters.
        histories: epoch by epoch.
        kept: the epoch whose weights were kept.
        repeats: metrics/<strategy>/repeats.csv, of those trained more than once.
        roc, reliability, reliability_uncalibrated, learning: tables of plots/evaluation.
        readings: of the learning curves, a sentence each.
        suspects: the table of suspicions.
        mistakes: how many of the most confident mistakes to show.
        shown: how many suspects to show on a sheet.
        pictures: every image that the page shows, JPEG, by its path.
        preview: the sheet of augmented training images, JPEG.
        previewed: the classes of the images on it.
        inside: what ``explain`` wrote.
        doubling: what doubling the training images would add; None if no learning curve was drawn.
        reading: which strategy suits data like these.
        reproduction: how to run the same again.
    """

    source: str
    dataset: dict[str, int]
    metrics: dict[str, dict[str, Any]]
    predicted: dict[str, Predictions]
    comparisons: list[Comparison]
    compared: dict[str, Any]
    settings: dict[str, Any]
    histories: dict[str, pd.DataFrame]
    kept: dict[str, int]
    repeats: dict[str, pd.DataFrame]
    roc: dict[str, pd.DataFrame]
    reliability: dict[str, pd.DataFrame]
    reliability_uncalibrated: dict[str, pd.DataFrame]
    learning: dict[str, pd.DataFrame]
    readings: dict[str, str]
    suspects: pd.DataFrame
    mistakes: int
    shown: int
    pictures: dict[str, bytes]
    preview: bytes
    previewed: tuple[str, ...]
    inside: Inside
    doubling: Share | None
    reading: Reading
    reproduction: Reproduction

    @property
    def winner(self) -> str:
        """The strategy that validation images chose."""
        return results.winner(self.metrics)


def gather() -> Report:
    """Read everything that the page shows.

    Raises:
        InputError: something is missing.
    """
    load()  # for its checks; the page shows the values as they were written
    metrics = results.read()
    how = reproduction.collect(metrics)
    settings = how.settings["evaluate"]
    predicted = {name: predictions.read(paths.METRICS / name / "predictions.csv") for name in metrics}
    suspects = review.read()
    compared = results.read_comparison()
    comparisons = results.comparisons(compared)
    descriptions = {name: describe(paths.MODELS / name) for name in metrics}
    frame = manifest.read(paths.MANIFEST)
    evidence = _evidence(comparisons, compared, descriptions, frame)
    winner = predicted[results.winner(metrics)]
    mistakes = [winner.images[place] for place in winner.surest_mistakes[: settings["gallery"]]]
    most = settings["suspects"]
    inside = explanation.read()
    doubts = pd.concat([sheet(suspects, most) for sheet in (review.contradicted, review.foreign, review.twins)])
    learning = results.by_strategy(paths.TABLES / "learning_curve.csv")
    return Report(
        source=Path(how.settings["prepare"]["source"]).stem,
        dataset={split: int((frame["split"] == split).sum()) for split in manifest.SPLITS},
        metrics=metrics,
        predicted=predicted,
        comparisons=comparisons,
        compared=compared,
        settings=settings,
        histories={name: results.table(paths.METRICS / name / "history.csv") for name in metrics},
        kept={name: description.best_epoch for name, description in descriptions.items()},
        repeats=results.repeats(metrics),
        roc=results.by_strategy(paths.TABLES / "roc.csv"),
        reliability=results.by_strategy(paths.TABLES / "reliability.csv"),
        reliability_uncalibrated=results.by_strategy(paths.TABLES / "reliability_uncalibrated.csv"),
        learning=learning,
        readings={name: verdicts.doubling(_doubling(compared, name), evidence.test_images) for name in learning},
        suspects=suspects,
        mistakes=settings["gallery"],
        shown=most,
        pictures=_pictures(
            {*mistakes, *doubts["path"], *doubts["twin"], inside.record.image} - {""},
            next(iter(descriptions.values())).framing,
        ),
        inside=inside,
        preview=_preview(),
        previewed=tuple(manifest.previewed(frame)["class"]),
        doubling=evidence.doubling,
        reading=advice.read(evidence),
        reproduction=how,
    )


def _evidence(
    comparisons: list[Comparison],
    compared: dict[str, Any],
    descriptions: dict[str, Description],
    frame: pd.DataFrame,
) -> Evidence:
    # The curve of augmented views where there is one: it is the better classifier's.
    doubled = next(filter(None, (_doubling(compared, name) for name in (advice.FROZEN, "head"))), None)
    sizes = [duel.detectable for duel in comparisons if duel.detectable is not None and duel.decidable]
    first = next(iter(descriptions.values()))
    adapted = descriptions.get(advice.ADAPTED, first)
    extraction = adapted.extraction
    assert extraction, f"{adapted.strategy} has a base"
    return Evidence(
        train_images=len(scored.trained_on(frame)),
        test_images=comparisons[0].images if comparisons else int((frame["split"] == "test").sum()),
        guessing=compared["majority"]["accuracy"],
        margin=compared["margin"],
        doubling=doubled,
        detectable=min(sizes, default=None),
        frozen_accuracy=compared["frozen_features"]["accuracy"],
        adapting=between(advice.ADAPTED, advice.FROZEN, comparisons),
        pretraining=between(advice.FROZEN, advice.UNTRAINED, comparisons),
        unfreeze=adapted.unfreeze,
        blocks=extraction.blocks,
        usual_side=bases.KINDS[extraction.base].usual_size,
        labels_counted_wrong=compared["suspects"]["labels_counted_wrong"],
        image_size=extraction.image_size,
        typical_side=int(frame[["width", "height"]].min(axis=1).median()),
    )


def _doubling(compared: dict[str, Any], name: str) -> Share | None:
    """What doubling the training images would add to a strategy's accuracy, by its learning curve."""
    row = compared["doubling"].get(name)
    return evaluation.share(row) if row else None


def _pictures(wanted: set[str], framing: Framing) -> dict[str, bytes]:
    shown = framing._replace(size=_SIDE)
    return {path: _jpeg(Image.fromarray(images.load(paths.PREPARED / path, shown))) for path in sorted(wanted)}


def _preview() -> bytes:
    try:
        with Image.open(paths.PREVIEW) as sheet:
            return _jpeg(sheet)
    except FileNotFoundError:
        raise InputError(f"{paths.PREVIEW}: no such file: run `dvc checkout`, or `dvc repro`") from None


def _jpeg(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=_QUALITY, optimize=True)
    return file.getvalue()
