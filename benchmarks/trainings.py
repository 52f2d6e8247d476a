"""One training as benchmarks compare it: by its best epoch on validation images. Test images play no part."""

from typing import NamedTuple

from headstart.base.extraction import Extraction
from headstart.foundation.resume import Resumable
from headstart.models import classifier
from headstart.models.samples import Samples
from headstart.settings.schema import Classifier
from headstart.training import training
from headstart.training.training import Training


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
