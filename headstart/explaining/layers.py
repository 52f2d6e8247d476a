"""Which layers of a base have something to show, found by their kind and shape, whatever the base.

``base.layers`` is in the order of computation, in a graph with branches too. A layer whose output is a single
position, such as those in the squeeze-and-excite blocks of newer bases, has no map to look at.
"""

from collections.abc import Sequence

from headstart.base.lazy import keras
from headstart.explaining.spacing import spaced
from headstart.foundation.errors import InputError

# The layers whose activations are shown at the most: all of VGG19 or ResNet50.
MOST = 60


def seen(base: "keras.Model") -> list["keras.Layer"]:
    """Return every convolution and every pooling layer that has a map to show, in the order of computation."""
    pooling = (keras.layers.MaxPooling2D, keras.layers.AveragePooling2D)
    found = _convolutions(base)
    return [layer for layer in base.layers if layer in found or (isinstance(layer, pooling) and _has_map(layer))]


def thinned(layers: Sequence["keras.Layer"]) -> list["keras.Layer"]:
    """Return the layers, or where nobody would look at so many, MOST of them, evenly spaced."""
    return [layers[place] for place in spaced(len(layers), MOST)]


def last_map(base: "keras.Model") -> "keras.Layer":
    """Return the last layer that has the resolution of the last convolution.

    That is the convolution itself in VGG16, before its pooling; where normalisation, a sum with a shortcut or an
    activation follow, it is the last of these.
    """
    side = _side(_convolutions(base)[-1])
    return next(layer for layer in reversed(base.layers) if _has_map(layer) and _side(layer) == side)


def chosen(base: "keras.Model", names: str | Sequence[str]) -> list["keras.Layer"]:
    """Return the convolutions that ``explain.layers`` names.

    ``auto`` is the first one at each resolution, in VGG16 the first of each block.

    Raises:
        InputError: one of them is no convolution of the base.
    """
    convolutions = _convolutions(base)
    if names == "auto":
        return list({_side(layer): layer for layer in reversed(convolutions)}.values())[::-1]
    known = {layer.name: layer for layer in convolutions}
    for name in names:
        if name not in known:
            raise InputError(
                f"params.yaml: explain.layers: {base.name} has no convolution {name!r}; it has {', '.join(known)}"
            )
    return [known[name] for name in names]


def _convolutions(base: "keras.Model") -> list["keras.Layer"]:
    kinds = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D, keras.layers.SeparableConv2D)
    return [layer for layer in base.layers if isinstance(layer, kinds) and _has_map(layer)]


def _has_map(layer: "keras.Layer") -> bool:
    shape = layer.output.shape
    return len(shape) == 4 and shape[1] > 1


def _side(layer: "keras.Layer") -> int:
    return int(layer.output.shape[1])
