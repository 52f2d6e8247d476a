"""Trained models on disk: a description in JSON and the weights beside it.

Keras's ``.keras`` files hold the date they were saved; ``.weights.h5`` files don't, so equal models
are equal files.
"""

import shutil
from pathlib import Path

from headstart.base import base, convolution
from headstart.base.lazy import keras
from headstart.foundation.atomic import write_json
from headstart.images.assignments import KEPT, Assignment
from headstart.models import architectures, classifier
from headstart.models.description import Description, describe

WEIGHTS = "model.weights.h5"


def write(folder: Path, description: Description, weights: Path) -> None:
    """Write ``model.json`` and ``model.weights.h5`` to a folder; ``weights`` is a file of the model's weights."""
    write_json(folder / "model.json", description.model_dump())
    shutil.copyfile(weights, folder / WEIGHTS)


def weights_of(folder: Path, assignment: Assignment) -> Path:
    """The file, in the folder of a strategy's model, with the weights of one training that others start from."""
    if assignment.fold == KEPT:
        return folder / WEIGHTS
    return folder / "trainings" / f"run_{assignment.run + 1}_fold_{assignment.fold + 1}.weights.h5"


def load(folder: Path, whole: "keras.Model", weights: Path | None = None) -> "keras.Model":
    """Build a model that :func:`write` wrote and that has a base, and give it its weights, or other ones.

    Those of a fine-tuned model change the weights of the last layers of ``whole``, the frozen base.

    Returns:
        A model to logits from the output of the layer ``base.cut_before(whole, unfreeze)``.
    """
    description = describe(folder)
    assert description.classifier, f"{description.strategy} has no base"
    assert description.extraction, f"{description.strategy} has no base"
    shape = tuple(whole.output_shape[1:])
    head = classifier.build(
        description.classifier, shape, description.extraction.feature_rms, len(description.classes), seed=0
    )
    model = join(whole, head, description.unfreeze)
    model.load_weights(weights or folder / WEIGHTS)
    return model


def load_network(folder: Path) -> "keras.Model":
    """Build a saved model that was trained from scratch, and give it its weights.

    Returns:
        A model from RGB pixels of 0 to 255, (images, size, size, 3), to logits.
    """
    description = describe(folder)
    assert description.network, f"{description.strategy} has a base"
    model = architectures.build(description.network, len(description.classes), seed=0)
    model.load_weights(folder / WEIGHTS)
    return model


def become(model: "keras.Model", other: "keras.Model") -> None:
    """Give a model all that another of the same layers has: its weights, and where its dropout begins."""
    for variable, value in zip(model.variables, other.variables, strict=True):
        variable.assign(value)


def classifier_of(model: "keras.Model") -> "keras.Model":
    """Return the classifier, from the base's feature maps to logits, of a model that :func:`load` or :func:`join` gave.

    The rest of the model is the base's last layers, which the base itself has as well.
    """
    return model if model.name == classifier.NAME else model.get_layer(classifier.NAME)


def join(whole: "keras.Model", head: "keras.Model", unfreeze: int) -> "keras.Model":
    """Put a classifier on the part of the base that trains, sharing the weights of both.

    The last ``unfreeze`` layers of the base become trainable, all others frozen.

    Returns:
        A model from the last output that stays as it is to logits: just ``head`` where nothing of the
        base trains.

    Raises:
        InputError: the base has fewer layers.
    """
    cut = base.cut_before(whole, unfreeze)
    set_trainable(whole, unfreeze)
    if cut == whole.operations[-1].name:
        return head
    top = base.between(whole, cut, None)
    convolution.multiply_gradients(top)
    features = keras.ops.cast(top.output, "float32")
    return keras.Model(top.input, head(features), name="fine_tuned")


def set_trainable(whole: "keras.Model", unfreeze: int) -> None:
    """Make the last ``unfreeze`` layers of a base trainable and freeze all others."""
    for number, layer in enumerate(whole.layers):
        layer.trainable = number >= len(whole.layers) - unfreeze
