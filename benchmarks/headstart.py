"""Headstart's own stages, run as they are, part by part."""

import importlib
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from unittest.mock import patch

from benchmarks.loops import TRAINING, VALIDATION, Count, Loop
from headstart.models import samples
from headstart.models.samples import Batch, Samples
from headstart.training import training

STAGES = {
    "extraction": "extract_features",
    "head": "train_head",
    "augmented": "train_augmented",
    "finetune": "finetune",
    "evaluation": "evaluate",
}
# The strategies among these parts: the protocol trains no network from scratch, and no probe.
TRAINED = ("head", "augmented", "finetune")


def part(name: str, found: list[Loop]) -> Callable[[], None]:
    """Return what runs a part in the current folder, its modules imported.

    Args:
        name: the part.
        found: gets the loops over batches, which show no progress bar.
    """
    stage = importlib.import_module(f"stages.{STAGES[name]}")

    def epoch_batches(examples: Samples, batch_size: int, epoch: int, seed: int) -> Iterator[Batch]:
        return _counted(samples.epoch_batches(examples, batch_size, epoch, seed), Count(found, TRAINING, "images"))

    def in_order(examples: Samples, batch_size: int) -> Iterator[Batch]:
        return _counted(samples.in_order(examples, batch_size), Count(found, VALIDATION, "images"))

    def run() -> None:
        shuffled = patch.object(training, "epoch_batches", epoch_batches)
        ordered = patch.object(training, "in_order", in_order)
        scored = patch.object(stage, "STRATEGIES", TRAINED) if name == "evaluation" else nullcontext()
        with shuffled, ordered, scored:
            stage.main()

    return run


def _counted(batches: Iterator[Batch], count: Count) -> Iterator[Batch]:
    for values, labels in batches:
        yield values, labels
        count.update(len(labels))
