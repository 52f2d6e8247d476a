"""One training as benchmarks compare it: by its best epoch on validation images. Test images play no part."""

from typing import NamedTuple

from stages.core.learning import classifier, training
from stages.core.learning.extraction import Extraction
from stages.core.learning.samples import Samples
from stages.core.learning.training import Training
from stages.core.resume import Resumable
from stages.core.schema import Classifier


class Result(NamedTuple):
    """The best epoch of a training by validation loss, how many epochs it had, and how long they took together."""

    accuracy: float
    loss: float
    epoch: int
    epochs: int
    seconds: float


def best_of(trained: Training) -> Result:
    """Return what is compared of a training."""
    best = trained.best
    return Result(
        float(best["val_accuracy"]),
        float(best["val_loss"]),
        trained.best_epoch,
        len(trained.history),
        trained.seconds,
    )


def train_classifier(
    examples: Samples, validation: Samples, settings: Classifier, how: Extraction, classes: int, seed: int
) -> Result:
    """Train a classifier on extracted features once, in the current folder.

    Args:
        examples: training features, in one view or several.
        validation: validation features.
        settings: of the classifier and its training.
        how: the features were made.
        classes: how many there are.
        seed: of the training.
    """
    import keras

    keras.utils.clear_session()
    model = classifier.build(settings, validation.values.shape[2:], how.feature_rms, classes, seed)
    state = Resumable("benchmark", seed, [])
    trained = training.fit(model, lambda epoch: examples, validation, settings, seed, state)
    state.discard()
    return best_of(trained)
