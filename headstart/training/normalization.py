"""The statistics by which batch normalization normalises, estimated anew for weights that training never had.

Moving averages follow the weights as they train. Averaged weights give other activations, so that they need means and
variances of their own: those over the training images, computed in one more pass (Izmailov et al. 2018, Averaging
weights leads to wider optima and better generalization, section 3.2).
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from headstart.base import compiling
from headstart.base.lazy import keras, tf
from headstart.models.samples import Batch


class Statistics:
    """Means and variances of the batch-normalization layers that training changes."""

    def __init__(self, model: "keras.Model") -> None:
        """Take a model that has not begun to train."""
        self._model = model
        self._layers = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
        self._forward: Any = None
        self.begin()

    def begin(self) -> None:
        """Begin a training: changed is what differs from the present values."""
        self._at_first = [_values(layer) for layer in self._layers]

    @contextmanager
    def estimated(self, batches: Callable[[], Iterable[Batch]]) -> Iterator[None]:
        """Let the model have the statistics of its present weights for a block; afterwards it has its own again.

        Args:
            batches: gives the training examples; called only where training changed some statistics. It never changes
                a base's, which runs in inference mode.
        """
        own = [_values(layer) for layer in self._layers]
        changed = [
            layer
            for layer, now, before in zip(self._layers, own, self._at_first, strict=True)
            if any((one != other).any() for one, other in zip(now, before, strict=True))
        ]
        if changed:
            self._estimate(changed, batches())
        try:
            yield
        finally:
            for layer, values in zip(self._layers, own, strict=True):
                _assign(layer, values)

    def _estimate(self, layers: list[Any], batches: Iterable[Batch]) -> None:
        """Give layers the mean over all batches, each weighted by its examples."""
        forward = self._forward or self._compile(layers)
        self._forward = forward
        counts, found = [], []
        for values, _ in batches:
            forward(values)
            counts.append(len(values))
            found.append([_values(layer) for layer in layers])
        for number, layer in enumerate(layers):
            of_layer = zip(*(of_batch[number] for of_batch in found), strict=True)
            _assign(layer, [np.average(np.stack(each), axis=0, weights=counts) for each in of_layer])

    def _compile(self, layers: list[Any]) -> Callable[[Any], "tf.Tensor"]:
        """Return a function that leaves each layer with the statistics of a batch."""
        model = self._model

        def forward(values: "tf.Tensor") -> "tf.Tensor":
            # A momentum of 0, compiled in: each batch replaces the statistics of the one before.
            momenta = [layer.momentum for layer in layers]
            for layer in layers:
                layer.momentum = 0.0
            outputs = model(tf.cast(values, model.input.dtype), training=True)
            for layer, momentum in zip(layers, momenta, strict=True):
                layer.momentum = momentum
            return outputs

        return compiling.compiled_for_rows(forward)


def _values(layer: Any) -> list[np.ndarray]:
    return [layer.moving_mean.value.numpy(), layer.moving_variance.value.numpy()]


def _assign(layer: Any, values: list[np.ndarray]) -> None:
    for variable, value in zip((layer.moving_mean, layer.moving_variance), values, strict=True):
        variable.assign(value.astype(np.float32))
