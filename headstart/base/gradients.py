"""Gradients that are the same in every run.

Where a tensor is used several times, its gradient is a sum. TensorFlow takes such a sum with one operation, ``AddN``,
which begins with whichever summand's memory it may reuse. That depends on which operations have finished, so on their
times: of three summands or more the last digits would differ from run to run, the deterministic operations of
:mod:`~headstart.base.runtime` notwithstanding.
"""

from collections.abc import Sequence

from headstart.base.lazy import tf


def compute(of: "tf.Tensor", by: Sequence["tf.Tensor | tf.Variable"]) -> "list[tf.Tensor]":
    """Return the gradient of a scalar by each of some tensors and variables, in a function that is being compiled.

    Sums are taken two at a time, in the order in which the tensors were used.
    """
    gradients: list[tf.Tensor] = tf.gradients(of, list(by), aggregation_method=tf.AggregationMethod.EXPERIMENTAL_TREE)
    return gradients
