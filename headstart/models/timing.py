"""How long training takes, kept where it does not enter dvc.lock: times differ from run to run."""

import json
from typing import Any

from headstart.foundation import paths
from headstart.foundation.atomic import write_json

# Digits of a digest that identify a model.
_SHORT = 12
TIMINGS = paths.METRICS / "timings.json"


def record_training(strategy: str, seconds: float, model: str) -> None:
    """Record the training time of a strategy; what was recorded of an earlier model goes.

    That is the time of computing, reading and writing, without the start of Python and TensorFlow. It counts for the
    model with this digest alone: one that DVC brings back from its cache took no time that is known.
    """
    _write(strategy, {"train_seconds": round(seconds, 2), "model": model[:_SHORT]})


def training_seconds(strategy: str, model: str) -> float | None:
    """Return the seconds recorded of the training of this very model, or None."""
    entry = _read().get(strategy, {})
    return float(entry["train_seconds"]) if entry.get("model") == model[:_SHORT] else None


def _read() -> dict[str, dict[str, Any]]:
    try:
        return dict(json.loads(TIMINGS.read_text(encoding="utf-8")))
    except (FileNotFoundError, json.JSONDecodeError):
        return {}


def _write(strategy: str, entry: dict[str, Any]) -> None:
    write_json(TIMINGS, dict(sorted({**_read(), strategy: entry}.items())))
