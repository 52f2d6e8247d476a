"""The networks of a run: the shapes of their outputs, their sizes, and which part does how much of the work."""

import math

import numpy as np

from headstart.base import base, graph
from headstart.base.lazy import keras
from headstart.explaining import filter_patterns, layers
from headstart.planning.measured import Base
from headstart.settings.schema import Params

# The gradient with respect to the image alone takes one more product, of each layer, than its output.
_FORWARD_AND_BACK = 2


def describe(whole: "keras.Model", params: Params) -> Base:
    """Describe a base as ``params`` use it.

    Raises:
        InputError: it has no layers such as params.yaml names.
    """
    kept = base.trunk(whole, params.extract_features.trunk)
    cut = base.cut_before(whole, params.finetune.unfreeze)
    shown = layers.chosen(whole, params.explain.layers)
    names, outputs = list(graph.places(whole)), graph.outputs(whole)
    return Base(
        features=tuple(whole.output_shape[1:]),
        trunk=tuple(outputs[kept].shape[1:]) if kept else None,
        weights=whole.count_params(),
        above_trunk=above(whole, kept),
        above_cut=above(whole, cut),
        cut=tuple(outputs[cut].shape[1:]),
        cut_is_kept=cut in (kept, names[-1]),
        cut_from_trunk=kept is not None and names.index(kept) < names.index(cut),
        patterns=len(shown),
        climbed=sum(_climbed(whole, layer) for layer in shown),
    )


def above(whole: "keras.Model", name: str | None) -> float:
    """Return the part of a network's multiplications that lies above an operation; 1.0 for None."""
    if name is None:
        return 1.0
    works = {operation.name: multiplications(operation) for operation in whole.operations}
    names = list(works)
    return sum(works[later] for later in names[names.index(name) + 1 :]) / (sum(works.values()) or 1)


def multiplications(operation: "keras.Operation") -> int:
    """Return how many multiplications by weights an operation takes for an image."""
    output = getattr(operation, "output", None)
    positions = math.prod(output.shape[1:3]) if output is not None and len(output.shape) == 4 else 1
    kernels = [weight for weight in getattr(operation, "weights", ()) if len(weight.shape) > 1]
    values = sum(math.prod(kernel.shape) for kernel in kernels)
    return int(positions * values)


def _climbed(whole: "keras.Model", layer: "keras.Layer") -> float:
    """Passes that a step towards the pattern of one filter is worth, forward and back."""
    areas = np.square(np.array(filter_patterns.growth(whole, layer)) / whole.input_shape[1])
    return _FORWARD_AND_BACK * (1 - above(whole, layer.name)) * float(areas.mean())
