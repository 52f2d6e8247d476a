"""Train a new classifier on the frozen base's features of the training images."""

from stages.core import paths
from stages.core.dataset import manifest
from stages.core.entry import run_stage
from stages.core.learning import extraction, runtime, strategy
from stages.core.params import load
from stages.core.resume import Resumable


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
