"""Train a new classifier on the frozen base's features of the training images."""

from headstart.base import extraction, runtime
from headstart.foundation import paths
from headstart.foundation.entry import run_stage
from headstart.foundation.resume import Resumable
from headstart.images import manifest
from headstart.settings.params import load
from headstart.training import strategy


def main() -> None:
    """Read params.yaml and the features, train, write the model and its history."""
    params = load()
    frame = manifest.read(paths.MANIFEST)
    train = strategy.examples(frame, "train")
    examples = strategy.Examples(
        train=lambda epoch: train,
        validation=strategy.examples(frame, "validation"),
        classes=manifest.class_names(frame),
        extraction=extraction.read(),
    )
    runtime.start(params.seed)
    state = Resumable(
        "train_head",
        (params.seed, params.train_head),
        [paths.MANIFEST, paths.FEATURES / "train.npy", paths.FEATURES / "validation.npy"],
    )
    strategy.train_classifier("head", params.train_head, examples, params.repeats, params.seed, state)


if __name__ == "__main__":
    run_stage(main, __doc__)
