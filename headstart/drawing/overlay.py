"""A heat map laid over its image."""

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray
from PIL import Image

# How much of the image the hottest place covers, and from which of the map's colours on it is drawn: the darkest
# ones would only dim the image.
_COVER = 0.8
_COLOURS = "inferno"
_FIRST_COLOUR = 0.25


def overlay(pixels: NDArray[np.uint8], heat: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return the image, uint8 (height, width, 3), bright where much speaks for the class, and as it is elsewhere.

    The heat, from 0 to 1, float32, of any size, is enlarged smoothly.
    """
    height, width = pixels.shape[:2]
    smooth = np.asarray(Image.fromarray(heat).resize((width, height), Image.Resampling.BICUBIC)).clip(0, 1)
    colours = 255 * mpl.colormaps[_COLOURS](_FIRST_COLOUR + (1 - _FIRST_COLOUR) * smooth)[..., :3]
    cover = _COVER * smooth[..., np.newaxis]
    laid: NDArray[np.uint8] = np.rint((1 - cover) * pixels + cover * colours).astype(np.uint8)
    return laid
