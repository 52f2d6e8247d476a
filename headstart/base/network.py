"""The network of a base as Keras has it, put into the shape that everything here relies on.

What is changed: layers keep to inference whatever is asked of them, the names that Keras makes up are the same however
many models were built before, every tensor has a name of its own, and grouped convolutions run as depthwise ones.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.base import convolution, efficientnet_lite
from headstart.base.bases import KINDS
from headstart.base.lazy import keras

# The number that Keras puts behind a name it has given before.
_COUNTER = re.compile(r"_(\d+)$")


def construct(name: str, image_size: int, drawn: bool = True) -> "keras.Model":
    """Build the base ``name``, in the precision that :func:`runtime.set_policy` set.

    Args:
        name: of the base.
        image_size: side of the images, pixels.
        drawn: whether its weights are random; drawing them takes longer than all else, for nothing if others follow.

    Returns:
        A model of that name from preprocessed images, float (images, size, size, 3), to feature maps
        (images, height, width, channels).
    """
    constructor = KINDS[name].constructor
    with nullcontext() if drawn else _zeros():
        if constructor is None:
            model = efficientnet_lite.construct(name, image_size)
        else:
            build = getattr(keras.applications, constructor)
            # No name is given: EfficientNetV2 chooses its preprocessing, and ConvNeXt the names of its layers, by it.
            model = build(weights=None, include_top=False, input_shape=(image_size, image_size, 3))
            model.name = name
    settle_names(model)
    for layer in model.layers:
        _keep_to_inference(layer)
    convolution.ungroup(model)
    return model


@contextmanager
def _zeros() -> Iterator[None]:
    """Let kernels that are made meanwhile be zeros."""
    initializer = keras.initializers.VarianceScaling
    draw = initializer.__call__

    def zeros(_: Any, shape: tuple[int, ...], dtype: Any = None) -> Any:
        return keras.ops.zeros(shape, dtype)

    initializer.__call__ = zeros
    try:
        yield
    finally:
        initializer.__call__ = draw


def settle_names(model: "keras.Model") -> None:
    """Give operations whose names Keras made up those that they have in a fresh process: ``conv2d_3``.

    Keras counts all layers of a process, so that a second model's would go on where the first one's ended.
    """
    made_up: dict[str, list[Any]] = {}
    for operation in model.operations:
        kind = snake_case(type(operation).__name__)
        if _COUNTER.sub("", operation.name) == kind:
            made_up.setdefault(kind, []).append(operation)
    for kind, operations in made_up.items():
        for number, operation in enumerate(sorted(operations, key=_count)):
            operation.name = f"{kind}_{number}" if number else kind


def variables(model: "keras.Model") -> dict[str, "keras.Variable"]:
    """Return every variable of a model by its name: ``layer/kernel``, in nested models ``layer/inner/kernel``."""
    found = {}
    for layer in model.layers:
        for variable in layer.weights:
            # The path begins with the name that the layer had when it was built.
            _, _, inner = variable.path.partition("/")
            name = f"{layer.name}/{_COUNTER.sub('', inner)}"
            assert name not in found, f"{name} is the name of two variables"
            found[name] = variable
    return found


def assign(model: "keras.Model", tensors: Mapping[str, NDArray[np.float32]]) -> None:
    """Give a model the weights ``tensors``, named as :func:`variables` names them.

    Raises:
        KeyError: one is missing.
    """
    for name, variable in variables(model).items():
        variable.assign(tensors[name])
    for layer in model.layers:
        # What it normalises by is not the variables themselves but what was made of them.
        if isinstance(layer, keras.layers.Normalization):
            layer.finalize_state()


def _keep_to_inference(layer: "keras.Layer") -> None:
    """Make a layer infer even while the model around it trains.

    Batch normalisation would else use and track the statistics of small batches, and the dropout of a base was meant
    for its own training. Passing ``training=False`` when the layers are called is not enough: Keras overrules it by
    what the whole model is called with.
    """
    if "training" not in layer._call_signature.parameters:
        return
    call = layer.call

    def infer(*values: Any, training: bool | None = None, **options: Any) -> Any:
        return call(*values, training=False, **options)

    layer.call = infer


def _count(operation: Any) -> int:
    counter = _COUNTER.search(operation.name)
    return int(counter[1]) if counter else 0


def snake_case(name: str) -> str:
    """What Keras makes of a class's name: ``conv2d`` of ``Conv2D``, ``re_lu`` of ``ReLU``."""
    return re.sub("([a-z])([A-Z])", r"\1_\2", re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)).lower()
