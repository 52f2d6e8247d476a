"""What every training stage begins with: settings, images, who trains on which of them, and where it goes on."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from headstart.base import runtime
from headstart.foundation import paths
from headstart.foundation.array_types import IntArray
from headstart.foundation.resume import Resumable
from headstart.images import assignments, manifest
from headstart.images.assignments import KEPT, Assignment
from headstart.models.strategies import HEADS, stage_of
from headstart.settings.schema import Optimization, Params


class TrainingContext(NamedTuple):
    """One training stage."""

    strategy: str  # what it trains
    params: Params  # all settings
    frame: pd.DataFrame  # the manifest
    trainings: list[Assignment]  # who trains on which rows of it
    state: Resumable  # of the stage

    @property
    def settings(self) -> Optimization:
        """How the strategy is trained."""
        found: Optimization = getattr(self.params, stage_of(self.strategy))
        return found

    @property
    def classes(self) -> list[str]:
        """Names of the classes, in the order of the labels."""
        return manifest.class_names(self.frame)

    def labels(self, rows: IntArray) -> IntArray:
        """The labels of the images in these rows: a training asks for those that it trains and validates on alone."""
        return manifest.labels_of(self.frame, rows)

    def may_be_kept(self, training: Assignment) -> bool:
        """Whether the strategy's model can be that of a training: with folds the one on all images, else any."""
        return training.fold == KEPT or not self.params.prepare.folds

    def part(self, training: Assignment) -> Resumable:
        """The state of one training. It is discarded with the stage's."""
        name = f"{self.state.name}/run_{training.run}_fold_{training.fold}"
        return Resumable(name, (self.state.key, training.run, training.fold, training.seed), [])


def begin(strategy: str, params: Params, inputs: Sequence[Path], *settings: Any) -> TrainingContext:
    """Start TensorFlow, read the manifest, say who trains on what, take up what an interrupted run has left.

    Args:
        strategy: what is trained.
        params: all settings.
        inputs: files that its trainings depend on, beside the manifest.
        settings: that they depend on, beside the strategy's own and the seed.

    Raises:
        InputError: there is no manifest, or it has too few images for the folds.
    """
    runtime.start(params.seed)
    frame = manifest.read(paths.MANIFEST)
    prepare, stage = params.prepare, stage_of(strategy)
    repeats = params.repeats if strategy in HEADS else params.repeats_of_networks
    divided = (prepare.folds, prepare.validation if prepare.folds else None)
    key = (params.seed, getattr(params, stage), divided, params.test_time_flip, *settings)
    return TrainingContext(
        strategy=strategy,
        params=params,
        frame=frame,
        trainings=assignments.assign(frame, prepare.folds, float(prepare.validation), repeats, params.seed),
        state=Resumable(stage, key, [paths.MANIFEST, *inputs]),
    )
