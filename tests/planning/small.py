"""What plans in tests are made of: the pipeline in small as it was measured here, and a machine of round numbers."""

from typing import NamedTuple

from headstart.planning.counts import Counts
from headstart.planning.measured import Base, Measured, Training
from headstart.settings.schema import Params
from tests.pipeline import Finished


class Small(NamedTuple):
    """The finished pipeline: its folder and settings, its images as counted from the source, this machine's times."""

    project: Finished
    params: Params
    counts: Counts
    measured: Measured


def training(example: float = 0.01, weights: int = 1000) -> Training:
    """Round numbers."""
    return Training(1.0, 1.0, 0.0, example, weights, weights, memory=10**9)


def machine(**trainings: Training) -> Measured:
    """Round numbers; VGG16 at 180 pixels."""
    stages = ("train_scratch", "train_scratch_augmented", "train_head", "train_augmented", "finetune")
    return Measured(
        python=1.0,
        tensorflow=2.0,
        check=0.001,
        decode=0.002,
        build=1.0,
        compile=1.0,
        image=0.1,
        augment=0.01,
        scratch_augment=0.01,
        resampled=1e-8,
        multiplications=1e10,
        base=Base(
            features=(5, 5, 512),
            trunk=(11, 11, 512),
            weights=14_714_688,
            above_trunk=0.1,
            above_cut=0.1,
            cut=(11, 11, 512),
            cut_is_kept=True,
            cut_from_trunk=False,
            patterns=5,
            climbed=0.5,
        ),
        trainings={stage: trainings.get(stage, training()) for stage in stages},
        idle=6 * 10**8,
        memory=10**9,
    )
