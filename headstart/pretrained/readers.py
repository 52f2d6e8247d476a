"""Reading a base's tensors out of foreign files, of which nothing is run, unpickled or trusted."""

import io
import json
import re
import zipfile
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.base.network import snake_case
from headstart.base.weights import Tensors
from headstart.fetching.digests import matching
from headstart.fetching.mirrors import MirrorError
from headstart.pretrained import pytorch
from headstart.pretrained.shapes import Shapes

if TYPE_CHECKING:
    import h5py

# Members of a ``.keras`` file.
_DESCRIPTION, _WEIGHTS = "config.json", "model.weights.h5"
# Bytes of a model's description at the most: Keras's largest base takes a tenth of it.
_DESCRIPTION_LIMIT = 10_000_000


@dataclass(frozen=True)
class Pickled:
    """The one file of PyTorch's older layout that is known to hold a base."""

    sha256: str  # hexadecimal; no other file of that layout is looked into
    layers: Mapping[str, str]  # the names in it of the base's layers


def read(file: Path, shapes: Shapes, pickled: Pickled | None = None) -> Tensors:
    """Read a base's tensors from a ``.h5`` or ``.keras`` file of Keras, an ONNX model that holds it, or our ``.npz``.

    Or from the file that ``pickled`` says. The content decides the format, not the name.

    Raises:
        MirrorError: the format is none of these, or a tensor is missing or of another shape or type.
    """
    with file.open("rb") as source:
        start = source.read(4)
    formats: dict[bytes, tuple[Callable[[Path, Shapes], Tensors], str]] = {
        b"\x89HDF": (_read_h5, "a Keras .h5 file"),
        b"PK": (_read_zip, "a .keras or .npz file"),
        pytorch.MAGIC: (partial(_read_pytorch, pickled=pickled), "a PyTorch file"),
    }
    reader, kind = next(
        (entry for magic, entry in formats.items() if start.startswith(magic)), (_read_onnx, "an ONNX model")
    )
    try:
        return reader(file, shapes)
    except MirrorError:
        raise
    except Exception as error:
        # Parsers of foreign binary data, each with errors of its own kind, down to RuntimeError.
        raise MirrorError(f"not readable as {kind} ({type(error).__name__})") from None


def _read_h5(file: Path, shapes: Shapes) -> Tensors:
    """Read Keras's file by the order of its tensors, as Keras does, or if it has others besides by their names.

    Keras has renamed layers and variables since its files of Xception and others were written, but not reordered them.
    """
    import h5py

    with h5py.File(file, "r") as archive:
        found = _datasets(archive)
        order = _order(archive)
        if len(order) == len(shapes):
            return {
                name: _checked(name, found.get(path), shape)[...]
                for (name, shape), path in zip(shapes.items(), order, strict=True)
            }
        named = {}
        for path, dataset in found.items():
            layer, _, variable = path.partition("/")
            named[f"{layer}/{_keras_variable(layer, variable.rpartition('/')[2])}"] = dataset
        return {name: _checked(name, named.get(name), shape)[...] for name, shape in shapes.items()}


def _datasets(archive: "h5py.File") -> "dict[str, h5py.Dataset]":
    """Return all datasets by their paths, but for those whose values are in other files."""
    import h5py

    found: dict[str, h5py.Dataset] = {}

    def note(path: str, item: object) -> None:  # not called for links
        if isinstance(item, h5py.Dataset) and not item.external and not item.is_virtual:
            found[path] = item

    archive.visititems(note)
    return found


def _order(archive: "h5py.File") -> list[str]:
    """Return the paths of a file's tensors in the order that the file itself names; none where it names no order."""
    layers = [_text(layer) for layer in archive.attrs.get("layer_names", ())]
    return [f"{layer}/{_text(name)}" for layer in layers for name in archive[layer].attrs.get("weight_names", ())]


def _text(name: str | bytes) -> str:
    return name.decode() if isinstance(name, bytes) else name


def _keras_variable(layer: str, variable: str) -> str:
    """``kernel`` for ``kernel:0``, and for Keras 1's ``block1_conv1_W_1:0``; ``bias`` likewise."""
    bare = variable.removesuffix(":0").removeprefix(f"{layer}_")
    return {"W": "kernel", "W_1": "kernel", "b": "bias", "b_1": "bias"}.get(bare, bare)


def _read_zip(file: Path, shapes: Shapes) -> Tensors:
    with zipfile.ZipFile(file) as archive:
        if _WEIGHTS in archive.namelist():
            return _read_keras(archive, shapes)
        room = sum(4 * int(np.prod(shape)) + 1024 for shape in shapes.values())
        if sum(member.file_size for member in archive.infolist()) > room:
            raise MirrorError("holds more than the base's weights")
    return _read_npz(file, shapes)


def _read_keras(archive: zipfile.ZipFile, shapes: Shapes) -> Tensors:
    """Read a model in which the base is a part, or the whole: a description in JSON, and weights in HDF5.

    The description only says where a layer's weights are: they are numbered there, in the order of the shapes.
    """
    import h5py

    description = archive.getinfo(_DESCRIPTION)
    for member in (description, archive.getinfo(_WEIGHTS)):
        # As Keras writes them. So no member can unpack to more than the file has.
        if member.compress_type != zipfile.ZIP_STORED:
            raise MirrorError(f"{member.filename} is compressed")
    if description.file_size > _DESCRIPTION_LIMIT:
        raise MirrorError(f"{_DESCRIPTION}: more than the expected {_DESCRIPTION_LIMIT:,} bytes")
    paths = _paths(json.loads(archive.read(_DESCRIPTION)), {_layer(name) for name in shapes})
    if paths is None:
        raise MirrorError("holds no model with the base's layers")
    numbers: Counter[str] = Counter()
    tensors: Tensors = {}
    with h5py.File(io.BytesIO(archive.read(_WEIGHTS)), "r") as weights:
        found = _datasets(weights)
        for name, shape in shapes.items():
            layer = _layer(name)
            tensors[name] = _checked(name, found.get(f"{paths[layer]}/vars/{numbers[layer]}"), shape)[...]
            numbers[layer] += 1
    return tensors


def _paths(model: dict[str, Any], layers: set[str]) -> dict[str, str] | None:
    """Return where the layers' weights are, in the first of some nested models that has all ``layers``; None for none.

    Keras calls a layer there by its class, with a number where there are several.
    """
    counts: Counter[str] = Counter()
    paths: dict[str, str] = {}
    inner = []
    for layer in model["config"]["layers"]:
        kind = snake_case(layer["class_name"])
        path = f"layers/{kind}_{counts[kind]}" if counts[kind] else f"layers/{kind}"
        counts[kind] += 1
        paths[layer["config"]["name"]] = path
        if "layers" in layer["config"]:
            inner.append((path, layer))
    if layers <= paths.keys():
        return paths
    for outer, layer in inner:
        found = _paths(layer, layers)
        if found is not None:
            return {name: f"{outer}/{path}" for name, path in found.items()}
    return None


def _layer(name: str) -> str:
    return name.partition("/")[0]


# The names that tf2onnx gives to the tensors of a convolution of a functional Keras model.
_ONNX_NAME = re.compile(r"functional_1/(?P<layer>[^/]+)_1/(?P<tensor>convolution/ReadVariableOp|Squeeze):0")


def _read_onnx(file: Path, shapes: Shapes) -> Tensors:
    """Read the constants of an ONNX model, whose kernels are (out, in, height, width)."""
    import onnx

    model = onnx.load_model_from_string(file.read_bytes())
    tensors: Tensors = {}
    for constant in model.graph.initializer:
        match = _ONNX_NAME.fullmatch(constant.name)
        # A constant may say that its values lie in another file: nothing else is opened.
        if match is None or constant.data_location == onnx.TensorProto.EXTERNAL:
            continue
        values = onnx.numpy_helper.to_array(constant)
        if match["tensor"] == "Squeeze":
            tensors[f"{match['layer']}/bias"] = values
        else:
            tensors[f"{match['layer']}/kernel"] = values.transpose(2, 3, 1, 0)
    return {name: _checked(name, tensors.get(name), shape) for name, shape in shapes.items()}


def _read_npz(file: Path, shapes: Shapes) -> Tensors:
    with file.open("rb") as source, np.load(source, allow_pickle=False) as archive:
        found = {name: archive[name] for name in archive.files if name in shapes}
    return {name: _checked(name, found.get(name), shape) for name, shape in shapes.items()}


# PyTorch's names of the variables of convolutions and normalisations.
_PYTORCH_NAMES = {
    "kernel": "weight",
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}


def _read_pytorch(file: Path, shapes: Shapes, pickled: Pickled | None) -> Tensors:
    """Read convolutions, whose kernels are (out, in, height, width) in PyTorch, and normalisations."""
    if pickled is None:
        raise MirrorError("a PyTorch file, and of this base none is known")
    matching(pickled.sha256)(file, file.parent)
    found = pytorch.read(file)
    tensors: Tensors = {}
    for name, shape in shapes.items():
        layer, _, variable = name.partition("/")
        values = found.get(f"{pickled.layers[layer]}.{_PYTORCH_NAMES[variable]}")
        if values is not None and values.ndim == 4:
            # Of each channel by itself PyTorch has (out, 1, height, width), and Keras (height, width, out, 1).
            values = values.transpose((2, 3, 0, 1) if shape[-1] == 1 else (2, 3, 1, 0))
        tensors[name] = _checked(name, values, shape)
    return tensors


def _checked(name: str, tensor: Any, shape: tuple[int, ...]) -> Any:
    """Return a tensor, an array or one still in its file, that is there and has this shape."""
    if tensor is None:
        raise MirrorError(f"holds no {name}")
    if tensor.shape != shape or tensor.dtype != np.float32:
        raise MirrorError(f"{name} is {tensor.dtype} {tensor.shape}, expected float32 {shape}")
    return tensor
