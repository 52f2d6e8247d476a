"""Files of PyTorch's older layout, written here byte by byte; hostile ones among them."""

import hashlib
import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headstart.base.weights import Tensors
from headstart.fetching.mirrors import MirrorError
from headstart.pretrained import pytorch
from headstart.pretrained.imagenet import CANONICAL
from headstart.pretrained.readers import Pickled, read
from headstart.pretrained.shapes import Shapes
from tests.pretrained.from_registry import fetched

SHAPES: Shapes = {
    "conv/kernel": (3, 3, 2, 4),
    "bn/gamma": (4,),
    "bn/beta": (4,),
    "bn/moving_mean": (4,),
    "bn/moving_variance": (4,),
    "dw/kernel": (5, 5, 4, 1),
}
LAYERS = {"conv": "_conv_stem", "bn": "_bn0", "dw": "_depthwise_conv"}
HEADER = (
    b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."  # PyTorch's magic number
    b"\x80\x02M\xe9\x03."  # version 1001 of the layout
    + pickle.dumps({"protocol_version": 1001, "little_endian": True, "type_sizes": {"int": 4}}, 2)
)


def imported(module: str, name: str) -> bytes:
    return f"c{module}\n{name}\n".encode()


def number(value: int) -> bytes:
    return b"J" + value.to_bytes(4, "little", signed=True)


def text(value: str) -> bytes:
    return b"X" + len(value).to_bytes(4, "little") + value.encode()


def tuple_of(*values: bytes) -> bytes:
    return b"(" + b"".join(values) + b"t"


EMPTY = imported("collections", "OrderedDict") + b")R"


def storage(key: str, length: int, kind: str = "FloatStorage", module: str = "torch") -> bytes:
    return tuple_of(text("storage"), imported(module, kind), text(key), text("cpu"), number(length), b"N") + b"Q"


def tensor(source: bytes, shape: tuple[int, ...], strides: tuple[int, ...], offset: int = 0) -> bytes:
    sides, steps = (tuple_of(*map(number, values)) for values in (shape, strides))
    arguments = tuple_of(source, number(offset), sides, steps, b"\x89", EMPTY)
    return imported("torch._utils", "_rebuild_tensor_v2") + arguments + b"R"


def file_of(tensors: dict[str, bytes], storages: dict[str, bytes], lengths: dict[str, int] | None = None) -> bytes:
    """A file with tensors as pickles describe them, and the bytes of their storages."""
    items = b"".join(text(name) + value for name, value in tensors.items())
    described = b"\x80\x02" + EMPTY + b"(" + items + b"u" + b"}" + text("_metadata") + EMPTY + b"sb."
    found = HEADER + described + pickle.dumps(list(storages), 2)
    for key, values in storages.items():
        length = (lengths or {}).get(key, len(values) // 4)
        found += length.to_bytes(8, "little") + values
    return found


def written(tensors: Tensors) -> bytes:
    """A file as PyTorch writes it: kernels turned from TensorFlow's order without being copied, counters among them."""
    described, storages = {}, {}
    for place, (name, values) in enumerate(tensors.items()):
        layer, variable = name.split("/")
        theirs = {"kernel": "weight", "gamma": "weight", "beta": "bias"}
        theirs |= {"moving_mean": "running_mean", "moving_variance": "running_var"}
        key = str(place)
        turned = values
        if values.ndim == 4:
            turned = values.transpose((2, 3, 0, 1) if values.shape[-1] == 1 else (3, 2, 0, 1))
        strides = tuple(step // 4 for step in turned.strides)
        described[f"{LAYERS[layer]}.{theirs[variable]}"] = tensor(storage(key, values.size), turned.shape, strides)
        storages[key] = values.tobytes()
    described["_bn0.num_batches_tracked"] = tensor(storage("counter", 1, "LongStorage"), (), ())
    return file_of(described, storages | {"counter": bytes(8)}, {"counter": 1})


def random_tensors() -> Tensors:
    random = np.random.default_rng(0)
    return {name: random.normal(size=shape).astype(np.float32) for name, shape in SHAPES.items()}


def known(content: bytes) -> Pickled:
    return Pickled(hashlib.sha256(content).hexdigest(), LAYERS)


def test_tensors_come_in_keras_order(tmp_path: Path) -> None:
    tensors = random_tensors()
    content = written(tensors)
    (tmp_path / "weights").write_bytes(content)
    found = read(tmp_path / "weights", SHAPES, known(content))
    assert list(found) == list(tensors)
    for name, values in tensors.items():
        np.testing.assert_array_equal(found[name], values)


def test_only_the_known_file_is_looked_into(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = written(random_tensors())
    (tmp_path / "weights").write_bytes(content)
    looked = []
    monkeypatch.setattr(pytorch, "read", lambda file: looked.append(file))
    with pytest.raises(MirrorError, match=r"^a PyTorch file, and of this base none is known$"):
        read(tmp_path / "weights", SHAPES)
    with pytest.raises(MirrorError, match=r"^wrong content: SHA-256 is [0-9a-f]{12}…, expected [0-9a-f]{12}…$"):
        read(tmp_path / "weights", SHAPES, known(content + b"\0"))
    assert looked == []


def test_a_tensor_that_is_missing_or_of_another_shape(tmp_path: Path) -> None:
    for change, reason in (
        ({"bn/beta": (5,)}, r"bn/beta is float32 \(4,\), expected float32 \(5,\)"),
        ({"conv/beta": (4,)}, "holds no conv/beta"),
    ):
        content = written(random_tensors())
        (tmp_path / "weights").write_bytes(content)
        with pytest.raises(MirrorError, match=f"^{reason}$"):
            read(tmp_path / "weights", {**SHAPES, **change}, known(content))


GOOD = tensor(storage("s", 4), (4,), (1,))
ONE = {"s": bytes(16)}
HOSTILE: dict[str, tuple[bytes, str]] = {
    "a call of another function": (
        file_of({"a": imported("os", "system") + tuple_of(text("touch sprung")) + b"R"}, ONE),
        "calls something else",
    ),
    "a call of what was called": (file_of({"a": EMPTY + b")R"}, ONE), "calls something else"),
    "a dictionary that is not empty": (
        file_of({"a": imported("collections", "OrderedDict") + tuple_of(tuple_of()) + b"R"}, ONE),
        "calls something else",
    ),
    "an object": (file_of({"a": imported("os", "PathLike") + b")\x81"}, ONE), "the instruction NEWOBJ"),
    "a global of the stack": (file_of({"a": text("os") + text("system") + b"\x93"}, ONE), "instruction STACK_GLOBAL"),
    "something that is no tensor": (file_of({"a": text("a")}, ONE), "not a dictionary of tensors"),
    "a name that is no text": (HEADER + b"\x80\x02}" + tuple_of(EMPTY) + GOOD + b"s.", "a name that is no text"),
    "another type": (file_of({"a": tensor(storage("s", 4, "HalfStorage"), (4,), (1,))}, ONE), "another kind"),
    "a type from elsewhere": (
        file_of({"a": tensor(storage("s", 4, module="os"), (4,), (1,))}, ONE),
        "a storage of another kind",
    ),
    "a tensor of no storage": (file_of({"a": tensor(text("s"), (4,), (1,))}, ONE), "a tensor of another kind"),
    "more than its storage": (file_of({"a": tensor(storage("s", 4), (5,), (1,))}, ONE), "not in its storage"),
    "a step out of its storage": (file_of({"a": tensor(storage("s", 4), (2, 2), (3, 1))}, ONE), "not in its storage"),
    "what is behind its storage": (file_of({"a": tensor(storage("s", 4), (4,), (1,), 1)}, ONE), "not in its storage"),
    "what is before its storage": (file_of({"a": tensor(storage("s", 4), (1,), (1,), -1)}, ONE), "another kind"),
    "steps backwards": (file_of({"a": tensor(storage("s", 4), (2,), (-1,), 3)}, ONE), "a tensor of another kind"),
    "no steps": (file_of({"a": tensor(storage("s", 4), (2**30, 2**30), (0, 0))}, ONE), "not in its storage"),
    "many axes": (file_of({"a": tensor(storage("s", 4), (1,) * 1000, (1,) * 1000)}, ONE), "a tensor of another kind"),
    "a longer storage than there is": (file_of({"a": tensor(storage("s", 5), (5,), (1,))}, ONE), "another length"),
    "a storage that is cut off": (file_of({"a": GOOD}, ONE)[:-1], "more or less"),
    "something after the storages": (file_of({"a": GOOD}, ONE) + b".", "more or less"),
    "another layout": (HEADER.replace(b"M\xe9\x03", b"M\xea\x03") + file_of({"a": GOOD}, ONE)[len(HEADER) :], "layout"),
    "a machine of another kind": (
        HEADER.replace(b"little_endianq\x02\x88", b"little_endianq\x02\x89") + file_of({"a": GOOD}, ONE)[len(HEADER) :],
        "not of PyTorch's older layout",
    ),
    "a pickle of very many instructions": (HEADER + b"\x80\x02" + b"N" * 200_001 + b".", "too long a pickle"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_file_is_refused_and_runs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.chdir(tmp_path)
    content, reason = HOSTILE[kind]
    Path("weights").write_bytes(content)
    with pytest.raises(MirrorError, match=reason):
        read(Path("weights"), SHAPES, known(content))
    assert [file.name for file in tmp_path.iterdir()] == ["weights"]


def test_a_number_of_the_memo_takes_no_memory(tmp_path: Path) -> None:
    """Python's own unpickler makes room for as many as the highest number says."""
    content = file_of({"a": GOOD + b"r\xff\xff\xff\x7f"}, ONE)
    (tmp_path / "weights").write_bytes(content)
    assert list(pytorch.read(tmp_path / "weights")) == ["a"]


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_file_is_refused_or_has_tensors_of_the_right_shapes(tmp_path: Path, data: st.DataObject) -> None:
    """Were its digest known: as it is, nothing damaged is looked into."""
    content = bytearray(written(random_tensors()))
    at = data.draw(st.integers(0, len(content) - 1))
    if data.draw(st.booleans()):
        del content[at:]
    else:
        content[at] ^= data.draw(st.integers(1, 255))
    (tmp_path / "weights").write_bytes(content)
    try:
        found = read(tmp_path / "weights", SHAPES, known(bytes(content)))
    except MirrorError:
        return
    assert {name: values.shape for name, values in found.items()} == SHAPES


@pytest.mark.registry
@pytest.mark.parametrize("name", [name for name, base in CANONICAL.items() if base.pickled])
def test_weights_from_the_registry(tmp_path: Path, name: str) -> None:
    base = CANONICAL[name]
    assert list(fetched(tmp_path, base, base.mirrors)) == list(base.shapes)
