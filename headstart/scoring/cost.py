"""What a strategy costs: seconds to train, bytes on disk.

Seconds differ from run to run, so they are kept in metrics/timings.json and not in an output of a stage, and count
only for the very model that they were measured on.
"""

from pathlib import Path

import pandas as pd

from headstart.foundation import paths
from headstart.models import held_out, timing
from headstart.models.description import weights_digest


def training_seconds(name: str) -> float | None:
    """Return the seconds of one training of the strategy ``name``; None where they were not measured on this model.

    Without the extraction of features, which the strategies on a base share.
    """
    recorded = timing.training_seconds(name, weights_digest(paths.MODELS / name))
    return None if recorded is None else recorded / trainings(name)


def trainings(name: str) -> int:
    """Return how often a strategy was trained: the rows of its repeats.csv, and once where there is none."""
    try:
        return len(pd.read_csv(paths.METRICS / name / "repeats.csv"))
    except FileNotFoundError:
        return 1


def bytes_on_disk(folder: Path) -> int:
    """Return the size of a model's files, without what its trainings left for evaluation."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != held_out.NAME)
    return sum(path.stat().st_size for path in files)
