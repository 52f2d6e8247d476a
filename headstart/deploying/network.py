"""A trained model as one Keras network: raw pixels of any size in, calibrated probabilities out.

Only layers and operations that Keras brings are used, so that the file loads anywhere, in safe mode.
"""

from collections.abc import Callable

import numpy as np

from headstart.base import base
from headstart.base.lazy import keras
from headstart.foundation.framing import Fit
from headstart.images.fitting import PAD
from headstart.models import predictor
from headstart.models.description import Inference
from headstart.models.predictor import Assembled

# Of which a logarithm can be taken in float32.
_SMALLEST = 1e-37


def square_to_probabilities(assembled: Assembled, inference: Inference) -> "keras.Model":
    """Return a network from RGB images of the model's own size to calibrated probabilities.

    The model must have been built under the policy float32.

    Returns:
        From ``square``, float32 (n, size, size, 3) of 0 to 255, to float32 (n, classes).
    """
    size = assembled.description.image_size
    square = keras.Input((size, size, 3), dtype="float32", name="square")
    to_logits = _to_logits(assembled)
    views = [square, square[:, :, ::-1]] if inference.flip else [square]
    logits = [_both_classes(to_logits(view)) for view in views]
    if inference.flip:
        mean = keras.ops.mean(keras.ops.stack([keras.ops.softmax(one) for one in logits]), axis=0)
        logits = [keras.ops.log(keras.ops.maximum(mean, _SMALLEST))]
    calibrated = keras.layers.Rescaling(1 / inference.temperature, name="calibration")(logits[0])
    return keras.Model(square, keras.layers.Softmax(name="probabilities")(calibrated), name="probabilities_of_square")


def pixels_to_probabilities(square: "keras.Model", fit: Fit) -> "keras.Model":
    """Put the resizing before what :func:`square_to_probabilities` gave.

    Pillow, which the pipeline resizes with, averages in the same way but rounds to whole grey levels after the rows
    and again after the columns; this rounds once. One value in seven differs, by one level of 255.

    Returns:
        From ``pixels``, (n, height, width, 3) of 0 to 255, float32 or uint8, to float32 (n, classes).
    """
    size = square.input_shape[1]
    pixels = keras.Input((None, None, 3), dtype="float32", name="pixels")
    resizing = keras.layers.Resizing(
        size,
        size,
        interpolation="bilinear",
        antialias=True,
        crop_to_aspect_ratio=fit == "crop",
        pad_to_aspect_ratio=fit == "pad",
        fill_value=PAD,
        name="resizing",
    )
    resized = resizing(pixels)
    # Without the word the resizing layer, whose own default is to train, switches on the dropout that follows it.
    return keras.Model(pixels, square(keras.ops.round(resized), training=False), name="headstart")


def _to_logits(assembled: Assembled) -> Callable[["keras.KerasTensor"], "keras.KerasTensor"]:
    """Return a function from RGB images to logits, symbolic ones, nothing dropped on the way."""
    lower, how, model = predictor.frozen(assembled), assembled.description.extraction, assembled.model
    if lower is None or how is None:
        return lambda square: model(square, training=False)
    preprocessing = _preprocessing(how.base)
    return lambda square: model(lower(preprocessing(square), training=False), training=False)


def _preprocessing(name: str) -> "keras.Layer":
    """A base's own preprocessing as a layer: at each pixel a linear map of the channels, found by trying it."""
    tried = np.concatenate([np.zeros((1, 3)), 255 * np.eye(3)])[:, np.newaxis, np.newaxis]
    black, *colours = np.asarray(base.preprocess(name, tried), np.float64)[:, 0, 0]
    layer = keras.layers.Dense(3, trainable=False, name="preprocessing")
    layer.build((None, None, None, 3))
    layer.set_weights([(np.stack(colours) - black) / 255, black])
    return layer


def _both_classes(logits: "keras.KerasTensor") -> "keras.KerasTensor":
    """Logits (n, classes), of which a softmax gives the probabilities, where two classes share one unit as well."""
    if logits.shape[1] > 1:
        return logits
    return keras.ops.concatenate([keras.ops.zeros_like(logits), logits], axis=1)
