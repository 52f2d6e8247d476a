"""Which images each training of a strategy trains on, validates on and is tested on.

Every strategy is trained on the same assignments. They follow from the manifest, the settings and the seed alone, so
that nothing of them is stored.
"""

import hashlib
from collections import Counter, defaultdict
from typing import NamedTuple

import numpy as np
import pandas as pd

from headstart.foundation import paths
from headstart.foundation.array_types import IntArray
from headstart.foundation.errors import InputError
from headstart.images import division, manifest

# The run and fold of the training whose model is kept where there are folds: on all images, tested on none.
KEPT = -1
# A class needs images, or groups of them, to train, to validate and to test on in each of two folds.
_FEWEST = 4
# Counted beside the classes, so that parts are of one size as well as of one composition.
_ANY = ""


class Assignment(NamedTuple):
    """One training.

    Attributes:
        run: the repeat, from 0, or KEPT.
        fold: from 0; 0 where there are no folds; or KEPT.
        seed: of the training.
        title: what progress calls it; empty where it is the only one.
        train, validation, test: rows of the manifest, from 0, ascending: int64 (images,).
    """

    run: int
    fold: int
    seed: int
    title: str
    train: IntArray
    validation: IntArray
    test: IntArray


class Spans(NamedTuple):
    """Rows of the manifest that take part in some training: those trained on, and those validated or tested on."""

    trained: range
    unseen: range


def in_folds(frame: pd.DataFrame) -> bool:
    """Whether the images of a manifest are divided into folds, not into splits."""
    return bool((frame["split"] == manifest.FOLDS).all())


def spans(frame: pd.DataFrame) -> Spans:
    """Return which rows are trained on at all, and which are validated or tested on."""
    images = len(frame)
    if in_folds(frame):
        return Spans(range(images), range(images))
    trained = int((frame["split"] == manifest.SPLITS[0]).sum())  # they come first
    return Spans(range(trained), range(trained, images))


def assign(frame: pd.DataFrame, folds: int, validation: float, repeats: int, seed: int) -> list[Assignment]:
    """Return the trainings of a strategy, in their order.

    Without folds each repeat trains on the training split, with a seed of its own. With folds each repeat draws them
    anew: stratified by class, groups whole; every image is tested by one training, and part of the others validate it.
    One more training, on all images but a part for validation, gives the model that is kept.

    Args:
        frame: the manifest.
        folds: their number, 0 for the manifest's splits.
        validation: with folds the part of a training's images that validate.
        repeats: how often the strategy is trained.
        seed: the run's.

    Raises:
        InputError: a class has too few images, or groups, for so many folds.
    """
    if not folds:
        rows = [manifest.rows_of(frame, split) for split in manifest.SPLITS]
        titles = [f"repeat {run + 1} of {repeats}" if repeats > 1 else "" for run in range(repeats)]
        return [Assignment(run, 0, _seed(seed, run), title, *rows) for run, title in enumerate(titles)]
    everything, nothing = np.arange(len(frame)), np.array([], np.int64)
    _check(frame, folds)
    found = []
    for run in range(repeats):
        where = _divide(frame, everything, dict.fromkeys(range(folds), 1 / folds), f"{seed} {run}")
        for fold in range(folds):
            title = f"fold {fold + 1} of {folds}" + (f", repeat {run + 1} of {repeats}" if repeats > 1 else "")
            rest = np.flatnonzero(where != fold)
            parts = _with_validation(frame, rest, validation, f"{seed} {run} {fold}")
            found.append(
                Assignment(run, fold, _seed(seed, run, fold + 1), title, *parts, np.flatnonzero(where == fold))
            )
    parts = _with_validation(frame, everything, validation, f"{seed}")
    found.append(Assignment(KEPT, KEPT, seed, "all images", *parts, nothing))
    for assignment in found:
        _check_classes(frame, assignment, folds)
    return found


def _seed(seed: int, *numbers: int) -> int:
    if numbers == (0,):
        return seed
    return int(np.random.SeedSequence([seed, *numbers]).generate_state(1)[0] >> 1)


def _with_validation(frame: pd.DataFrame, rows: IntArray, share: float, lot: str) -> tuple[IntArray, IntArray]:
    """Divide rows into those that train and those that validate."""
    where = _divide(frame, rows, {0: 1 - share, 1: share}, lot)
    return rows[where == 0], rows[where == 1]


def _divide(frame: pd.DataFrame, rows: IntArray, shares: dict[int, float], lot: str) -> IntArray:
    """Return for each row the number of the part that it goes to; ``lot`` decides between equals."""
    units = _units(frame, rows)
    order = sorted(units, key=lambda name: hashlib.sha256(f"{lot}\0{name}".encode()).digest())
    classes = frame["class"].to_numpy()
    counts = Counter(classes[rows].tolist()) | {_ANY: len(rows)}
    targets = {str(part): {name: share * count for name, count in counts.items()} for part, share in shares.items()}
    given = [Counter(classes[units[name]].tolist()) | {_ANY: len(units[name])} for name in order]
    goes = division.divide([division.Unit(of_unit) for of_unit in given], targets, everything=True)
    where = np.empty(len(frame), np.int64)
    for name, part in zip(order, goes, strict=True):
        assert part is not None, "everything goes somewhere"
        where[units[name]] = int(part)
    return where[rows]


def _units(frame: pd.DataFrame, rows: IntArray) -> dict[str, list[int]]:
    """The rows that stay together, by the name of their group; an image without one is alone, by its digest."""
    found: dict[str, list[int]] = defaultdict(list)
    groups, digests = frame["group"].to_numpy(), frame["sha256"].to_numpy()
    for row in rows.tolist():
        found[f"group {groups[row]}" if groups[row] else f"image {digests[row]}"].append(row)
    return found


def _check(frame: pd.DataFrame, folds: int) -> None:
    """Check that every class can be in every part of every training."""
    units = _units(frame, np.arange(len(frame)))
    classes = frame["class"].to_numpy()
    has = Counter(name for unit in units.values() for name in set(classes[unit].tolist()))
    needed = max(folds, _FEWEST)
    name, fewest = min(has.items(), key=lambda item: (item[1], item[0]))
    if fewest < needed:
        kind = "groups" if frame["group"].any() else "images"
        raise InputError(
            f"{paths.MANIFEST}: class {name!r} has {fewest:,} {kind}, and prepare.folds={folds} needs {needed:,}: "
            "add images, or lower prepare.folds"
        )


def _check_classes(frame: pd.DataFrame, assignment: Assignment, folds: int) -> None:
    """Check that groups which hold several classes leave each class to train on."""
    missing = set(frame["class"]) - set(frame["class"].iloc[assignment.train])
    if missing:
        raise InputError(
            f"{paths.MANIFEST}: groups stay whole, which with prepare.folds={folds} leaves a training without class "
            f"{min(missing)!r}: lower prepare.folds, or set prepare.group=none"
        )
