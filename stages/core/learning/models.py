"""Trained models on disk: a description in JSON and the weights beside it.

Keras's ``.keras`` files hold the date they were saved; ``.weights.h5`` files don't, so equal models
are equal files.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from stages.core.atomic import replacing_folder, write_json
from stages.core.learning import base, classifier, convolution
from stages.core.learning.extraction import Extraction
from stages.core.schema import Layers, Section

if TYPE_CHECKING:
    import keras


class Description(Section):
    """Everything needed to build a trained model again.

    Attributes:
        strategy: ``head``, ``augmented`` or ``finetune``.
        extraction: the base and the features the model takes.
        classifier: the classifier's layers.
        classes: names of the classes, in the order of the probabilities.
        unfreeze: how many of the base's last layers are part of the model, trained.
        trained_parameters: how many weights were trained.
        epochs: how many epochs were run.
        best_epoch: the one whose weights these are.
    """

    strategy: str
    extraction: Extraction
    classifier: Layers
    classes: list[str]
    unfreeze: int
    trained_parameters: int
    epochs: int
    best_epoch: int


def save(folder: Path, model: "keras.Model", description: Description) -> None:
    """Write ``model.json`` and ``model.weights.h5``, both or neither."""
    with replacing_folder(folder) as temporary:
        write_json(temporary / "model.json", description.model_dump())
        model.save_weights(temporary / "model.weights.h5")


def describe(folder: Path) -> Description:
    """Read what :func:`save` wrote about a model."""
    return Description.model_validate(json.loads((folder / "model.json").read_text(encoding="utf-8")))


def load(folder: Path, whole: "keras.Model") -> "keras.Model":
    """Build a saved model and give it its weights.

    Args:
        folder: where :func:`save` put it.
        whole: the frozen base; loading a fine-tuned model changes the weights of its last layers.

    Returns:
        A model to logits from the output of the layer ``base.cut_before(whole, unfreeze)``.
    """
    description = describe(folder)
    shape = tuple(whole.output_shape[1:])
    head = classifier.build(
        description.classifier, shape, description.extraction.feature_rms, len(description.classes), seed=0
    )
    model = join(whole, head, description.unfreeze)
    model.load_weights(folder / "model.weights.h5")
    return model


def join(whole: "keras.Model", head: "keras.Model", unfreeze: int) -> "keras.Model":
    """Put a classifier on the part of the base that trains, sharing the weights of both.

    Args:
        whole: the base. Its last ``unfreeze`` layers become trainable, all others frozen.
        head: the classifier.
        unfreeze: how many layers train.

    Returns:
        A model from the last output that stays as it is to logits: just ``head`` where nothing of the
        base trains.

    Raises:
        InputError: the base has fewer layers.
    """
    import keras

    cut = base.cut_before(whole, unfreeze)
    set_trainable(whole, unfreeze)
    if cut == whole.operations[-1].name:
        return head
    top = base.between(whole, cut, None)
    convolution.speed_up(top)
    features = keras.ops.cast(top.output, "float32")
    return keras.Model(top.input, head(features), name="fine_tuned")


def set_trainable(whole: "keras.Model", unfreeze: int) -> None:
    """Make the last ``unfreeze`` layers of a base trainable and freeze all others."""
    for number, layer in enumerate(whole.layers):
        layer.trainable = number >= len(whole.layers) - unfreeze
