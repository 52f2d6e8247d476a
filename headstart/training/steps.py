"""The steps of a training: compiled, each at the rate that its schedule says, on mixed examples where asked for."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.base import compiling, gradients
from headstart.base.lazy import keras, tf
from headstart.models import classifier
from headstart.models.samples import Batch
from headstart.settings.schema import Optimization
from headstart.training import mixing, optimizers, schedules
from headstart.training.averaging import Average
from headstart.training.class_weights import ClassWeights
from headstart.training.layerwise import Group
from headstart.training.mixing import Mixture
from headstart.training.normalization import Statistics

Step = Callable[[NDArray[np.generic], NDArray[np.int64]], "tf.Tensor"]


class Steps:
    """The steps of a model's trainings, one training after another.

    Attributes:
        average: of the weights.
    """

    def __init__(self, model: "keras.Model", groups: Sequence[Group], settings: Optimization) -> None:
        """Prepare the optimizers: one a group, so that each has a rate and a beginning of its own.

        Args:
            model: from inputs to logits.
            groups: what trains of it, in the order in which it begins to.
            settings: all about the training; examples are mixed where its recipe asks for it.
        """
        self.average = Average(settings.recipe.average, model.trainable_variables)
        self._statistics = Statistics(model)
        self._model = model
        self._groups = groups
        self._settings = settings
        self._seed = 0
        self._optimizers = [optimizers.build(settings, group.weights) for group in groups]
        self._factor: float | None = None
        self._compiled: dict[int, Any] = {}

    @property
    def variables(self) -> list[Any]:
        """What changes in training beside the model's own variables."""
        return [variable for optimizer in self._optimizers for variable in optimizer.variables] + self.average.variables

    def begin(self, seed: int) -> None:
        """Begin a training, from the present weights of the model: what earlier ones left is forgotten.

        Args:
            seed: decides the mixtures.
        """
        self._seed = seed
        self._factor = None
        for optimizer in self._optimizers:
            optimizers.reset(optimizer)
        self.average.begin()
        self._statistics.begin()

    @contextmanager
    def averaged(self, batches: Callable[[], Iterable[Batch]]) -> Iterator[None]:
        """Give the model the average of its weights for a block, and the statistics that go with it.

        Args:
            batches: gives the training examples, from which batch normalization takes these.
        """
        with self.average.applied():
            if not self.average.variables:
                yield
                return
            with self._statistics.estimated(batches):
                yield

    def of_epoch(self, epoch: int, count: int, weights: ClassWeights | None = None) -> Step:
        """Return the function that does an epoch's steps, one after another.

        It takes a batch: values (examples, …) and labels (examples,). It returns the sum of the losses and how many
        examples it got right, float32 (2,); a mixture's label is the one with the larger part.

        Args:
            epoch: its number, from 0.
            count: how many steps it has.
            weights: of the classes, if they don't count the same.
        """
        mixes = mixing.asked(self._settings.recipe)
        active = sum(group.start <= epoch for group in self._groups)
        if active not in self._compiled:
            self._compiled[active] = self._compile(active)
        numbers = itertools.count()

        def step(values: NDArray[np.generic], labels: NDArray[np.int64]) -> "tf.Tensor":
            number = next(numbers)
            self._set_rate(schedules.factor(self._settings, epoch * count + number, count))
            mixture = mixing.draw(mixes, values.shape, [self._seed, 3, epoch, number]) if mixes else None
            return self._compiled[active](values, labels, None if weights is None else weights[labels], mixture)

        return step

    def _set_rate(self, factor: float) -> None:
        if factor != self._factor:
            for optimizer, group in zip(self._optimizers, self._groups, strict=True):
                optimizer.learning_rate = self._settings.learning_rate * group.factor * factor
            self._factor = factor

    def _compile(self, active: int) -> Any:
        """Compile the step that trains the first ``active`` groups. The others take no part, and cost no gradient."""
        model = self._model
        parts = list(zip(self._optimizers, self._groups, strict=True))[:active]
        trained = [weight for _, group in parts for weight in group.weights]

        def step(
            values: "tf.Tensor", labels: "tf.Tensor", weights: "tf.Tensor | None", mixture: Mixture | None
        ) -> "tf.Tensor":
            if mixture is not None:
                values = mixing.mix(values, mixture)
            logits = model(tf.cast(values, model.input.dtype), training=True)
            losses = self._losses(labels, logits, weights, mixture)
            by_weight = iter(gradients.compute(tf.reduce_mean(losses), [weight.value for weight in trained]))
            for optimizer, group in parts:
                optimizer.apply([next(by_weight) for _ in group.weights], group.weights)
            self.average.update(self._optimizers[0].iterations.value)
            right = classifier.correct(_dominant(labels, mixture), logits)
            return tf.stack([tf.reduce_sum(losses), tf.reduce_sum(right)])

        return compiling.compiled_for_rows(step)

    def _losses(
        self, labels: "tf.Tensor", logits: "tf.Tensor", weights: "tf.Tensor | None", mixture: Mixture | None
    ) -> "tf.Tensor":
        def weighted(labels: "tf.Tensor", weights: "tf.Tensor | None") -> "tf.Tensor":
            losses = classifier.loss(labels, logits, self._settings.recipe.label_smoothing)
            return losses if weights is None else losses * weights

        losses = weighted(labels, weights)
        if mixture is None:
            return losses
        # Cross-entropy is linear in the label, so that of a mixed label is the mixture of both.
        of_partners = weighted(
            tf.gather(labels, mixture.partners),
            None if weights is None else tf.gather(weights, mixture.partners),
        )
        return mixture.share * losses + (1 - mixture.share) * of_partners


def _dominant(labels: "tf.Tensor", mixture: Mixture | None) -> "tf.Tensor":
    if mixture is None:
        return labels
    return tf.where(mixture.share >= 0.5, labels, tf.gather(labels, mixture.partners))
