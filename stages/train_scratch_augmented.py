"""Train a network without a pretrained base on augmented views of the training images, new ones in every epoch."""

from stages.core import paths
from stages.core.entry import run_stage
from stages.core.learning import architectures, precision, runtime, scratch
from stages.core.params import load
from stages.core.resume import Resumable


def main() -> None:
    """Read params.yaml and the images, train, write the model and its history."""
    params = load()
    settings, augmentation = params.train_scratch_augmented, params.augmentation
    architectures.check_size(settings, "train_scratch_augmented")
    runtime.start(params.seed)
    chosen = precision.choose(params.precision)
    key = (params.seed, settings, augmentation, chosen.policy)
    state = Resumable("train_scratch_augmented", key, [paths.MANIFEST])
    prepared = scratch.prepare(settings, chosen, state)
    scratch.train("scratch_augmented", settings, augmentation, prepared, params.repeats, params.seed, state)


if __name__ == "__main__":
    run_stage(main, __doc__)
