"""Train a network without a pretrained base on the training images as they are."""

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
    settings = params.train_scratch
    architectures.check_size(settings, "train_scratch")
    runtime.start(params.seed)
    chosen = precision.choose(params.precision)
    framing = Framing(settings.image_size, params.extract_features.fit, params.prepare.white_level)
    state = Resumable("train_scratch", (params.seed, settings, framing, chosen.policy), [paths.MANIFEST])
    prepared = scratch.prepare(settings, framing, chosen, state)
    scratch.train("scratch", settings, None, prepared, params.repeats, params.seed, state)


if __name__ == "__main__":
    run_stage(main, __doc__)
