"""Headstart's own stages, run as they are, part by part."""

import importlib
from collections.abc import Callable, Iterator
from unittest.mock import patch

from stages.core import training
from stages.core.progress import bar
from stages.core.samples import Batch, Samples, in_order

STAGES = {
    "extraction": "extract_features",
    "head": "train_head",
    "augmented": "train_augmented",
    "finetune": "finetune",
    "evaluation": "evaluate",
}


def part(name: str) -> Callable[[], None]:
    """Return what runs a part in the current folder, all its modules imported."""
    main: Callable[[], None] = importlib.import_module(f"stages.{STAGES[name]}").main

    def evaluate() -> None:
        # Predicting shows no bar of its own, and what shows none is not told from what is done once.
        with patch.object(training, "in_order", _counted):
            main()

    return evaluate if name == "evaluation" else main


def _counted(samples: Samples, batch_size: int) -> Iterator[Batch]:
    with bar("predict", len(samples.labels), " images") as progress:
        for batch in in_order(samples, batch_size):
            yield batch
            progress.update(len(batch[1]))
