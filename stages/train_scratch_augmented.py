"""Train a network without a pretrained base on augmented views of the training images, new ones in every epoch."""

from headstart.foundation.entry import run_stage
from headstart.settings.params import load
from headstart.training import scratch


def main() -> None:
    """Read params.yaml and the images, train, write the model and its history."""
    params = load()
    scratch.train("scratch_augmented", params, params.augmentation)


if __name__ == "__main__":
    run_stage(main, __doc__)
