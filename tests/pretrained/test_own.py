"""Weights of the user's own are taken from whatever Keras writes, from a base alone or from a model built on it."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headstart.base import base, network, weights
from headstart.base.bases import KINDS
from headstart.base.origin import Origin
from headstart.base.weights import Tensors
from headstart.fetching.mirrors import MirrorError
from headstart.pretrained import own
from stages import backbone

pytest_plugins = ["tests.pipeline_fixtures"]
pytestmark = pytest.mark.usefixtures("tensorflow")


def drawn(name: str) -> tuple[Any, Tensors]:
    """A base whose every tensor is like no other, as anyone would build it, and these tensors."""
    model = network.construct(name, KINDS[name].least_size)
    random = np.random.default_rng(1)
    tensors = {
        key: random.uniform(0.1, 1.0, variable.shape).astype(np.float32)
        for key, variable in network.variables(model).items()
    }
    network.assign(model, tensors)
    return model, tensors


def on_top(model: Any) -> Any:
    """A classifier that shares the layers of the base."""
    import keras

    return keras.Model(model.input, keras.layers.Dense(3)(keras.layers.GlobalAveragePooling2D()(model.output)))


def around(model: Any) -> Any:
    """A classifier with the base as one of its layers, that has been trained: its optimizer's moments are saved too."""
    import keras

    images = keras.Input(model.input_shape[1:])
    values = keras.layers.Conv2D(3, 1)(images)  # the first of its class is none of the base's
    outer = keras.Model(images, keras.layers.Dense(3)(keras.layers.GlobalAveragePooling2D()(model(values))))
    outer.compile("adam", "mse")
    outer.optimizer.build(outer.trainable_variables)
    return outer


FILES = ("mine.weights.h5", "mine.h5", "mine.keras")
BUILDS: dict[str, Callable[[Any], Any]] = {"alone": lambda model: model, "on_top": on_top, "around": around}


def saved(model: Any, file: Path) -> Path:
    """Saved as Keras does by the file's name: the weights alone, or all of the model."""
    if file.name.endswith(".weights.h5"):
        model.save_weights(file)
    else:
        model.save(file)
    return file


# A base with names that Keras makes up, and one whose layers are named by hand.
@pytest.mark.filterwarnings("ignore:.*legacy:UserWarning", "ignore::UserWarning:keras")
@pytest.mark.parametrize(
    ("name", "build", "file"),
    [
        *[("mobilenet_v3_small", build, file) for build in BUILDS.values() for file in FILES],
        ("efficientnet_lite0", BUILDS["around"], FILES[0]),
    ],
)
def test_whatever_keras_writes_is_read(name: str, build: Callable[[Any], Any], file: str, tmp_path: Path) -> None:
    model, tensors = drawn(name)
    found = own.read(name, saved(build(model), tmp_path / file))
    assert list(found) == list(tensors)
    for key, values in tensors.items():
        np.testing.assert_array_equal(found[key], values)


def test_the_stage_takes_them_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    name = "efficientnet_lite0"
    model, tensors = drawn(name)
    weights.save(Path("mine.npz"), tensors)
    written = backbone.write_weights(name, "mine.npz", Path("base.npz"), Path("downloads"))
    sha256 = hashlib.sha256(Path("mine.npz").read_bytes()).hexdigest()
    assert written.origin == Origin(base=name, weights="own", sha256=sha256)
    assert written.origin.in_words() == f"weights of your own, SHA-256 {sha256}"
    assert written.line == f"weights of your own from mine.npz, SHA-256 {sha256}"
    images = np.random.default_rng(0).uniform(-1, 1, (2, 32, 32, 3)).astype(np.float32)
    taken = base.build(name, weights.load(Path("base.npz")), 32)
    np.testing.assert_array_equal(taken(images), model(images))


def test_what_does_not_fit_is_told_tensor_by_tensor(tmp_path: Path) -> None:
    tensors = drawn("vgg16")[1]
    del tensors["block1_conv1/kernel"]
    tensors["block1_conv2/kernel"] = tensors["block1_conv2/kernel"][:1]
    for number in (1, 2, 3):
        tensors[f"block5_conv{number}/bias"] = tensors[f"block5_conv{number}/bias"].astype(np.float16)
    tensors = {key: values for key, values in tensors.items() if not key.startswith("block4")}
    np.savez(tmp_path / "mine.npz", **tensors)  # type: ignore[arg-type]
    with pytest.raises(MirrorError) as caught:
        own.read("vgg16", tmp_path / "mine.npz")
    assert str(caught.value) == (
        "holds no block1_conv1/kernel; block1_conv2/kernel is float32 (1, 3, 64, 64), expected float32 (3, 3, 64, 64); "
        "holds no block4_conv1/kernel; holds no block4_conv1/bias; holds no block4_conv2/kernel; and 6 other tensors"
    )


def test_values_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    tensors = drawn("vgg16")[1]
    tensors["block3_conv1/bias"][7] = np.nan
    np.savez(tmp_path / "mine.npz", **tensors)  # type: ignore[arg-type]
    with pytest.raises(MirrorError, match=r"^block3_conv1/bias holds values that are no numbers$"):
        own.read("vgg16", tmp_path / "mine.npz")
