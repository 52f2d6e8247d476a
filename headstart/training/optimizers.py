"""Optimizers whose update is one pass over the weights.

A flattened head on VGG16's features has millions of weights and next to no arithmetic, so the time of a
step is the time to move weights and moments through memory. Keras's RMSprop and Adam read and write
them once per elementary operation; TensorFlow has kernels that do the whole update in one pass, with
the same formula.
"""

from collections.abc import Sequence
from typing import Any

from headstart.base.lazy import keras, tf
from headstart.settings.schema import Optimization


def build(settings: Optimization, weights: Sequence[Any]) -> "keras.Optimizer":
    """Return Keras's optimizer of the name in ``settings`` for ``weights``, with Keras's defaults for all else.

    RMSprop (Hinton 2012) and Adam (Kingma & Ba 2015) get fused updates; SGD is one pass anyway. Weight decay is
    decoupled from the gradient (Loshchilov & Hutter 2019) and scaled by each step's learning rate. Weights of one
    dimension, biases and scales, are left out of it.

    Args:
        settings: optimizer, rate and weight decay.
        weights: Keras's variables.
    """
    kinds = {"adam": _fused_adam, "rmsprop": _fused_rmsprop, "sgd": keras.optimizers.SGD}
    optimizer = kinds[settings.optimizer](
        float(settings.learning_rate), weight_decay=settings.recipe.weight_decay or None
    )
    optimizer.exclude_from_weight_decay([weight for weight in weights if len(weight.shape) < 2])
    optimizer.build(weights)
    return optimizer


def reset(optimizer: "keras.Optimizer") -> None:
    """Make an optimizer what it was before its first step, but for the learning rate, which every step sets."""
    for variable in optimizer.variables:
        if variable is not optimizer._learning_rate:
            variable.assign(keras.ops.zeros_like(variable))


def _fused_rmsprop(learning_rate: float, weight_decay: float | None) -> "keras.Optimizer":
    class FusedRMSprop(keras.optimizers.RMSprop):  # type: ignore[misc]
        def build(self, variables: list[Any]) -> None:
            super().build(variables)
            # The operation requires a momentum; with the factor 0 it holds the last step and changes nothing.
            self._steps = self.add_optimizer_variables(variables, "step")

        def update_step(self, gradient: "tf.Tensor", variable: Any, learning_rate: "tf.Tensor") -> None:
            index = self._get_variable_index(variable)
            tf.raw_ops.ResourceApplyRMSProp(
                var=variable.handle,  # a tf.Variable: Keras unwraps it before it calls this
                ms=_handle(self._velocities[index]),
                mom=_handle(self._steps[index]),
                lr=tf.cast(learning_rate, tf.float32),
                rho=self.rho,
                momentum=0.0,
                epsilon=self.epsilon,
                grad=gradient,
            )

    return FusedRMSprop(learning_rate, weight_decay=weight_decay)


def _fused_adam(learning_rate: float, weight_decay: float | None) -> "keras.Optimizer":
    class FusedAdam(keras.optimizers.Adam):  # type: ignore[misc]
        def update_step(self, gradient: "tf.Tensor", variable: Any, learning_rate: "tf.Tensor") -> None:
            index = self._get_variable_index(variable)
            step = tf.cast(self.iterations.value + 1, tf.float32)
            tf.raw_ops.ResourceApplyAdam(
                var=variable.handle,  # a tf.Variable: Keras unwraps it before it calls this
                m=_handle(self._momentums[index]),
                v=_handle(self._velocities[index]),
                beta1_power=tf.pow(self.beta_1, step),
                beta2_power=tf.pow(self.beta_2, step),
                lr=tf.cast(learning_rate, tf.float32),
                beta1=self.beta_1,
                beta2=self.beta_2,
                epsilon=self.epsilon,
                grad=gradient,
            )

    return FusedAdam(learning_rate, weight_decay=weight_decay)


def _handle(moment: Any) -> "tf.Tensor":
    """The TensorFlow resource behind a Keras variable, which the kernels update in place."""
    return moment.value.handle
