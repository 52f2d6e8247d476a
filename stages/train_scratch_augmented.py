"""Train a network without a pretrained base on augmented views of the training images, new ones in every epoch."""

from headstart.base import precision, runtime
from headstart.foundation import paths
from headstart.foundation.entry import run_stage
from headstart.foundation.framing import Framing
from headstart.foundation.resume import Resumable
from headstart.models import architectures
from headstart.settings.params import load
from headstart.training import scratch


def main() -> None:
    """Read params.yaml and the images, train, write the model and its history."""
    params = load()
    settings, augmentation = params.train_scratch_augmented, params.augmentation
    architectures.check_size(settings, "train_scratch_augmented")
    runtime.start(params.seed)
    chosen = precision.choose(params.precision)
    framing = Framing(settings.image_size, params.extract_features.fit, params.prepare.white_level)
    key = (params.seed, settings, framing, augmentation, chosen.policy)
    state = Resumable("train_scratch_augmented", key, [paths.MANIFEST])
    prepared = scratch.prepare(settings, framing, chosen, state)
    scratch.train("scratch_augmented", settings, augmentation, prepared, params.repeats, params.seed, state)


if __name__ == "__main__":
    run_stage(main, __doc__)
