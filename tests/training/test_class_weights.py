"""Balanced weights make classes of unequal size count the same, in the loss and in what is learned."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headstart.foundation.resume import Resumable
from headstart.models import classifier
from headstart.models.samples import Samples
from headstart.settings import params
from headstart.settings.schema import AugmentedClassifier
from headstart.training import class_weights
from headstart.training.training import Trainer, Training
from tests.pipeline import ROOT, trained_by
from tests.trainings import said

pytest_plugins = ["tests.pipeline_fixtures"]
pytestmark = pytest.mark.usefixtures("tensorflow")

PRESET = params.load(ROOT / "presets" / "quick.yaml")


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def settings(**changes: Any) -> AugmentedClassifier:
    small = {"units": 0, "dropout": 0.0, "batch_size": 1000, "epochs": 3, "patience": 0, "scaling": "none"}
    return AugmentedClassifier.model_validate(trained_by(PRESET.train_augmented, **{**small, **changes}))


def samples(counts: list[int], seed: int = 0) -> Samples:
    """Classes side by side, overlapping: the mean of each is its number."""
    labels = np.repeat(np.arange(len(counts)), counts)
    noise = np.random.default_rng(seed).normal(0, 1, (1, len(labels), 1, 1, 2))
    return Samples((labels[:, None, None, None] + noise).astype(np.float32), labels)


def fit(chosen: AugmentedClassifier, train: Samples, validation: Samples, name: str) -> tuple[Any, Training]:
    model = classifier.build(chosen, (1, 1, 2), 1.0, int(train.labels.max()) + 1, seed=1)
    return model, Trainer(model, chosen).fit(lambda epoch: train, validation, 1, Resumable(name, (), []))


def test_each_class_has_the_same_part() -> None:
    labels = np.repeat([0, 1, 2], [60, 30, 10])
    weights = class_weights.of(settings(class_weight="balanced"), labels, 3)
    assert weights is not None
    np.testing.assert_allclose(weights * [60, 30, 10], 100 / 3, rtol=1e-6)
    assert weights[labels].mean() == pytest.approx(1)
    assert class_weights.of(settings(class_weight="none"), labels, 3) is None
    # A single unit stands for two classes.
    of_two = class_weights.of(settings(class_weight="balanced"), labels[:80], 1)
    assert of_two is not None
    assert of_two.tolist() == pytest.approx([80 / 120, 2.0])


@pytest.mark.parametrize("counts", [[12, 4], [12, 6, 4]])
def test_it_is_as_if_small_classes_had_more_of_the_same_images(counts: list[int]) -> None:
    """In one step over all images: the very losses, training and validation, and the same weights after it."""
    few = samples(counts)
    times = np.repeat([12 // count for count in counts], counts)
    many = Samples(np.repeat(few.values, times, axis=1), np.repeat(few.labels, times))
    sgd = {"optimizer": "sgd", "learning_rate": 0.1}
    model, balanced = fit(settings(class_weight="balanced", **sgd), few, few, "train_augmented/one")
    other, plain = fit(settings(class_weight="none", **sgd), many, many, "train_augmented/other")
    for column in ("loss", "val_loss"):
        np.testing.assert_allclose(balanced.history[column], plain.history[column], rtol=1e-5)
    for one, another in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(one, another, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("mixup", [0.0, 0.4])
def test_the_small_class_is_found(mixup: float) -> None:
    train, test = samples([300, 15]), samples([300, 300], seed=1)
    recalls = {}
    for weight in ("none", "balanced"):
        chosen = settings(class_weight=weight, mixup=mixup, epochs=60, batch_size=32, learning_rate=0.02)
        model, _ = fit(chosen, train, train, f"train_augmented/{weight}")
        right = said(model, test.values[0]).argmax(axis=1) == test.labels
        recalls[weight] = [float(right[test.labels == label].mean()) for label in (0, 1)]
    assert recalls["none"][1] < 0.4 < 0.6 < recalls["balanced"][1]
    assert np.mean(recalls["balanced"]) > np.mean(recalls["none"]) + 0.05
