"""Heat maps are what the paper says, in every kind of network, and lie on what decides."""

import contextlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import spearmanr

from headstart.base import base, runtime
from headstart.explaining import grad_cam
from headstart.foundation.resume import Resumable
from headstart.models import classifier, models
from headstart.models.samples import Samples
from headstart.settings import params
from headstart.training.training import Trainer
from tests.networks import branched, open_ended, straight
from tests.pipeline import ROOT
from tests.policies import needs_bfloat16

pytest_plugins = ["tests.pipeline_fixtures"]
pytestmark = pytest.mark.usefixtures("tensorflow")

PIXELS = np.random.default_rng(0).integers(0, 256, (5, 16, 16, 3), np.uint8)
PLAIN = params.load(ROOT / "presets" / "quick.yaml").train_head.model_copy(
    update={"scaling": "none", "pooling": "average", "units": 0, "dropout": 0.0}
)


def head(whole: Any, classes: int = 3, **changes: Any) -> Any:
    settings = PLAIN.model_copy(update=changes)
    return classifier.build(settings, tuple(whole.output_shape[1:]), 2.5, classes, seed=1)


def every(classes: int) -> NDArray[np.int64]:
    return np.tile(np.arange(classes), (len(PIXELS), 1))


@pytest.mark.parametrize("classes", [2, 3])
def test_after_average_pooling_it_is_the_class_activation_map(classes: int) -> None:
    """Selvaraju et al., section 3.1: Grad-CAM is then that of Zhou et al. (2016), the channels by their own weights."""
    whole = open_ended()
    top = head(whole, classes)
    channels = np.asarray(whole(base.preprocess(whole.name, PIXELS)))
    kernel = top.get_layer("logits").get_weights()[0]
    kernel = np.concatenate([-kernel, kernel], axis=1) if classes == 2 else kernel
    expected = np.maximum(np.einsum("nhwc,ck->nkhw", channels, kernel), 0)
    expected /= expected.max(axis=(1, 2, 3), keepdims=True)
    found = grad_cam.heat_maps(whole, top, PIXELS, every(classes))
    np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize("network", [straight, branched, open_ended])
@pytest.mark.parametrize("pooling", ["average", "flatten"])
@pytest.mark.parametrize("scaling", ["none", "linear", "log"])
def test_maps_have_the_size_of_the_last_one_and_one_scale(network: Any, pooling: str, scaling: str) -> None:
    whole = network()
    top = head(whole, pooling=pooling, scaling=scaling, units=4)
    found = grad_cam.heat_maps(whole, top, PIXELS, every(3))
    assert found.dtype == np.float32
    assert found.shape == (5, 3, 8, 8)
    assert found.min() >= 0
    highest = found.max(axis=(1, 2, 3))
    assert set(highest.tolist()) <= {0.0, 1.0}, "nothing may speak for any class"


def test_of_two_classes_what_speaks_for_one_speaks_against_the_other() -> None:
    whole = straight()
    found = grad_cam.heat_maps(whole, head(whole, 2), PIXELS, every(2))
    assert (found[:, 0] * found[:, 1] == 0).all()
    assert found.any()


def test_classes_are_explained_in_the_order_asked_for() -> None:
    whole = straight()
    top = head(whole)
    in_order = grad_cam.heat_maps(whole, top, PIXELS, every(3))
    turned = grad_cam.heat_maps(whole, top, PIXELS, every(3)[:, ::-1])
    np.testing.assert_allclose(turned, in_order[:, ::-1], atol=1e-6)


def test_without_any_evidence_there_is_no_heat() -> None:
    whole = straight()
    top = head(whole)
    logits = top.get_layer("logits")
    logits.set_weights([np.zeros_like(weight) for weight in logits.get_weights()])
    assert not grad_cam.heat_maps(whole, top, PIXELS, every(3)).any()


def test_batches_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = straight()
    top = head(whole)
    together = grad_cam.heat_maps(whole, top, PIXELS, every(3))
    monkeypatch.setattr(grad_cam, "_BATCH", 2)
    np.testing.assert_allclose(grad_cam.heat_maps(whole, top, PIXELS, every(3)), together, atol=1e-6)


def test_how_many_images_come_at_once_makes_no_difference() -> None:
    whole = straight()
    top = head(whole)
    together = grad_cam.heat_maps(whole, top, PIXELS, every(3))
    alone = [grad_cam.heat_maps(whole, top, PIXELS[[row]], every(3)[[row]]) for row in range(len(PIXELS))]
    np.testing.assert_array_equal(np.concatenate(alone), together)


@needs_bfloat16
def test_half_precision_gives_the_same_maps_in_full() -> None:
    whole = straight()
    top = head(whole)
    full = grad_cam.heat_maps(whole, top, PIXELS, every(3))
    runtime.set_policy("mixed_bfloat16")
    half = straight()
    half.set_weights(whole.get_weights())
    found = grad_cam.heat_maps(half, top, PIXELS, every(3))
    assert found.dtype == np.float32
    assert np.corrcoef(found.ravel(), full.ravel())[0, 1] > 0.98


@pytest.mark.parametrize("unfreeze", range(6))
def test_it_makes_no_difference_what_was_unfrozen(unfreeze: int) -> None:
    whole = straight()
    top = head(whole)
    expected = grad_cam.heat_maps(whole, top, PIXELS, every(3))
    found = grad_cam.heat_maps(whole, models.classifier_of(models.join(whole, top, unfreeze)), PIXELS, every(3))
    np.testing.assert_array_equal(found, expected)


class Trained(NamedTuple):
    """A network that learned to tell red blobs from blue ones, wherever they are.

    Attributes:
        whole: its base, with random weights.
        top: its classifier.
        pixels: images, (images, size, size, 3).
        labels: their classes.
        blobs: where in each image the blob is, bool (images, size, size).
    """

    whole: Any
    top: Any
    pixels: NDArray[np.uint8]
    labels: NDArray[np.int64]
    blobs: NDArray[np.bool_]


SIZE, BLOB = 64, 16


@pytest.fixture
def trained(tmp_path: Path) -> Trained:
    random = np.random.default_rng(0)
    pixels = random.integers(100, 130, (40, SIZE, SIZE, 3), np.uint8)
    blobs = np.zeros(pixels.shape[:3], np.bool_)
    labels = np.arange(len(pixels)) % 2
    for picture, blob, label in zip(pixels, blobs, labels, strict=True):
        row, column = random.integers(0, SIZE - BLOB, 2)
        blob[row : row + BLOB, column : column + BLOB] = True
        picture[blob] = ((40, 40, 230), (230, 40, 40))[label]
    whole = straight(SIZE)
    features = np.asarray(whole(base.preprocess(whole.name, pixels)))
    top = head(whole, 2, scaling="linear")
    samples = Samples(features[np.newaxis], labels)
    settings = PLAIN.model_copy(update={"learning_rate": 0.01, "epochs": 60, "patience": 0})
    with contextlib.chdir(tmp_path):
        done = Trainer(top, settings).fit(lambda epoch: samples, samples, 0, Resumable("train_head", (), []))
    assert done.best["val_accuracy"] == 1
    return Trained(whole, top, pixels, labels, blobs)


def test_it_lies_on_what_decides(trained: Trained) -> None:
    heat = grad_cam.heat_maps(trained.whole, trained.top, trained.pixels, trained.labels[:, np.newaxis])[:, 0]
    heat = np.kron(heat, np.ones((SIZE // heat.shape[-1],) * 2, np.float32))
    on_blob = (heat * trained.blobs).sum(axis=(1, 2)) / heat.sum(axis=(1, 2))
    by_chance = trained.blobs.mean()
    assert np.median(on_blob) > 3 * by_chance


def test_random_top_layers_give_other_maps(trained: Trained) -> None:
    """Adebayo et al. (2018): a map that does not change with the model's weights says nothing about the model."""
    whole, top, pixels, labels, _ = trained
    before = grad_cam.heat_maps(whole, top, pixels, labels[:, np.newaxis])
    random = np.random.default_rng(0)
    similarity = []
    for layer in (top.get_layer("logits"), whole.get_layer("conv3"), whole.get_layer("conv2")):
        layer.set_weights([random.permutation(weight.ravel()).reshape(weight.shape) for weight in layer.get_weights()])
        after = grad_cam.heat_maps(whole, top, pixels, labels[:, np.newaxis])
        pairs = [(one.ravel(), other.ravel()) for one, other in zip(before, after, strict=True)]
        # A map that has become the same everywhere has nothing in common with what it was.
        similarity.append(np.mean([spearmanr(*pair).statistic if np.ptp(pair[1]) else 0.0 for pair in pairs]))
    assert max(similarity) < 0.6
