"""Train a network without a pretrained base on the training images as they are."""

from headstart.foundation.entry import run_stage
from headstart.settings.params import load
from headstart.training import scratch


def main() -> None:
    """Read params.yaml and the images, train, write the model and its history."""
    scratch.train("scratch", load(), augmentation=None)


if __name__ == "__main__":
    run_stage(main, __doc__)
