"""The pretrained convolutional base: building it, its preprocessing, cutting it in two.

A base takes RGB images of 0 to 255 through its own :func:`preprocess`. :func:`build` gives it whole and frozen,
:func:`between` a part of it that shares its weights. Where it is cut is an operation's name; how much of it trains is
a number of its last layers. Whatever trains, it computes as in inference: batch normalisation keeps its statistics,
nothing is dropped.
"""

import hashlib
import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from headstart.base import efficientnet_lite, graph, network
from headstart.base.bases import KINDS, nearest
from headstart.base.lazy import keras, tf
from headstart.foundation.errors import InputError


def build(name: str, weights: Mapping[str, NDArray[np.float32]], image_size: int) -> "keras.Model":
    """Build a base without its classifier, in the precision that :func:`runtime.set_policy` set.

    ``weights`` have Keras's names, ``block1_conv1/kernel`` and so on; where there are none, the base's are random.

    Returns:
        A frozen model called ``name`` from preprocessed images, float (images, size, size, 3), to feature maps
        (images, height, width, channels); for VGG16 (images, size // 32, size // 32, 512).
    """
    base = network.construct(name, image_size, drawn=not weights)
    if weights:
        network.assign(base, weights)
    base.trainable = False
    return base


def preprocess(name: str, images: "tf.Tensor") -> "tf.Tensor":
    """Turn RGB images of 0 to 255 into what the base ``name`` was trained on, float32.

    Some bases (EfficientNet, MobileNetV3, ConvNeXt) hold their preprocessing inside and take the images as they are.
    """
    kind = KINDS[name]
    if kind.constructor is None:
        return efficientnet_lite.preprocess(images)
    module = getattr(keras.applications, kind.module)
    return module.preprocess_input(tf.cast(images, tf.float32))


def between(base: "keras.Model", lower: str | None, upper: str | None) -> "keras.Model":
    """Return the part of a base that takes the output of ``lower`` and gives that of ``upper``, sharing its weights.

    ``lower`` is one of ``graph.cuts``, or None for the images; ``upper`` is any operation, or None for the last one.
    """
    names = list(graph.places(base))
    return graph.part(base, lower or names[0], upper or names[-1])


def count_unfrozen(base: "keras.Model", unfreeze: int | str) -> int:
    """Return how many of the base's last layers train.

    ``unfreeze`` is that number, the name of the first layer that trains, or ``last_block``.

    Raises:
        InputError: the base has fewer layers, or none of that name.
    """
    names = [layer.name for layer in base.layers[1:]]  # the input layer is no layer of the network
    if unfreeze == "last_block":
        return blocks(base)[0]
    if isinstance(unfreeze, str):
        _check(base, unfreeze, names, "finetune.unfreeze")
        return len(names) - names.index(unfreeze)
    if unfreeze > len(names):
        raise InputError(
            f"params.yaml: finetune.unfreeze: found {unfreeze}, but {base.name} has {len(names)} layers: "
            f"choose 0 to {len(names)}"
        )
    return unfreeze


def cut_before(base: "keras.Model", unfreeze: int | str) -> str:
    """Return the highest operation that passes on all that later ones get, with nothing that trains up to it.

    Fine-tuning starts from its output, since no unfrozen weight changes that. Layers without weights have nothing to
    train, so the cut may come after them.

    Raises:
        InputError: the base has fewer layers, or none of that name.
    """
    count = count_unfrozen(base, unfreeze)
    places = graph.places(base)
    training = [places[layer.name] for layer in base.layers[len(base.layers) - count :] if layer.weights]
    below = min(training, default=len(places))
    return [name for name in graph.cuts(base) if places[name] < below][-1]


def blocks(base: "keras.Model") -> list[int]:
    """Return how many of its last layers to unfreeze to begin at each block, the last block's number first.

    A block is what gives feature maps of one size: of VGG16 the last 4 layers, the last 8, 12, 15 and all 18.
    """
    cuts = set(graph.cuts(base))
    side, count = base.output_shape[1], 0
    counts: dict[int, int] = {}  # by the side of the block's maps
    for operation in reversed(base.operations[1:]):
        # Between two cuts paths with maps of other sizes may lie beside one another: what counts is where they meet.
        if operation.name in cuts:
            side = operation.output.shape[1]
        if isinstance(operation, keras.Layer):
            count += 1
            if operation.weights:
                counts[side] = count
    return list(counts.values())


def trunk(base: "keras.Model", setting: str) -> str | None:
    """Return the operation whose output ``extract_features.trunk`` asks to keep; None for nothing.

    ``auto`` keeps what the last block starts from; if a map shortly before it is much smaller, that one. It keeps
    nothing of a base that can't be cut anywhere near its end (NASNet).

    Raises:
        InputError: there is no operation of that name, or more than its output is needed to go on.
    """
    if setting == "none":
        return None
    if setting == "auto":
        return _before_the_last_block(base)
    places, cuts = graph.places(base), graph.cuts(base)
    _check(base, setting, list(places)[1:], "extract_features.trunk")
    if setting not in cuts:
        around = sorted(sorted(cuts[1:], key=lambda name: abs(places[name] - places[setting]))[:4], key=cuts.index)
        raise InputError(
            f"params.yaml: extract_features.trunk: {setting} of {base.name} has other layers beside it, so that its "
            f"output alone is not enough to go on from: choose `auto`, `none`, or near it {', '.join(around)}"
        )
    return setting


def digests(base: "keras.Model") -> dict[str, str]:
    """Return a digest of each of the base's variables by its name, ``block1_conv1/kernel`` and so on."""
    return {
        name: hashlib.sha256(variable.value.numpy().tobytes()).hexdigest()
        for name, variable in network.variables(base).items()
    }


def check_frozen(base: "keras.Model", before: Mapping[str, str]) -> None:
    """Check that training changed every unfrozen layer, and nothing else, ``before`` being what :func:`digests` gave.

    The statistics of batch normalisation do not train, whatever is unfrozen.

    Raises:
        InputError: an unfrozen layer did not change.
        RuntimeError: what is frozen changed: the model would not be what its description says.
    """
    changed = {name for name, digest in digests(base).items() if digest != before[name]}
    training = {id(variable) for layer in base.layers for variable in layer.trainable_variables}
    layers: dict[str, bool] = {}  # those that train, and whether they changed
    for name, variable in network.variables(base).items():
        layer = name.partition("/")[0]
        if id(variable) in training:
            layers[layer] = layers.get(layer, False) or name in changed
        elif name in changed:
            raise RuntimeError(f"{base.name}: {name} is frozen but changed")
    for layer, has_changed in layers.items():
        if not has_changed:
            raise InputError(f"params.yaml: finetune.learning_rate: too low to change {layer} of {base.name}: raise it")


def _check(base: "keras.Model", name: str, names: list[str], parameter: str) -> None:
    if name not in names:
        near = ", ".join(nearest(name, names))
        raise InputError(f"params.yaml: {parameter}: {base.name} has no layer {name!r}; nearest: {near}")


def _before_the_last_block(base: "keras.Model") -> str | None:
    last = blocks(base)[0]
    places, outputs = graph.places(base), graph.outputs(base)
    highest = places[cut_before(base, last)]
    values = {name: math.prod(outputs[name].shape[1:]) for name in graph.cuts(base) if 0 < places[name] <= highest}
    # Maps inside a block may have several times the channels of those between blocks.
    chosen = [name for name in values if values[name] <= 2 * min(values.values())]
    # Most of the base still to be run from there: it is not worth its space.
    return chosen[-1] if chosen and places[chosen[-1]] >= len(places) / 2 else None
