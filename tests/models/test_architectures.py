"""The networks are the ones of the books: layer by layer, to the last weight."""

import functools
import math
from typing import Any, get_args

import numpy as np
import pytest

from headstart.base import runtime
from headstart.foundation.errors import InputError
from headstart.foundation.framing import Framing
from headstart.models import architectures, classifier
from headstart.models.architectures import ARCHITECTURES, Network
from headstart.settings import params
from headstart.settings.schema import Scratch
from tests.pipeline import ROOT

pytest_plugins = ["tests.pipeline_fixtures"]
pytestmark = pytest.mark.usefixtures("tensorflow")

QUICK = params.load(ROOT / "presets" / "quick.yaml").train_scratch
NAMES = list(ARCHITECTURES)


def network(architecture: str, **changes: Any) -> Network:
    usual = {"image_size": max(32, ARCHITECTURES[architecture].least), "channels": 3, "dropout": 0.5}
    # Not validated, so that sizes may be too small.
    return Network.model_construct(**{**usual, "architecture": architecture, "policy": "float32", **changes})


def build(architecture: str, classes: int = 3, seed: int = 1, **changes: Any) -> Any:
    return architectures.build(network(architecture, **changes), classes, seed)


@functools.cache
def built(architecture: str) -> Any:
    """A network of three classes, for tests that leave it as it is: deep ones take seconds to build."""
    return build(architecture)


def noise(size: int, images: int = 2) -> Any:
    return np.random.default_rng(0).integers(0, 256, (images, size, size, 3)).astype(np.float32)


def convolution(kernel: int, channels: int, filters: int) -> int:
    """Weights of a convolution with a bias."""
    return kernel * kernel * channels * filters + filters


def dense(values: int, units: int) -> int:
    return values * units + units


def normalised(kernel: int, channels: int, filters: int) -> int:
    """Weights of a convolution without a bias and of the batch normalization on it: scale, shift, two averages."""
    return kernel * kernel * channels * filters + 4 * filters


CONVNET = sum(map(convolution, [3] * 5, [3, 32, 64, 128, 256], [32, 64, 128, 256, 256]))
SMALL = sum(map(convolution, [3] * 3, [1, 32, 64], [32, 64, 128]))
VGG = sum(map(convolution, [3] * 4, [3, 32, 32, 64], [32, 32, 64, 64]))
RESNET = (
    normalised(7, 3, 64)
    + 3 * (normalised(3, 64, 64) + normalised(3, 64, 64))
    + (normalised(3, 64, 128) + normalised(3, 128, 128) + normalised(1, 64, 128))
    + 3 * (normalised(3, 128, 128) + normalised(3, 128, 128))
    + (normalised(3, 128, 256) + normalised(3, 256, 256) + normalised(1, 128, 256))
    + 5 * (normalised(3, 256, 256) + normalised(3, 256, 256))
    + (normalised(3, 256, 512) + normalised(3, 512, 512) + normalised(1, 256, 512))
    + 2 * (normalised(3, 512, 512) + normalised(3, 512, 512))
)


@pytest.mark.parametrize(
    ("name", "size", "channels", "classes", "by_hand", "known"),
    [
        # 180 less 2 is 178, halved 89, 87, 43, 41, 20, 18, 9, 7: seven by seven maps of 256 enter the classifier.
        ("convnet", 180, 3, 2, CONVNET + dense(7 * 7 * 256, 1), 991_041),
        # 28, 26, 13, 11, 5, 3.
        ("convnet_small", 28, 1, 10, SMALL + dense(3 * 3 * 128, 10), 104_202),
        # 28, 26, 24, 22.
        ("convnet_no_pooling", 28, 1, 10, SMALL + dense(22 * 22 * 128, 10), 712_202),
        # 32, 16, 8.
        ("vgg_small", 32, 3, 10, VGG + dense(8 * 8 * 64, 512) + dense(512, 256) + dense(256, 10), 2_297_130),
        # What PyTorch's resnet34 has without its classifier, 21,284,672, and the moving averages.
        ("resnet34", 64, 3, 10, RESNET + dense(512, 10), 21_284_672 + 2 * 8_512 + 5_130),
    ],
)
def test_weights_are_counted_by_hand(
    name: str, size: int, channels: int, classes: int, by_hand: int, known: int
) -> None:
    model = build(name, classes, image_size=size, channels=channels)
    assert model.count_params() == by_hand == known


def test_batch_normalization_trains_scale_and_shift_and_keeps_averages() -> None:
    model = built("resnet34")
    kept = sum(math.prod(weight.shape) for weight in model.non_trainable_weights)
    assert kept == 2 * 8_512
    assert {weight.name for weight in model.non_trainable_weights} == {"moving_mean", "moving_variance"}


def test_resnet34_has_34_layers() -> None:
    names = [layer.name for layer in built("resnet34").layers if layer.name.endswith(("_conv", "logits"))]
    assert len([name for name in names if "skip" not in name]) == 34
    assert len([name for name in names if "skip" in name]) == 3


def test_a_residual_unit_adds_to_what_enters_it() -> None:
    """Take away all that its convolutions say, and what entered is what leaves."""
    import keras

    model = build("resnet34")
    for number in (1, 2, 3):
        model.get_layer(f"unit1_{number}_second_norm").gamma.assign(np.zeros(64))
    inner = keras.Model(
        model.input, [model.get_layer(name).output for name in ("stem_pool", "unit1_3_relu", "unit2_1_relu")]
    )
    entering, leaving, halved = inner(noise(32))
    assert entering.shape == leaving.shape == (2, 8, 8, 64)
    assert halved.shape == (2, 4, 4, 128)
    np.testing.assert_array_equal(leaving, entering)


def test_params_offer_every_architecture() -> None:
    assert list(get_args(Scratch.model_fields["architecture"].annotation)) == NAMES


@pytest.mark.parametrize("name", ["convnet", "vgg_small"])
def test_two_classes_share_a_unit_and_more_have_one_each(name: str) -> None:
    size = network(name).image_size
    for classes, units in ((2, 1), (3, 3)):
        logits = build(name, classes)(noise(size))
        assert logits.shape == (2, units)
        assert classifier.probabilities(logits).shape == (2, classes)


@pytest.mark.parametrize("name", ["convnet_small", "resnet34"])
def test_in_bfloat16_weights_and_logits_are_float32(name: str) -> None:
    runtime.set_policy("mixed_bfloat16")
    model = build(name, policy="mixed_bfloat16")
    assert model.output.dtype == "float32"
    assert model.layers[-2].compute_dtype == "bfloat16"
    assert {weight.dtype for weight in model.weights} == {"float32"}


@pytest.mark.parametrize("name", NAMES)
def test_every_weight_trains(name: str) -> None:
    import tensorflow as tf

    model = build(name, dropout=0.0)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(classifier.loss(np.array([0, 1]), model(noise(model.input_shape[1]), training=True)))
    for weight, gradient in zip(model.trainable_weights, tape.gradient(loss, model.trainable_variables), strict=True):
        assert np.abs(gradient).max() > 0, weight.path


@pytest.mark.parametrize("name", NAMES)
def test_the_seed_decides_the_weights(name: str) -> None:
    one, same = built(name), build(name)
    for mine, again in zip(one.weights, same.weights, strict=True):
        np.testing.assert_array_equal(mine, again)
    kernels = [np.asarray(weight).ravel() for weight in one.weights if weight.path.endswith("kernel")]
    assert len({kernel[:8].tobytes() for kernel in kernels}) == len(kernels), "no two layers begin alike"


def test_another_seed_is_another_network() -> None:
    for mine, others in zip(built("convnet_small").weights, build("convnet_small", seed=2).weights, strict=True):
        assert (np.asarray(mine) != np.asarray(others)).any() == mine.path.endswith("kernel")


@pytest.mark.parametrize(("name", "dropped"), [("convnet", 1), ("vgg_small", 4), ("resnet34", 1)])
def test_dropout_stands_where_it_should(name: str, dropped: int) -> None:
    assert len([layer for layer in built(name).layers if layer.name.endswith("dropout")]) == dropped


@pytest.mark.parametrize("name", ["convnet_small", "vgg_small"])
def test_dropout_acts_in_training_alone_and_only_if_asked_for(name: str) -> None:
    model, images = built(name), noise(network(name).image_size)
    np.testing.assert_array_equal(model(images, training=False), model(images, training=False))
    assert (np.asarray(model(images, training=True)) != np.asarray(model(images, training=True))).any()
    assert not [layer for layer in build(name, dropout=0.0).layers if layer.name.endswith("dropout")]


def test_grey_images_enter_by_one_channel_and_keep_their_values() -> None:
    """Scaled to 1, and a coloured pixel as bright as Pillow makes it."""
    import keras
    from PIL import Image

    model = build("convnet_small", channels=1)
    entering = keras.Model(model.input, model.get_layer("rescaling").output)
    pixels = noise(32, images=1)
    grey = np.repeat(pixels[..., :1], 3, axis=-1)
    np.testing.assert_allclose(entering(grey), grey[..., :1] / 255, atol=1e-6)
    expected = np.asarray(Image.fromarray(pixels[0].astype(np.uint8)).convert("L"))
    np.testing.assert_allclose(255 * np.asarray(entering(pixels))[0, ..., 0], expected, atol=0.51)


@pytest.mark.parametrize("name", NAMES)
def test_the_least_size_is_told(name: str) -> None:
    least = ARCHITECTURES[name].least
    architectures.check_size(QUICK.model_copy(update={"architecture": name, "image_size": least}), "train_scratch")
    message = (
        rf"^params\.yaml: train_scratch\.image_size: found {least - 1}, but {name} needs {least} pixels or more: "
        r"raise it, or choose another train_scratch\.architecture$"
    )
    with pytest.raises(InputError, match=message):
        architectures.check_size(
            QUICK.model_copy(update={"architecture": name, "image_size": least - 1}), "train_scratch"
        )


@pytest.mark.parametrize("name", ["convnet", "convnet_small", "convnet_no_pooling", "vgg_small"])
def test_one_pixel_less_leaves_a_layer_nothing_to_see(name: str) -> None:
    build(name, image_size=ARCHITECTURES[name].least)
    with pytest.raises(ValueError, match=r"."):
        build(name, image_size=ARCHITECTURES[name].least - 1)


@pytest.mark.parametrize(("grey", "channels", "word"), [(True, 1, "grey"), (False, 3, "colour")])
def test_a_network_is_described_by_its_settings(grey: bool, channels: int, word: str) -> None:
    described = architectures.describe(QUICK, Framing(QUICK.image_size, "pad", 4095), "float32", grey)
    assert described.channels == channels
    assert described.framing == Framing(28, "pad", 4095)
    assert {name: getattr(described, name) for name in ("architecture", "image_size", "dropout")} == QUICK.model_dump(
        include={"architecture", "image_size", "dropout"}
    )
    assert architectures.in_words(described) == f"convnet_small at 28 × 28 pixels, {word}"
