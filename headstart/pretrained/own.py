"""Weights of the user's own: those of any file whose tensors fit the base, such as one trained on medical images."""

from pathlib import Path

import numpy as np

from headstart.base import network
from headstart.base.bases import KINDS
from headstart.base.weights import Tensors
from headstart.fetching.mirrors import MirrorError
from headstart.pretrained import readers


def read(name: str, file: Path) -> Tensors:
    """Read the weights of the base ``name`` from a file of any format that :func:`readers.read` knows.

    The base may be the whole of what is in it or a part, as in a classifier that was trained on top of it. TensorFlow
    must have been started.

    Raises:
        MirrorError: a tensor is missing, does not fit, or holds a value that is no number.
    """
    model = network.construct(name, KINDS[name].least_size, drawn=False)
    shapes = {variable: tuple(values.shape) for variable, values in network.variables(model).items()}
    layers = readers.layers_of({"config": model.get_config()}, shapes)
    tensors = readers.read(file, shapes, layers=layers)
    for variable, values in tensors.items():
        if not np.isfinite(values).all():
            raise MirrorError(f"{variable} holds values that are no numbers")
    return tensors
