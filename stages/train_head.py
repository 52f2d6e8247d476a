"""Train a new classifier on the frozen base's features of the training images."""

from stages.core import classifier, extraction, manifest, models, paths, runtime, strategy, training
from stages.core.entry import run_stage
from stages.core.params import load
from stages.core.resume import Resumable


def main() -> None:
    """Read params.yaml and the features, train, write the model and its history."""
    params = load()
    settings = params.train_head
    frame = manifest.read(paths.MANIFEST)
    train, validation = strategy.examples(frame, "train"), strategy.examples(frame, "validation")
    classes = manifest.class_names(frame)
    runtime.start(params.seed)
    how = extraction.read()
    model = classifier.build(settings, train.values.shape[2:], how.feature_rms, len(classes), params.seed)
    state = Resumable(
        "train_head",
        (params.seed, settings),
        [paths.MANIFEST, paths.FEATURES / "train.npy", paths.FEATURES / "validation.npy"],
    )
    result = training.fit(model, lambda epoch: train, validation, settings, params.seed, state)
    description = models.Description(
        strategy="head",
        extraction=how,
        classifier=settings,
        classes=classes,
        unfreeze=0,
        trained_parameters=model.count_params(),
        epochs=len(result.history),
        best_epoch=result.best_epoch,
    )
    strategy.finish(model, description, result, state)


if __name__ == "__main__":
    run_stage(main, __doc__)
