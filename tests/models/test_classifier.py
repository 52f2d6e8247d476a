"""The classifier is what params.yaml says, its loss Keras's, whatever the precision of the base."""

from typing import Any

import numpy as np
import pytest

from headstart.base import runtime
from headstart.models import classifier
from headstart.settings import params
from headstart.settings.schema import Classifier
from tests.pipeline import ROOT

pytest_plugins = ["tests.pipeline_fixtures"]
pytestmark = pytest.mark.usefixtures("tensorflow")

SHAPE = (2, 3, 5)
QUICK = params.load(ROOT / "presets" / "quick.yaml").train_head


def settings(**changes: Any) -> Classifier:
    return Classifier.model_validate(QUICK.model_dump() | {"units": 4} | changes)


def build(chosen: Classifier, classes: int = 3, rms: float = 1.0, seed: int = 0) -> Any:
    return classifier.build(chosen, SHAPE, rms, classes, seed)


def weighted(model: Any) -> list[str]:
    return [layer.name for layer in model.layers if layer.weights]


def test_layers_are_those_of_the_settings() -> None:
    with_all = build(settings())
    assert weighted(with_all) == ["hidden", "logits"]
    assert with_all.get_layer("dropout").rate == QUICK.dropout
    bare = build(settings(units=0, dropout=0.0, scaling="none"))
    assert [layer.name for layer in bare.layers] == ["features", "pooling", "logits"]


@pytest.mark.parametrize("scaling", ["none", "linear", "log"])
def test_scaling(scaling: str) -> None:
    """Every scaling in front of the same weights: the logits are those of the scaled features."""
    rms = 40.0
    values = np.random.default_rng(0).normal(0, rms, (5, *SHAPE)).astype(np.float32)
    scaled = {
        "none": values,
        "linear": values / rms,
        "log": np.sign(values) * np.log1p(np.abs(values / rms)),
    }
    expected = build(settings(scaling="none"))(scaled[scaling])
    np.testing.assert_allclose(build(settings(scaling=scaling), rms=rms)(values), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("pooling", "inputs"), [("flatten", 30), ("average", 5)])
def test_pooling(pooling: str, inputs: int) -> None:
    model = build(settings(pooling=pooling))
    assert model.get_layer("hidden").kernel.shape == (inputs, 4)


@pytest.mark.parametrize("activation", ["linear", "relu", "gelu", "elu", "tanh"])
def test_activation(activation: str) -> None:
    import keras

    hidden = build(settings(activation=activation)).get_layer("hidden")
    assert hidden.activation is keras.activations.get(activation)


@pytest.mark.parametrize(("classes", "units"), [(2, 1), (3, 3), (1000, 1000)])
def test_two_classes_share_a_unit(classes: int, units: int) -> None:
    assert build(settings(), classes).output_shape == (None, units)


def test_dropout_drops_in_training_only() -> None:
    model = build(settings(units=0, dropout=0.5))
    values = np.ones((4, *SHAPE), np.float32)
    still = [np.asarray(model(values, training=False)) for _ in range(2)]
    moving = [np.asarray(model(values, training=True)) for _ in range(2)]
    np.testing.assert_array_equal(still[0], still[1])
    assert (moving[0] != moving[1]).any()


def test_the_seed_decides_the_weights() -> None:
    def weights(seed: int) -> list[Any]:
        return [weight.value.numpy() for weight in build(settings(), seed=seed).weights]

    for one, other in zip(weights(1), weights(1), strict=True):
        np.testing.assert_array_equal(one, other)
    assert (weights(1)[0] != weights(2)[0]).any()


@pytest.mark.parametrize("scaling", ["none", "linear", "log"])
def test_it_computes_in_float32_whatever_the_base(scaling: str) -> None:
    values = np.random.default_rng(0).normal(0, 40, (5, *SHAPE)).astype(np.float32)
    expected = build(settings(scaling=scaling), rms=40.0)(values)
    runtime.set_policy("mixed_bfloat16")
    model = build(settings(scaling=scaling), rms=40.0)
    assert {layer.compute_dtype for layer in model.layers[1:]} == {"float32"}
    np.testing.assert_array_equal(model(values), expected)


def logits(classes: int, images: int = 50) -> Any:
    import tensorflow as tf

    units = classifier.output_units(classes)
    return tf.constant(np.random.default_rng(0).normal(0, 5, (images, units)), tf.float32)


def labels(classes: int, images: int = 50) -> Any:
    return np.random.default_rng(1).integers(0, classes, images)


@pytest.mark.parametrize("classes", [2, 3, 10])
def test_probabilities_are_those_of_sigmoid_or_softmax(classes: int) -> None:
    values = np.asarray(logits(classes), np.float64)
    exponentials = np.exp(np.concatenate([np.zeros_like(values), values], axis=1) if classes == 2 else values)
    expected = exponentials / exponentials.sum(axis=1, keepdims=True)
    found = np.asarray(classifier.probabilities(logits(classes)))
    assert found.shape == (50, classes)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("classes", [2, 3, 10])
def test_the_loss_is_that_of_keras(classes: int) -> None:
    import keras

    kind = keras.losses.BinaryCrossentropy if classes == 2 else keras.losses.SparseCategoricalCrossentropy
    truth = labels(classes)
    expected = kind(from_logits=True, reduction=None)(truth[:, None], logits(classes))
    found = classifier.loss(truth, logits(classes))
    assert found.shape == (50,)
    np.testing.assert_allclose(found, np.reshape(expected, 50), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("classes", [2, 3, 10])
def test_the_loss_is_minus_the_logarithm_of_the_probability(classes: int) -> None:
    truth = labels(classes)
    given = np.asarray(classifier.probabilities(logits(classes)), np.float64)[np.arange(50), truth]
    np.testing.assert_allclose(classifier.loss(truth, logits(classes)), -np.log(given), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("classes", [2, 3, 10])
def test_label_smoothing_is_that_of_keras(classes: int) -> None:
    import keras

    truth = labels(classes)
    kind = keras.losses.BinaryCrossentropy if classes == 2 else keras.losses.CategoricalCrossentropy
    targets = truth[:, None] if classes == 2 else keras.ops.one_hot(truth, classes)
    expected = kind(from_logits=True, label_smoothing=0.1, reduction=None)(targets, logits(classes))
    found = classifier.loss(truth, logits(classes), smoothing=0.1)
    np.testing.assert_allclose(found, np.reshape(expected, 50), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("classes", [2, 3, 10])
def test_correct_is_the_likeliest_class(classes: int) -> None:
    truth = labels(classes)
    likeliest = np.asarray(classifier.probabilities(logits(classes))).argmax(axis=1)
    found = np.asarray(classifier.correct(truth, logits(classes)))
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, likeliest == truth)


@pytest.mark.parametrize("classes", [2, 3])
def test_extreme_logits_stay_finite(classes: int) -> None:
    import tensorflow as tf

    units = classifier.output_units(classes)
    extreme = tf.constant([[1e4] * (units - 1) + [-1e4], [-1e4] * (units - 1) + [1e4]], tf.float32)
    assert np.isfinite(classifier.loss(np.array([0, 1]), extreme)).all()
    rows = np.asarray(classifier.probabilities(extreme))
    assert np.isfinite(rows).all()
    np.testing.assert_allclose(rows.sum(axis=1), 1, rtol=1e-6)


def test_a_tie_of_two_classes_is_the_first() -> None:
    """As :func:`scoring.predicted_classes` has it, so that training and evaluation agree."""
    import tensorflow as tf

    undecided = tf.zeros((2, 1))
    assert np.asarray(classifier.correct(np.array([0, 1]), undecided)).tolist() == [1, 0]
