"""The winner of the comparison as a folder that is complete in itself, and where any strategy's model is.

``models/winner`` holds ``model.json`` (what the model is, its classes, its temperature), ``model.weights.h5`` and, if
it has a base, ``base.npz``. The weights files are those of the strategy and of the base, byte for byte: DVC
stores and sends them once.
"""

import shutil
from pathlib import Path
from typing import NamedTuple

from headstart.foundation import paths
from headstart.foundation.atomic import replacing_folder, write_json
from headstart.foundation.errors import InputError
from headstart.models.description import Inference, describe
from headstart.scoring import results


class Trained(NamedTuple):
    """Where the parts of a trained model are, and how its logits become probabilities.

    Without a base there are no weights of one.
    """

    folder: Path
    base_weights: Path
    inference: Inference


def write(strategy: str, inference: Inference) -> None:
    """Write models/winner, whole or not at all."""
    folder = paths.MODELS / strategy
    description = describe(folder).model_copy(update={"inference": inference})
    with replacing_folder(paths.WINNER) as temporary:
        write_json(temporary / "model.json", description.model_dump())
        shutil.copyfile(folder / "model.weights.h5", temporary / "model.weights.h5")
        if description.extraction:
            shutil.copyfile(paths.WEIGHTS, temporary / paths.WEIGHTS.name)


def find(strategy: str | None) -> Trained:
    """Return where the model of a strategy is; for None that of the winner, which needs no other file.

    Raises:
        InputError: it has not been trained and evaluated here, nor brought here.
    """
    folder = paths.WINNER if strategy is None else paths.MODELS / strategy
    try:
        description = describe(folder)
    except FileNotFoundError:
        raise InputError(f"{folder}: no model there: run `dvc repro`, or `dvc pull {folder}`") from None
    if description.inference:
        return Trained(folder, folder / paths.WEIGHTS.name, description.inference)
    evaluated = results.read().get(description.strategy, {})
    # Not the flip of params.yaml: the temperature was fitted to what was evaluated.
    known = {name: evaluated[name] for name in Inference.model_fields if name in evaluated}
    if len(known) < len(Inference.model_fields):
        raise InputError(
            f"{paths.EVALUATION}: does not say how {description.strategy} predicts: run `dvc repro evaluate`"
        )
    return Trained(folder, paths.WEIGHTS, Inference.model_validate(known))
