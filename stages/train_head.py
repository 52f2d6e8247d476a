"""Train a new classifier on the frozen base's features of the training images."""

from headstart.foundation.entry import run_stage
from headstart.settings.params import load
from headstart.training import heads
from headstart.training.context import begin


def main() -> None:
    """Read params.yaml and the features, train, write the model and its history."""
    params = load()
    heads.train(begin("head", params, heads.files(params.test_time_flip)), examples=None)


if __name__ == "__main__":
    run_stage(main, __doc__)
