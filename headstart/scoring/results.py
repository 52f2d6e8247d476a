"""Read what the stages wrote, metrics and tables by strategy, and choose the winner."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from headstart.foundation import paths
from headstart.foundation.errors import InputError
from headstart.models.strategies import WITHOUT_CHANCE
from headstart.statistics.comparisons import Comparison
from headstart.statistics.differences import Scope

COMPARISON = paths.METRICS / "comparison.json"


def winner(metrics: Mapping[str, Mapping[str, Any]]) -> str:
    """The strategy with the lowest log loss on validation images; the first of equals.

    Chosen without the test split, so what that says of the winner is not coloured by the choice.
    """
    return min(metrics, key=lambda name: float(metrics[name]["validation_log_loss"]))


def read() -> dict[str, dict[str, Any]]:
    """Return metrics/evaluation.json.

    Raises:
        InputError: there is none yet.
    """
    return _read(paths.EVALUATION)


def read_comparison() -> dict[str, Any]:
    """Return metrics/comparison.json.

    Raises:
        InputError: there is none yet.
    """
    return _read(COMPARISON)


def comparisons(compared: Mapping[str, Any]) -> list[Comparison]:
    """The comparisons of metrics/comparison.json, the better strategy of each first."""
    found = [Comparison(**{**row, "scope": Scope(row["scope"])}) for row in compared["pairs"].values()]
    return [duel if duel.difference >= 0 else duel.of(duel.second) for duel in found]


def table(path: Path) -> pd.DataFrame:
    """Read a table that a stage left.

    Raises:
        InputError: it is missing.
    """
    try:
        return pd.read_csv(path)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file: run `dvc checkout`, or `dvc repro`") from None


def by_strategy(path: Path) -> dict[str, pd.DataFrame]:
    """Read a table with a column ``strategy``; return the rows of each strategy, in the table's order.

    Raises:
        InputError: it is missing.
    """
    rows = table(path)
    return {str(name): rows[rows["strategy"] == name] for name in rows["strategy"].unique()}


def repeats(names: Iterable[str]) -> dict[str, pd.DataFrame]:
    """The trainings of each strategy that was trained more than once: metrics/<strategy>/repeats.csv.

    Left out is what came out the same each time because nothing in its training is random.
    """
    files = {name: paths.METRICS / name / "repeats.csv" for name in names}
    tables = {name: table(path) for name, path in files.items() if path.exists()}
    return {
        name: table
        for name, table in tables.items()
        if len(table) > 1 and not (name in WITHOUT_CHANCE and (table["fold"] == 0).all())
    }


def _read(path: Path) -> dict[str, dict[str, Any]]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise InputError(f"{path}: no such file: run `dvc repro` first") from None
    except json.JSONDecodeError as error:
        raise InputError(f"{path}: not readable as JSON ({error}): run `dvc checkout`, or `dvc repro`") from None
