"""Everything the page tells, gathered from what the stages left, and the page itself: plots/report.html.

The page tells times, the commit and library versions, which differ between runs with the same results. So it is no
output of a stage: it is written from the tracked files by whoever wants it, and again once they have changed.
"""

import hashlib
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from PIL import Image

from headstart.base import bases
from headstart.explaining import explanation
from headstart.explaining.explanation import Inside
from headstart.features import preview
from headstart.foundation import paths
from headstart.foundation.atomic import write_text
from headstart.foundation.errors import InputError
from headstart.images import images, manifest
from headstart.models.description import Description, describe
from headstart.page import advice, reproduction, verdicts
from headstart.page.advice import Evidence, Reading
from headstart.page.reproduction import Reproduction
from headstart.scoring import cost, evaluation, predictions, review
from headstart.scoring.cost import Cost
from headstart.scoring.predictions import Predictions
from headstart.settings.params import load
from headstart.statistics.intervals import Share
from headstart.statistics.paired import Comparison, compare_all

PAGE = paths.PLOTS / "report.html"
TABLES = paths.PLOTS / "evaluation"

# Pixels a side of a picture on the page: sharp on a phone, a few kilobytes each.
_SIDE = 192
_QUALITY = 80

# What of the page's source says which state of the files it tells.
_STATE = re.compile(rb'<meta name="state" content="([0-9a-f]+)">')
_HEAD_BYTES = 4096
_CODE = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """What the page tells. Dictionaries are by strategy, in the order in which tables show them.

    Attributes:
        state: digest of all that the page is made of.
        source: the image set's name.
        dataset: metrics/dataset.json.
        metrics: metrics/evaluation.json.
        predicted: on the test split.
        comparisons: of every two strategies.
        histories: epoch by epoch.
        kept: the epoch whose weights were kept.
        repeats: metrics/<strategy>/repeats.csv, of those trained more than once.
        roc, reliability, reliability_uncalibrated, learning: tables of plots/evaluation.
        readings: of the learning curves, a sentence each.
        costs: of each strategy.
        suspects: the table of suspicions.
        mistakes: how many of the surest mistakes to show.
        shown: how many suspects to show on a sheet.
        pictures: every image that the page shows, JPEG, by its path.
        preview: the sheet of augmented training images, JPEG.
        previewed: the classes of the images on it.
        inside: what ``explain`` left; None where it has not run since.
        doubling: what twice the training images would add; None if no learning curve was drawn.
        reading: which strategy for data like these.
        reproduction: how to run the same again.
    """

    state: str
    source: str
    dataset: dict[str, int]
    metrics: dict[str, dict[str, Any]]
    predicted: dict[str, Predictions]
    comparisons: list[Comparison]
    histories: dict[str, pd.DataFrame]
    kept: dict[str, int]
    repeats: dict[str, pd.DataFrame]
    roc: dict[str, pd.DataFrame]
    reliability: dict[str, pd.DataFrame]
    reliability_uncalibrated: dict[str, pd.DataFrame]
    learning: dict[str, pd.DataFrame]
    readings: dict[str, str]
    costs: dict[str, Cost]
    suspects: pd.DataFrame
    mistakes: int
    shown: int
    pictures: dict[str, bytes]
    preview: bytes
    previewed: tuple[str, ...]
    inside: Inside | None
    doubling: Share | None
    reading: Reading
    reproduction: Reproduction

    @property
    def winner(self) -> str:
        """The strategy that validation images chose."""
        return evaluation.winner(self.metrics)


def write() -> Path:
    """Write the page and return its path."""
    # Here, since whoever only asks for the terminal's table needs no matplotlib.
    from headstart.page import page

    write_text(PAGE, page.render(gather()))
    return PAGE


def refresh() -> Path:
    """Write the page if it is missing or tells of other files than the ones that are there; return its path."""
    try:
        with PAGE.open("rb") as file:
            written = _STATE.search(file.read(_HEAD_BYTES))
    except FileNotFoundError:
        return write()
    return PAGE if written and written[1].decode() == state(reproduction.collect()) else write()


def state(how: Reproduction) -> str:
    """Digest of all that the page is made of: results, parameters, commit, versions, and the code that writes it."""
    digest = hashlib.sha256(repr(how).encode())
    results = [*paths.METRICS.rglob("*"), *TABLES.rglob("*"), preview.SHEET, *explanation.FOLDER.rglob("*")]
    code = [*_CODE.rglob("*.py"), *_CODE.rglob("templates/*")]
    for path in sorted(path for path in [*results, *code] if path.is_file()):
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def gather() -> Report:
    """Read everything that the page tells.

    Raises:
        InputError: something is missing.
    """
    load()  # for its checks: the values are those that the stages ran with
    how = reproduction.collect()
    settings = how.settings["evaluate"]
    metrics = evaluation.read()
    predicted = {name: predictions.read(paths.METRICS / name / "predictions.csv") for name in metrics}
    comparisons = compare_all({name: of_strategy.answers for name, of_strategy in predicted.items()})
    suspects = review.read()
    compared = evaluation.read_comparison()
    descriptions = {name: describe(paths.MODELS / name) for name in metrics}
    frame = manifest.read(paths.MANIFEST)
    evidence = _evidence(metrics, comparisons, compared, descriptions, frame)
    winner = predicted[evaluation.winner(metrics)]
    mistakes = [winner.images[place] for place in winner.surest_mistakes[: settings["gallery"]]]
    most = settings["suspects"]
    inside = explanation.read(how.settings["explain"])
    looked_at = {inside.record.image} if inside else set()
    doubts = pd.concat([sheet(suspects, most) for sheet in (review.contradicted, review.foreign, review.twins)])
    learning = {name: table for name, table in _tables("learning_curve", metrics).items() if len(table)}
    return Report(
        state=state(how),
        source=Path(how.settings["prepare"]["source"]).stem,
        dataset={split: int((frame["split"] == split).sum()) for split in manifest.SPLITS},
        metrics=metrics,
        predicted=predicted,
        comparisons=comparisons,
        histories={name: _table(paths.METRICS / name / "history.csv") for name in metrics},
        kept={name: description.best_epoch for name, description in descriptions.items()},
        repeats=repeats(metrics),
        roc=_tables("roc", metrics),
        reliability=_tables("reliability", metrics),
        reliability_uncalibrated=_tables("reliability_uncalibrated", metrics),
        learning=learning,
        readings={name: verdicts.doubling(_doubling(compared, name), evidence.test_images) for name in learning},
        costs={name: cost.of(name, row) for name, row in metrics.items()},
        suspects=suspects,
        mistakes=settings["gallery"],
        shown=most,
        pictures=_pictures({*mistakes, *doubts["path"], *doubts["twin"], *looked_at} - {""}),
        inside=inside,
        preview=_preview(),
        previewed=tuple(preview.chosen(frame)["class"]),
        doubling=evidence.doubling,
        reading=advice.read(evidence),
        reproduction=how,
    )


def repeats(names: Iterable[str]) -> dict[str, pd.DataFrame]:
    """The trainings of each strategy that was trained more than once: metrics/<strategy>/repeats.csv."""
    files = {name: paths.METRICS / name / "repeats.csv" for name in names}
    tables = {name: _table(path) for name, path in files.items() if path.exists()}
    return {name: table for name, table in tables.items() if len(table) > 1}


def _evidence(
    metrics: dict[str, dict[str, Any]],
    comparisons: list[Comparison],
    compared: dict[str, dict[str, Any]],
    descriptions: dict[str, Description],
    frame: pd.DataFrame,
) -> Evidence:
    # The curve of augmented views where there is one: it is the better classifier's.
    doubled = next(filter(None, (_doubling(compared, name) for name in (advice.FROZEN, "head"))), None)
    duels = {frozenset((duel.first, duel.second)): duel for duel in comparisons}
    sizes = [duel.detectable for duel in comparisons if duel.detectable is not None]
    first = next(iter(descriptions.values()))
    adapted = descriptions.get(advice.ADAPTED, first)
    extraction = adapted.extraction
    assert extraction, f"{adapted.strategy} stands on a base"
    return Evidence(
        train_images=int((frame["split"] == "train").sum()),
        test_images=int((frame["split"] == "test").sum()),
        classes=len(first.classes),
        doubling=doubled,
        detectable=min(sizes, default=None),
        frozen_accuracy=compared["frozen_features"]["accuracy"],
        adapting=duels.get(frozenset((advice.FROZEN, advice.ADAPTED))),
        pretraining=duels.get(frozenset((advice.FROZEN, advice.UNTRAINED))),
        unfreeze=adapted.unfreeze,
        blocks=extraction.blocks,
        usual_side=bases.KINDS[extraction.base].usual_size,
        labels_counted_wrong=compared["suspects"]["labels_counted_wrong"],
        image_size=extraction.image_size,
        typical_side=int(frame[["width", "height"]].min(axis=1).median()),
    )


def _doubling(compared: dict[str, dict[str, Any]], name: str) -> Share | None:
    """What twice the training images would add to a strategy's accuracy, by its learning curve."""
    row = compared["doubling"].get(name)
    return Share(row["gain"], row["gain_low"], row["gain_high"]) if row else None


def _tables(kind: str, names: Iterable[str]) -> dict[str, pd.DataFrame]:
    files = {name: TABLES / kind / f"{name}.csv" for name in names}
    return {name: _table(path) for name, path in files.items() if path.exists()}


def _table(path: Path) -> pd.DataFrame:
    try:
        return pd.read_csv(path)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file: run `dvc checkout`, or `dvc repro`") from None


def _pictures(wanted: set[str]) -> dict[str, bytes]:
    return {path: _jpeg(Image.fromarray(images.load(paths.PREPARED / path, _SIDE))) for path in sorted(wanted)}


def _preview() -> bytes:
    try:
        with Image.open(preview.SHEET) as sheet:
            return _jpeg(sheet)
    except FileNotFoundError:
        raise InputError(f"{preview.SHEET}: no such file: run `dvc checkout`, or `dvc repro`") from None


def _jpeg(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=_QUALITY, optimize=True)
    return file.getvalue()
