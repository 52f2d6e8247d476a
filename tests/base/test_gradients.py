"""Gradients are TensorFlow's own, and no sum in them has an order that depends on how fast the machine was."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from headstart.base import gradients
from headstart.models import classifier
from headstart.settings import params
from headstart.settings.schema import AugmentedClassifier
from headstart.training import layerwise
from headstart.training.steps import Steps
from tests.pipeline import ROOT, trained_by

pytest_plugins = ["tests.pipeline_fixtures"]
pytestmark = pytest.mark.usefixtures("tensorflow")

RANDOM = np.random.default_rng(0)


def summands(run: Callable[[], object]) -> list[int]:
    """How many tensors each ``AddN`` adds of the functions that ``run`` calls, as TensorFlow has rewritten them."""
    from tensorflow.python.eager import context  # no public module tells

    context.enable_run_metadata()
    try:
        run()
        metadata = context.export_run_metadata()
    finally:
        context.disable_run_metadata()
    graphs = [function.post_optimization_graph for function in metadata.function_graphs]
    nodes = [node for graph in graphs for node in graph.node]
    nodes += [node for graph in graphs for called in graph.library.function for node in called.node_def]
    assert nodes
    return [node.attr["N"].i for node in nodes if node.op == "AddN"]


def several_uses(values: Any) -> Any:
    """A function with a gradient of seven summands, and a sum of seven of its own."""
    import tensorflow as tf

    return tf.reduce_sum(tf.add_n([tf.sin(values * factor) for factor in range(1, 8)]))


def test_gradients_are_those_of_a_tape() -> None:
    import tensorflow as tf

    values = tf.Variable(RANDOM.normal(size=(3, 4)).astype(np.float32))
    other = tf.constant(RANDOM.normal(size=4).astype(np.float32))
    with tf.GradientTape() as tape:
        tape.watch(other)
        result = several_uses(values * other)
    expected = tape.gradient(result, [values, other])
    found = tf.function(lambda: gradients.compute(several_uses(values * other), [values, other]))()
    for one, wanted in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, wanted, rtol=1e-5, atol=1e-5)


def test_a_gradient_of_many_summands_adds_two_at_a_time() -> None:
    import tensorflow as tf

    values = tf.constant(RANDOM.normal(size=(3, 4)).astype(np.float32))
    forward = tf.function(several_uses)
    assert summands(lambda: forward(values)) == [7]  # a sum of many is seen where there is one
    function = tf.function(lambda values: gradients.compute(tf.reduce_sum(values * several_uses(values)), [values]))
    sums = summands(lambda: function(values))
    assert sorted(sums) == [2] * (len(sums) - 1) + [7]
    assert len(sums) > 7


def three_branches(classes: int) -> Any:
    """Three branches from one layer, as Inception has them, normalisation, and a classifier."""
    import keras

    layers = keras.layers
    image = keras.Input((8, 8, 3))
    values = layers.Conv2D(4, 3, padding="same")(image)
    values = layers.ReLU()(layers.BatchNormalization()(values))
    branches = [layers.Conv2D(4, size, padding="same", activation="relu")(values) for size in (1, 3, 5)]
    values = layers.GlobalAveragePooling2D()(layers.concatenate([*branches, values]))
    return keras.Model(image, layers.Dense(classifier.output_units(classes))(values))


@pytest.mark.parametrize("classes", [2, 3])
def test_training_adds_two_at_a_time(classes: int) -> None:
    everything = {"mixup": 0.2, "label_smoothing": 0.1, "average": 0.9, "weight_decay": 0.1}
    section = params.load(ROOT / "presets" / "quick.yaml").train_augmented
    chosen = AugmentedClassifier.model_validate(trained_by(section, **everything))
    model = three_branches(classes)
    steps = Steps(model, layerwise.together(model), chosen)
    steps.begin(seed=1)
    step = steps.of_epoch(0, 1)
    values = RANDOM.normal(size=(6, 8, 8, 3)).astype(np.float16)
    assert set(summands(lambda: step(values, np.arange(6) % classes))) <= {2}
