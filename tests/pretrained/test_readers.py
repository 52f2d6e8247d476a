"""Files of models, of which nothing but the base's tensors is read; what Keras itself writes among them."""

import json
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from headstart.base import network
from headstart.base.weights import Tensors
from headstart.fetching.mirrors import MirrorError
from headstart.pretrained.readers import read
from headstart.pretrained.shapes import Shapes
from tests.pretrained.test_imagenet import SHAPES, assert_same, small_tensors, write_h5, write_keras

pytest_plugins = ["tests.pipeline_fixtures"]


def base_of_every_kind() -> Any:
    """A small network with the kinds of layers that Xception has, no variable like another."""
    import keras

    image = keras.Input((8, 8, 3))
    inner = keras.layers.Conv2D(4, 3, use_bias=False, name="first")(image)
    inner = keras.layers.BatchNormalization(name="first_bn")(inner)
    inner = keras.layers.SeparableConv2D(5, 3, use_bias=False, name="second")(inner)
    inner = keras.layers.ReLU(name="second_act")(inner)
    inner = keras.layers.BatchNormalization(name="second_bn")(inner)
    inner = keras.layers.Conv2D(2, 1, name="third")(inner)
    found = keras.Model(image, inner, name="small")
    random = np.random.default_rng(0)
    for variable in found.weights:
        variable.assign(random.uniform(0.5, 1.5, variable.shape))
    return found


def tensors_of(model: Any) -> Tensors:
    return {name: np.asarray(variable.value) for name, variable in network.variables(model).items()}


def shapes_of(tensors: Tensors) -> Shapes:
    return {name: values.shape for name, values in tensors.items()}


@pytest.mark.usefixtures("tensorflow")
def test_the_base_is_read_from_a_model_that_keras_saved(tmp_path: Path) -> None:
    """With layers of the same kinds before and after it, whose weights have the same names in the file."""
    import keras

    base = base_of_every_kind()
    image = keras.Input((10, 10, 3))
    outer = base(keras.layers.Conv2D(3, 3, name="before")(image), training=False)
    outer = keras.layers.Dense(2)(keras.layers.BatchNormalization()(outer))
    model = keras.Model(image, outer)
    model.compile("adam", "mse")
    model.save(tmp_path / "model.keras")
    tensors = tensors_of(base)
    assert_same(read(tmp_path / "model.keras", shapes_of(tensors)), tensors)
    base.save(tmp_path / "base.keras")
    assert_same(read(tmp_path / "base.keras", shapes_of(tensors)), tensors)


@pytest.mark.usefixtures("tensorflow")
def test_weights_of_an_older_keras_are_read_by_their_order(tmp_path: Path) -> None:
    """As Keras reads its own files: those of Xception are of 2016, and what they call things has changed since."""
    from keras.src.legacy.saving import legacy_h5_format

    base = base_of_every_kind()
    with h5py.File(tmp_path / "old.h5", "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, base)
    tensors = {f"layer{number}/of_today": values for number, values in enumerate(tensors_of(base).values())}
    assert_same(read(tmp_path / "old.h5", shapes_of(tensors)), tensors)


def test_order_counts_only_where_there_is_nothing_but_the_base(tmp_path: Path) -> None:
    tensors = small_tensors()
    file = write_h5(tmp_path / "weights.h5", tensors, "Keras 2")
    with h5py.File(file, "a") as archive:
        archive["top/top/kernel:0"] = np.ones(3, np.float32)
        layers = ["top", "block1_conv2", "block1_conv1"]
        archive.attrs["layer_names"] = layers
        for layer in layers:
            variables = ["kernel:0"] if layer == "top" else ["bias:0", "kernel:0"]
            archive[layer].attrs["weight_names"] = [f"{layer}/{variable}" for variable in variables]
    assert_same(read(file, SHAPES), tensors)


@pytest.mark.parametrize("kind", ["h5", "keras"])
def test_values_in_other_files_are_not_followed(tmp_path: Path, kind: str) -> None:
    """Neither through a link nor through a data set that says that its values are elsewhere."""
    tensors = small_tensors()
    with h5py.File(tmp_path / "elsewhere.h5", "w") as other:
        other["kernel"] = tensors["block1_conv1/kernel"]
    (tmp_path / "raw").write_bytes(tensors["block1_conv1/kernel"].tobytes())
    place = "block1_conv1/kernel:0" if kind == "h5" else "layers/functional/layers/conv2d/vars/0"
    for way in ("link", "raw"):
        file = tmp_path / "weights.h5"
        if kind == "h5":
            write_h5(file, tensors, "flat")
        else:
            with zipfile.ZipFile(write_keras(tmp_path / "whole.keras", tensors)) as archive:
                file.write_bytes(archive.read("model.weights.h5"))
        with h5py.File(file, "a") as target:
            del target[place]
            if way == "link":
                target[place] = h5py.ExternalLink(str(tmp_path / "elsewhere.h5"), "kernel")
            else:
                shape = SHAPES["block1_conv1/kernel"]
                target.create_dataset(place, shape, "<f4", external=[(str(tmp_path / "raw"), 0, 432)])
        if kind == "keras":
            file = with_member(tmp_path, "model.weights.h5", file.read_bytes())
        with pytest.raises(MirrorError, match=r"^holds no block1_conv1/kernel$"):
            read(file, SHAPES)


def with_member(folder: Path, name: str, content: bytes, compression: int = zipfile.ZIP_STORED) -> Path:
    """A ``.keras`` file with another member."""
    whole, changed = write_keras(folder / "whole.keras", small_tensors()), folder / "changed.keras"
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(changed, "w") as target:
        for member in source.namelist():
            if member == name:
                target.writestr(member, content, compression)
            else:
                target.writestr(member, source.read(member))
    return changed


@pytest.mark.parametrize("name", ["config.json", "model.weights.h5"])
def test_a_member_that_could_unpack_to_more_than_the_file_is_refused(tmp_path: Path, name: str) -> None:
    file = with_member(tmp_path, name, bytes(1_000_000), zipfile.ZIP_DEFLATED)
    with pytest.raises(MirrorError, match=rf"^{name} is compressed$"):
        read(file, SHAPES)


def test_a_description_of_unusual_length_is_not_read(tmp_path: Path) -> None:
    with pytest.raises(MirrorError, match=r"^config\.json: more than the expected 10,000,000 bytes$"):
        read(with_member(tmp_path, "config.json", bytes(10_000_001)), SHAPES)


@pytest.mark.parametrize(
    ("description", "reason"),
    [
        ({"config": {"layers": []}}, "holds no model with the base's layers"),
        ({"config": {}}, r"not readable as a \.keras or \.npz file \(KeyError\)"),
        ([], r"not readable as a \.keras or \.npz file \(TypeError\)"),
    ],
)
def test_a_description_of_something_else(tmp_path: Path, description: object, reason: str) -> None:
    with pytest.raises(MirrorError, match=rf"^{reason}$"):
        read(with_member(tmp_path, "config.json", json.dumps(description).encode()), SHAPES)


def test_a_description_nested_without_end_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MirrorError, match=r"\(RecursionError\)$"):
        read(with_member(tmp_path, "config.json", b"[" * 1_000_000), SHAPES)
