"""What each layer of a base makes of one image, channel by channel (Chollet, Deep Learning with Python, 3rd ed., 10.1).

Early layers keep the picture, as edges and colours; later ones keep less of it and more of what is in it, and more
and more of their channels find nothing in a given image.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from headstart.base import base
from headstart.base.lazy import keras
from headstart.explaining.spacing import spaced

# Of a channel's positions, those that are not cut off.
_VISIBLE = 0.99


class Maps(NamedTuple):
    """Some channels of a layer's output for one image."""

    layer: str  # its name
    shape: tuple[int, int, int]  # (height, width, channels) of the whole output
    values: NDArray[np.float32]  # of the channels shown, float32 (shown, height, width)
    silent: int  # how many of all channels are zero at every position


def activations(
    whole: "keras.Model", layers: Sequence["keras.Layer"], pixels: NDArray[np.uint8], channels: int
) -> list[Maps]:
    """Return what ``layers`` of a base give for an image, uint8 (size, size, 3).

    At most ``channels`` are kept of each layer, evenly spaced over all it has: those are the same for every image, and
    show how many find nothing, as the most active ones would not.
    """
    model = keras.Model(whole.input, {layer.name: layer.output for layer in layers})
    outputs = model(base.preprocess(whole.name, pixels[np.newaxis]), training=False)
    return [_maps(layer.name, np.asarray(outputs[layer.name][0], np.float32), channels) for layer in layers]


def stretched(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scale each channel of (channels, height, width) separately to 0 to 1, so that faint ones can be seen.

    A few positions, often along the image's rim, would leave nothing but themselves visible: the largest
    hundredth is cut off. A channel that is the same everywhere becomes 0.
    """
    low, highest = values.min(axis=(1, 2), keepdims=True), values.max(axis=(1, 2), keepdims=True)
    high = np.quantile(values, _VISIBLE, axis=(1, 2), keepdims=True).astype(np.float32)
    span = np.where(high > low, high, highest) - low
    scaled: NDArray[np.float32] = np.clip((values - low) / np.where(span > 0, span, 1), 0, 1)
    return scaled


def _maps(layer: str, output: NDArray[np.float32], channels: int) -> Maps:
    height, width, count = output.shape
    return Maps(
        layer=layer,
        shape=(height, width, count),
        values=np.moveaxis(output[..., spaced(count, channels)], -1, 0),
        silent=int((output == 0).all(axis=(0, 1)).sum()),
    )
