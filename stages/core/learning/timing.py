"""How long stages took, kept where it does not enter dvc.lock: times differ from run to run."""

import json

from stages.core import paths
from stages.core.atomic import write_json

# Digits of a digest that tell one model from another.
_SHORT = 12
TIMINGS = paths.METRICS / "timings.json"


def record(strategy: str, seconds: float, result: str) -> None:
    """Record the training time of a strategy.

    Args:
        strategy: its name.
        seconds: of computing, reading and writing; without the start of Python and TensorFlow.
        result: digest of what came of it. The time counts for that very model: one that DVC brings
            back from its cache took no time that could be told.
    """
    timings = _read()
    timings[strategy] = {"train_seconds": round(seconds, 2), "model": result[:_SHORT]}
    write_json(TIMINGS, dict(sorted(timings.items())))


def recall(strategy: str, result: str) -> float | None:
    """Return the seconds recorded for this very result, or None."""
    entry = _read().get(strategy, {})
    return float(entry["train_seconds"]) if entry.get("model") == result[:_SHORT] else None


def _read() -> dict[str, dict[str, float | str]]:
    try:
        return dict(json.loads(TIMINGS.read_text(encoding="utf-8")))
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
