"""Where in an image a network finds evidence for a class: Grad-CAM (Selvaraju et al., ICCV 2017).

The channels of the last convolutional feature map are added up, each weighted by the mean gradient of the class's
logit with respect to it; what is below zero speaks for other classes and is dropped.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.base import base, batches
from headstart.base.lazy import keras, tf
from headstart.explaining import layers

# Images whose activations, kept for the gradient, are in memory at once.
_BATCH = 8


def heat_maps(
    whole: "keras.Model", classifier: "keras.Model", pixels: NDArray[np.uint8], classes: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Return what speaks for some classes in each image, position by position.

    It is computed on the base's own graph, so that it makes no difference which of its layers were trained.

    Args:
        whole: a base with the strategy's weights.
        classifier: from its feature maps to logits.
        pixels: RGB, uint8 (images, size, size, 3).
        classes: the classes to explain, (images, k).

    Returns:
        float32 (images, k, height, width), as many positions as the base's last feature map has before its last
        pooling. Each image's maps share one scale, from 0 to 1 at the hottest place of them all; without
        any evidence they are 0.
    """
    maps = []
    for start in range(0, len(pixels), _BATCH):
        given = (batches.padded(rows[start : start + _BATCH], _BATCH) for rows in (pixels, classes))
        maps.append(_of_batch(whole, classifier, *given))
    heat = np.concatenate(maps)[: len(pixels)]
    highest = heat.max(axis=(1, 2, 3), keepdims=True)
    scaled: NDArray[np.float32] = np.divide(heat, highest, out=np.zeros_like(heat), where=highest > 0)
    return scaled


def _of_batch(
    whole: "keras.Model", classifier: "keras.Model", pixels: NDArray[np.uint8], classes: NDArray[np.int64]
) -> NDArray[np.float32]:
    last = layers.last_map(whole)
    model = keras.Model(whole.input, [last.output, whole.output])
    values = base.preprocess(whole.name, pixels)
    tape = tf.GradientTape(persistent=True, watch_accessed_variables=False)
    with batches.by_row(whole), batches.by_row(classifier), tape, _watched_from(last, tape):
        feature_map, features = model(values, training=False)
        logits = classifier(tf.cast(features, tf.float32), training=False)
        scores = [_scores(logits, of_class) for of_class in classes.T]
    maps = []
    for score in scores:
        gradient = tf.cast(tape.gradient(score, feature_map), tf.float32)
        weights = tf.reduce_mean(gradient, axis=(1, 2), keepdims=True)  # (images, 1, 1, channels)
        maps.append(tf.nn.relu(tf.reduce_sum(weights * tf.cast(feature_map, tf.float32), axis=3)))
    return np.stack(maps, axis=1)


@contextmanager
def _watched_from(layer: "keras.Layer", tape: "tf.GradientTape") -> Iterator[None]:
    """Let a tape record what comes after a layer: else all before it would be gone through, back to the image."""
    call = layer.call

    def watched(*values: Any, **options: Any) -> Any:
        output = call(*values, **options)
        tape.watch(output)
        return output

    layer.call = watched
    try:
        yield
    finally:
        layer.call = call


def _scores(logits: "tf.Tensor", classes: NDArray[np.int64]) -> "tf.Tensor":
    """Each image's logit of its class; of two classes that share one, the first has its negative."""
    if logits.shape[1] == 1:
        return logits[:, 0] * tf.constant(2.0 * classes - 1.0, tf.float32)
    return tf.gather(logits, classes, axis=1, batch_dims=1)
