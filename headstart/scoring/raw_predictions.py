"""What a strategy's model predicts for the validation and test images, before calibration.

A model's predictions are kept in data/working, so that evaluation runs only those that changed. They count
for the very same model, images, features and code, all of which go into the digest that they are kept under.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from headstart.base import base, extraction, runtime, weights
from headstart.foundation import paths
from headstart.foundation.array_types import FloatArray
from headstart.foundation.atomic import replacing
from headstart.foundation.resume import Resumable
from headstart.images import manifest
from headstart.models import activations, inference, models, pixels
from headstart.models.description import Description, Inference, describe
from headstart.models.predictor import Assembled, Predictor
from headstart.scoring import prediction_time
from headstart.scoring.predictions import Predictions

# Validation is what probabilities are calibrated on.
SCORED = ("validation", "test")


class RawPredictions(NamedTuple):
    """What a model says, and how long it takes to say it.

    Attributes:
        validation: of the validation split.
        test: of the test split.
        seconds: from an image file to its probabilities, a batch at a time.
    """

    validation: Predictions
    test: Predictions
    seconds: float


class Ready(NamedTuple):
    """A model that can answer.

    Attributes:
        assembled: the model itself, and its base.
        values: what it takes of the images of each split of SCORED, and of their mirror images where asked for.
    """

    assembled: Assembled
    values: dict[str, list[NDArray[np.generic]]]


def predict(name: str, frame: pd.DataFrame, flip: bool, seed: int) -> RawPredictions:
    """Return what the model of a strategy predicts, from an earlier run if nothing has changed since.

    Args:
        name: the strategy.
        frame: the manifest.
        flip: whether to take the mean over every image and its mirror image.
        seed: the run's seed.
    """
    description = describe(paths.MODELS / name)
    state = Resumable(f"evaluate/{name}", flip, _inputs(description, flip))
    file = state.path / "said.npz"
    if not file.exists():
        said = _ask(description, frame, flip, seed, state)
        with replacing(file) as temporary:
            np.savez(temporary, allow_pickle=False, **said)
    with np.load(file, allow_pickle=False) as kept:
        validation, test = (_predictions(frame, split, kept[split]) for split in SCORED)
        return RawPredictions(validation, test, float(kept["seconds"]))


def _predictions(frame: pd.DataFrame, split: str, probabilities: FloatArray) -> Predictions:
    return Predictions(
        images=tuple(frame.loc[frame["split"] == split, "path"]),
        classes=tuple(manifest.class_names(frame)),
        labels=manifest.labels(frame, split),
        probabilities=probabilities,
    )


def _inputs(description: Description, flip: bool) -> list[Path]:
    """Every file that the predictions depend on; the manifest names the images by their digests."""
    folder = paths.MODELS / description.strategy
    own = [folder / "model.json", folder / "model.weights.h5", paths.MANIFEST]
    if description.network:
        return own
    kept = [
        file
        for split in SCORED
        for array in _arrays(split, flip)
        for file in activations.files(array, description.unfreeze)
    ]
    return [*own, paths.WEIGHTS, paths.EXTRACTION, *kept]


def _ask(
    description: Description, frame: pd.DataFrame, flip: bool, seed: int, state: Resumable
) -> dict[str, NDArray[np.generic]]:
    """Predict both splits and time it; return what is kept of that."""
    runtime.start(seed)
    runtime.set_policy(description.policy)
    part = Resumable(f"{state.name}/part", state.key, [])
    ready = (_from_pixels if description.network else _from_features)(description, frame, flip, part)
    said: dict[str, NDArray[np.generic]] = {
        split: np.mean([inference.predict(ready.assembled.model, array) for array in ready.values[split]], axis=0)
        for split in SCORED
    }
    part.discard()
    predictor = Predictor(ready.assembled, Inference(temperature=1.0, flip=flip))
    files = [paths.PREPARED / path for path in frame.loc[frame["split"] == "test", "path"]]
    return {**said, "seconds": np.array(prediction_time.measure(predictor, files))}


def _from_features(description: Description, frame: pd.DataFrame, flip: bool, state: Resumable) -> Ready:
    """Load a model that has a base."""
    assert description.extraction, f"{description.strategy} has no base"
    whole = base.build(description.extraction.base, weights.load(paths.WEIGHTS), description.image_size)
    cut = base.cut_before(whole, description.unfreeze)
    source = activations.Source(
        whole,
        extraction.trunk_layer(),
        frame,
        activations.NO_VIEWS,
        description.extraction.batch_size,
        description.framing,
    )
    # Before the model is loaded: that changes the weights of the base's last layers.
    values = {split: [activations.at(cut, array, source, state) for array in _arrays(split, flip)] for split in SCORED}
    model = models.load(paths.MODELS / description.strategy, whole)
    return Ready(Assembled(description, whole, model), values)


def _arrays(split: str, flip: bool) -> list[str]:
    """The arrays that hold what the base says of a split."""
    return [split, f"flipped/{split}"] if flip else [split]


def _from_pixels(description: Description, frame: pd.DataFrame, flip: bool, state: Resumable) -> Ready:
    """Bring back a model that was trained from scratch."""
    plain = {split: pixels.read(frame, split, description.framing, state).values[0] for split in SCORED}
    values = {split: [array, array[:, :, ::-1]][: 1 + flip] for split, array in plain.items()}
    model = models.load_network(paths.MODELS / description.strategy)
    return Ready(Assembled(description, None, model), values)
