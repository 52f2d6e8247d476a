"""Train the classifier on augmented views of the training images.

The views are those that extract_features kept; with extract_features.views at 0 every epoch augments
anew and runs the base again.
"""

from typing import TYPE_CHECKING

from stages.core import paths
from stages.core.dataset import manifest
from stages.core.entry import run_stage
from stages.core.learning import activations, base, classifier, extraction, models, runtime, strategy, training, weights
from stages.core.params import load
from stages.core.resume import Resumable

if TYPE_CHECKING:
    import keras


def main() -> None:
    """Read params.yaml and the features, train, write the model and its history."""
    params = load()
    settings = params.train_augmented
    frame = manifest.read(paths.MANIFEST)
    classes = manifest.class_names(frame)
    how = extraction.read()
    state = Resumable(
        "train_augmented",
        (params.seed, settings, params.augmentation, params.extract_features),
        [paths.MANIFEST, paths.FEATURES / "train_views.npy", paths.FEATURES / "validation.npy"],
    )
    validation = strategy.examples(frame, "validation")
    runtime.start(params.seed)
    runtime.set_policy(how.policy)
    whole = base.build(weights.load(paths.WEIGHTS), how.image_size)
    source = activations.Source(
        base=whole,
        trunk=extraction.trunk_layer(),
        manifest=frame,
        views=activations.Views(params.extract_features.views, params.augmentation, params.seed),
        batch_size=params.extract_features.batch_size,
    )
    labels = manifest.labels(frame, "train")
    train = activations.training_samples(whole.layers[-1].name, labels, source, state)

    def train_once(seed: int, part: Resumable) -> tuple["keras.Model", training.Training]:
        model = classifier.build(settings, validation.values.shape[2:], how.feature_rms, len(classes), seed)
        return model, training.fit(model, train, validation, settings, seed, part)

    outcome = strategy.repeat(params.repeats, params.seed, state, train_once)
    description = models.Description(
        strategy="augmented",
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
