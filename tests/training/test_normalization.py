"""Averaged weights are measured by statistics of their own activations."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headstart.base import network
from headstart.foundation.resume import Resumable
from headstart.models.samples import Batch, Samples
from headstart.settings import params
from headstart.training.normalization import Statistics
from headstart.training.training import Trainer
from tests.pipeline import ROOT

pytest_plugins = ["tests.pipeline_fixtures"]
pytestmark = pytest.mark.usefixtures("tensorflow")

RANDOM = np.random.default_rng(0)
VALUES = RANDOM.normal(3, 2, (12, 8, 8, 3)).astype(np.float32)
LABELS = np.arange(12) % 2
QUICK = params.load(ROOT / "presets" / "quick.yaml").train_scratch


def build() -> Any:
    """A small network with two batch normalizations, one on top of the other."""
    import keras

    values = pixels = keras.Input((8, 8, 3))
    for number in (1, 2):
        initializer = keras.initializers.HeNormal(number)
        values = keras.layers.Conv2D(4, 3, kernel_initializer=initializer, name=f"conv{number}")(values)
        values = keras.layers.BatchNormalization(momentum=0.9, name=f"norm{number}")(values)
        values = keras.layers.ReLU()(values)
    values = keras.layers.GlobalAveragePooling2D()(values)
    initializer = keras.initializers.GlorotUniform(3)
    return keras.Model(pixels, keras.layers.Dense(1, kernel_initializer=initializer, dtype="float32")(values))


def statistics(model: Any) -> list[Any]:
    layers = [model.get_layer(name) for name in ("norm1", "norm2")]
    return [value.value.numpy() for layer in layers for value in (layer.moving_mean, layer.moving_variance)]


def of_all_images(model: Any) -> list[Any]:
    """Those of every image at once, layer by layer, from NumPy's own means and variances."""
    import keras

    found = []
    for name in ("norm1", "norm2"):
        layer = model.get_layer(name)
        entering = keras.Model(model.input, layer.input)(VALUES, training=False).numpy().astype(np.float64)
        found += [entering.mean(axis=(0, 1, 2)), entering.var(axis=(0, 1, 2))]
        layer.moving_mean.assign(found[-2])
        layer.moving_variance.assign(found[-1])
    return found


def test_they_are_those_of_the_training_images() -> None:
    model = build()
    estimator = Statistics(model)
    model(VALUES, training=True)  # training moves them away from where they began
    moved = statistics(model)
    with estimator.estimated(lambda: iter([(VALUES, LABELS)])):
        found = statistics(model)
    for own, before in zip(statistics(model), moved, strict=True):
        np.testing.assert_array_equal(own, before)
    for one, other in zip(found, of_all_images(model), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)
    assert model.get_layer("norm1").momentum == 0.9


def test_a_smaller_last_batch_has_its_share() -> None:
    model = build()
    estimator = Statistics(model)
    model(VALUES, training=True)
    with estimator.estimated(lambda: iter([(VALUES[:8], LABELS[:8]), (VALUES[8:], LABELS[8:])])):
        mean = statistics(model)[0]
    np.testing.assert_allclose(mean, of_all_images(model)[0], rtol=1e-4, atol=1e-5)


def test_nothing_is_computed_where_training_leaves_them_alone() -> None:
    model = build()
    for layer in model.layers:
        network._keep_to_inference(layer)
    estimator = Statistics(model)
    before = statistics(model)
    model(VALUES, training=True)

    def never() -> Iterator[Batch]:
        raise AssertionError("no example is asked for")

    with estimator.estimated(never):
        for one, other in zip(statistics(model), before, strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("average", [0.9, 0.0])
def test_a_training_leaves_averaged_weights_with_their_own_statistics(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, average: float
) -> None:
    """With as large a batch as there are images, they are those of all images; without an average, moving ones."""
    monkeypatch.chdir(tmp_path)
    recipe = QUICK.recipe.model_copy(update={"average": average})
    settings = QUICK.model_copy(
        update={"recipe": recipe, "batch_size": 12, "epochs": 5, "learning_rate": 0.05, "patience": 0}
    )
    model = build()
    samples = Samples(VALUES[np.newaxis], LABELS)
    Trainer(model, settings).fit(lambda epoch: samples, samples, 7, Resumable("train_scratch", (), []))
    found = statistics(model)
    close = [
        np.allclose(one, other, rtol=1e-3, atol=1e-3) for one, other in zip(found, of_all_images(model), strict=True)
    ]
    assert all(close) == bool(average)
