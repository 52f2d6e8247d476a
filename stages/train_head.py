"""Train a new classifier on the frozen base's features of the training images."""

from typing import TYPE_CHECKING

from stages.core import paths
from stages.core.dataset import manifest
from stages.core.entry import run_stage
from stages.core.learning import classifier, extraction, models, runtime, strategy, training
from stages.core.params import load
from stages.core.resume import Resumable

if TYPE_CHECKING:
    import keras


def main() -> None:
    """Read params.yaml and the features, train, write the model and its history."""
    params = load()
    settings = params.train_head
    frame = manifest.read(paths.MANIFEST)
    train, validation = strategy.examples(frame, "train"), strategy.examples(frame, "validation")
    classes = manifest.class_names(frame)
    runtime.start(params.seed)
    how = extraction.read()
    state = Resumable(
        "train_head",
        (params.seed, settings),
        [paths.MANIFEST, paths.FEATURES / "train.npy", paths.FEATURES / "validation.npy"],
    )

    def train_once(seed: int, part: Resumable) -> tuple["keras.Model", training.Training]:
        model = classifier.build(settings, train.values.shape[2:], how.feature_rms, len(classes), seed)
        return model, training.fit(model, lambda epoch: train, validation, settings, seed, part)

    outcome = strategy.repeat(params.repeats, params.seed, state, train_once)
    description = models.Description(
        strategy="head",
        extraction=how,
        classifier=settings,
        classes=classes,
        unfreeze=0,
        trained_parameters=outcome.model.count_params(),
        epochs=len(outcome.training.history),
        best_epoch=outcome.training.best_epoch,
    )
    strategy.finish(outcome, description, state)


if __name__ == "__main__":
    run_stage(main, __doc__)
