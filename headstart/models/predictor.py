"""A trained model as it is used: from the pixels of an image to calibrated probabilities."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from headstart.base import base, precision, runtime, weights
from headstart.base.lazy import keras
from headstart.features import features
from headstart.foundation.array_types import FloatArray, IntArray
from headstart.models import inference, models
from headstart.models.description import Description, Inference, describe
from headstart.statistics import calibration, scoring


class Assembled(NamedTuple):
    """A trained model and its base."""

    description: Description
    # The base, with the model's weights in its last layers; None for a network without a base.
    whole: "keras.Model | None"
    # To logits, (n, units), from the output of the base's last frozen layer; without a base from RGB pixels of 0 to
    # 255, (n, size, size, 3).
    model: "keras.Model"


def assemble(folder: Path, base_weights: Path) -> Assembled:
    """Bring back a saved model with its base, in the precision that :func:`runtime.set_policy` set.

    The file of the pretrained base is not read if the model has none.

    Raises:
        InputError: a file is missing or broken.
    """
    description = describe(folder)
    how = description.extraction
    if how is None:
        return Assembled(description, None, models.load_network(folder))
    whole = base.build(how.base, weights.load(base_weights), how.image_size)
    return Assembled(description, whole, models.load(folder, whole))


def frozen(assembled: Assembled) -> "keras.Model | None":
    """Return the part of the base from preprocessed images to what the model takes; None without a base."""
    if assembled.whole is None:
        return None
    return base.between(assembled.whole, None, base.cut_before(assembled.whole, assembled.description.unfreeze))


class Predictor:
    """Calibrated probabilities straight from pixels: preprocessing, base, classifier and temperature in one.

    ``classes`` are in the order of the probabilities. It computes ``batch_size`` images at once, even for fewer.
    """

    def __init__(self, assembled: Assembled, inference: Inference) -> None:
        """Take a model as it was trained, and how its logits become probabilities."""
        self.classes = tuple(assembled.description.classes)
        self.framing = assembled.description.framing
        self.batch_size = assembled.description.batch_size
        self.assembled = assembled
        self._inference = inference
        self._as_trained = _compile(assembled)

    def decide(self, probabilities: FloatArray) -> IntArray:
        """Return the number of the class that each image is given, (n,), from its probabilities, (n, classes)."""
        decision = self._inference.decision
        if decision is None:
            return scoring.predicted_classes(probabilities)
        positive = self.classes.index(decision.positive)
        found: IntArray = np.where(probabilities[:, positive] >= decision.threshold, positive, 1 - positive)
        return found

    def __call__(self, pixels: NDArray[np.uint8]) -> FloatArray:
        """Return the probabilities, (n, classes), of RGB images, uint8 (n, size, size, 3).

        Those of an image are the same, to the last digit, however many come with it.
        """
        views = [pixels, pixels[:, :, ::-1]] if self._inference.flip else [pixels]
        mean = np.mean([self._as_trained(view) for view in views], axis=0)
        return calibration.apply_temperature(mean, self._inference.temperature)


def load(folder: Path, base_weights: Path, inference: Inference) -> Predictor:
    """Bring back a saved model ready to predict, in the precision it was trained in.

    Where this machine would have to emulate that precision, float32 takes its place: faster there, and more exact.

    Raises:
        InputError: a file is missing or broken.
    """
    policy = describe(folder).policy
    runtime.set_policy(policy if policy == "float32" else precision.choose("auto").policy)
    return Predictor(assemble(folder, base_weights), inference)


def _compile(assembled: Assembled) -> Callable[[NDArray[np.uint8]], FloatArray]:
    """Return a function from RGB images to probabilities before calibration, float64 (n, classes)."""
    model, lower, how = assembled.model, frozen(assembled), assembled.description.extraction
    answer = inference.compile_predict(model, np.float16 if lower else np.uint8)
    if lower is None or how is None:
        return answer
    # In batches of the extraction's size, and halved as in the files that training and evaluation read: the answers are
    # the same then.
    size = how.batch_size
    forward = features.compile_forward(lower, None, how.base, size)

    def predict(pixels: NDArray[np.uint8]) -> FloatArray:
        parts = [forward(pixels[start : start + size], None)["features"] for start in range(0, len(pixels), size)]
        return answer(np.concatenate(parts))

    return predict
