"""A moving average of the weights, which is often better than the weights that training ends at.

Averages of iterates go back to Polyak & Juditsky (1992); the exponential kind is that of Szegedy et al. (2016).
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from headstart.base.lazy import keras, tf


class Average:
    """The exponential moving average of weights."""

    def __init__(self, decay: float, weights: Sequence[Any]) -> None:
        """Prepare the average of weights, which begins at their present values.

        Args:
            decay: the part of the average that stays in each step; 0 for no average.
            weights: Keras's variables.
        """
        self._decay = decay
        self._pairs = [(weight, keras.Variable(weight.value.numpy(), trainable=False)) for weight in weights if decay]

    @property
    def variables(self) -> list[Any]:
        """The averages, in the order of the weights; none where there is no average."""
        return [average for _, average in self._pairs]

    def begin(self) -> None:
        """Begin anew, at the present values."""
        for weight, average in self._pairs:
            average.assign(weight)

    def update(self, step: "tf.Tensor") -> None:
        """Take the present values in.

        Args:
            step: number of the step, from 1. In the early ones less of the average stays, as with
                TensorFlow's ``ExponentialMovingAverage(num_updates=…)``, so that the start is soon forgotten.
        """
        if self._pairs:
            number = tf.cast(step, tf.float32)
            stays = tf.minimum(self._decay, (1 + number) / (10 + number))
            for weight, average in self._pairs:
                average.assign_sub((1 - stays) * (average - weight))

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Give the weights their averages for a block; afterwards they have their own values again."""
        own = [weight.value.numpy() for weight, _ in self._pairs]
        for weight, average in self._pairs:
            weight.assign(average)
        try:
            yield
        finally:
            for (weight, _), value in zip(self._pairs, own, strict=True):
                weight.assign(value)
