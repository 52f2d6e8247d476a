"""Layers of the base that train at rates of their own and join the training one after another.

Discriminative rates and gradual unfreezing are Howard & Ruder's (2018, Universal language model fine-tuning).
There the classifier is new and trains alone at first; here train_augmented has trained it already.
"""

from typing import Any, NamedTuple

from headstart.base.lazy import keras
from headstart.foundation.errors import InputError
from headstart.settings.schema import Finetune


class Group(NamedTuple):
    """Weights that train the same way."""

    weights: list[Any]  # Keras's variables
    factor: float  # their learning rate as a part of everybody's
    start: int  # the epoch, from 0, in which they begin to train


def together(model: "keras.Model") -> list[Group]:
    """Return all that is trainable as one group."""
    return [Group(list(model.trainable_variables), factor=1.0, start=0)]


def check(base: "keras.Model", settings: Finetune) -> None:
    """Check that every unfrozen layer of ``base`` starts to train before the last epoch ends.

    Raises:
        InputError: some layer would join after the last epoch.
    """
    layers = _from_the_top(base)
    last = settings.gradual * (len(layers) - 1)
    if last >= settings.epochs:
        raise InputError(
            f"params.yaml: finetune.gradual: found {settings.gradual}, which unfreezes {layers[-1]} in epoch "
            f"{last + 1} of {settings.epochs}: lower it, or raise finetune.epochs"
        )


def groups(model: "keras.Model", base: "keras.Model", settings: Finetune) -> list[Group]:
    """Return the trainable weights in groups, in the order in which they join the training.

    Args:
        model: a classifier joined with the top of ``base``.
        base: the whole base; what trains of it is trainable.
        settings: rates and unfreezing.
    """
    depths = {
        id(weight): depth
        for depth, name in enumerate(_from_the_top(base))
        for weight in base.get_layer(name).trainable_weights
    }
    alike: dict[tuple[int, float], list[Any]] = {}
    for weight in model.trainable_variables:
        depth = depths.get(id(weight), 0)
        alike.setdefault((settings.gradual * depth, settings.rate_decay**depth), []).append(weight)
    return [Group(alike[key], factor=key[1], start=key[0]) for key in sorted(alike, key=lambda key: (key[0], -key[1]))]


def freeze_unreached(base: "keras.Model", settings: Finetune, epochs: int) -> None:
    """Freeze the layers that had not started to train by epoch ``epochs``, from which the model has its weights."""
    for depth, name in enumerate(_from_the_top(base)):
        if settings.gradual * depth >= epochs:
            base.get_layer(name).trainable = False


def _from_the_top(base: "keras.Model") -> list[str]:
    """Names of the layers with trainable weights, the highest first."""
    return [layer.name for layer in reversed(base.layers) if layer.trainable_weights]
