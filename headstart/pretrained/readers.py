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
from numpy.typing import NDArray

from headstart.base.network import snake_case
from headstart.base.weights import Tensors
from headstart.fetching.digests import matching
from headstart.fetching.mirrors import MirrorError
from headstart.foundation.wording import count
from headstart.pretrained import pytorch
from headstart.pretrained.shapes import Shapes

if TYPE_CHECKING:
    import h5py

# Members of a ``.keras`` file.
_DESCRIPTION, _WEIGHTS = "config.json", "model.weights.h5"
# Bytes of a model's description at the most: Keras's largest base takes a tenth of it.
_DESCRIPTION_LIMIT = 10_000_000


# The group of a ``.weights.h5`` file whose tensors have numbers instead of names.
_NUMBERED = "layers"
# What Keras calls moments of weights, which are named as the weights are.
_OPTIMIZER = "optimizer_weights/"
# Tensors that don't fit are told of up to so many.
_TOLD = 5

Layers = Mapping[str, str]
"""Where Keras 3 puts a layer's tensors, by its name: ``layers/conv2d_3``."""

Found = dict[str, Any]
"""What a file holds for the names of tensors: arrays of any shape and type; None, or no entry, for nothing."""


@dataclass(frozen=True)
class Pickled:
    """The one file of PyTorch's older layout that is known to hold a base."""

    sha256: str  # hexadecimal; no other file of that layout is looked into
    layers: Mapping[str, str]  # the names in it of the base's layers


def read(file: Path, shapes: Shapes, pickled: Pickled | None = None, layers: Layers | None = None) -> Tensors:
    """Read a base's tensors from a ``.h5`` or ``.keras`` file of Keras, an ONNX model that holds it, or our ``.npz``.

    Or from the file that ``pickled`` says. The content decides the format, not the name.

    Args:
        file: what is read.
        shapes: of the tensors.
        pickled: the one file of PyTorch's that may be read.
        layers: where Keras puts the base's layers in a ``.weights.h5`` file; None for files that need no such help.

    Raises:
        MirrorError: the format is none of these, or a tensor is missing or of another shape or type.
    """
    with file.open("rb") as source:
        start = source.read(4)
    formats: dict[bytes, tuple[Callable[[Path, Shapes], Found], str]] = {
        b"\x89HDF": (partial(_read_h5, layers=layers), "a Keras .h5 file"),
        b"PK": (_read_zip, "a .keras or .npz file"),
        pytorch.MAGIC: (partial(_read_pytorch, pickled=pickled), "a PyTorch file"),
    }
    reader, kind = next(
        (entry for magic, entry in formats.items() if start.startswith(magic)), (_read_onnx, "an ONNX model")
    )
    try:
        return _fitting(reader(file, shapes), shapes)
    except MirrorError:
        raise
    except Exception as error:
        # Parsers of foreign binary data, each with errors of its own kind, down to RuntimeError.
        raise MirrorError(f"not readable as {kind} ({type(error).__name__})") from None


def _read_h5(file: Path, shapes: Shapes, layers: Layers | None) -> Found:
    """Read Keras's file by the order of its tensors, as Keras does, or if it has others besides by their names.

    Keras has renamed layers and variables since its files of Xception and others were written, but not reordered them.
    """
    import h5py

    with h5py.File(file, "r") as archive:
        found = _datasets(archive)
        order = _order(archive)
        if len(order) == len(shapes):
            return {
                name: _value(found.get(path), shape) for (name, shape), path in zip(shapes.items(), order, strict=True)
            }
        if layers is not None and _NUMBERED in archive:
            return _numbered(found, shapes, layers)
        named = {}
        for path, dataset in found.items():
            # Before these come the model that the layer is a part of, or the layer's name once more.
            layer, _, variable = "/".join(path.rsplit("/", 2)[-2:]).partition("/")
            if not path.startswith(_OPTIMIZER):
                named[f"{layer}/{_keras_variable(layer, variable)}"] = dataset
        return {name: _value(named.get(name), shape) for name, shape in shapes.items()}


def _value(dataset: "h5py.Dataset | None", shape: tuple[int, ...]) -> "NDArray[Any] | None":
    """Read a data set of this shape; any other, which may unpack to far more than the file, gives zeros of its own."""
    if dataset is None:
        return None
    if dataset.shape == shape:
        return dataset[...]  # type: ignore[no-any-return]
    return np.broadcast_to(np.zeros((), dataset.dtype), dataset.shape or ())


def _numbered(found: "Mapping[str, h5py.Dataset]", shapes: Shapes, layers: Layers) -> Found:
    """Find tensors that are numbered within their layer, wherever in the file the base as a whole is."""
    numbers: Counter[str] = Counter()
    places = {}
    for name in shapes:
        layer = _layer(name)
        places[name] = f"{layers[layer]}/vars/{numbers[layer]}"
        numbers[layer] += 1

    def fitting(prefix: str) -> int:
        there = ((found.get(prefix + place), shapes[name]) for name, place in places.items())
        return sum(dataset is not None and dataset.shape == shape for dataset, shape in there)

    first = next(iter(places.values()))
    # A model around the base has layers of the same names.
    prefix = max((path.removesuffix(first) for path in found if path.endswith(first)), key=fitting, default="")
    return {name: _value(found.get(prefix + place), shapes[name]) for name, place in places.items()}


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


def _read_zip(file: Path, shapes: Shapes) -> Found:
    with zipfile.ZipFile(file) as archive:
        if _WEIGHTS in archive.namelist():
            return _read_keras(archive, shapes)
        room = sum(4 * int(np.prod(shape)) + 1024 for shape in shapes.values())
        if sum(member.file_size for member in archive.infolist()) > room:
            raise MirrorError("holds more than the base's weights")
    return _read_npz(file, shapes)


def _read_keras(archive: zipfile.ZipFile, shapes: Shapes) -> Found:
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
    paths = layers_of(json.loads(archive.read(_DESCRIPTION)), shapes)
    if paths is None:
        raise MirrorError("holds no model with the base's layers")
    with h5py.File(io.BytesIO(archive.read(_WEIGHTS)), "r") as weights:
        return _numbered(_datasets(weights), shapes, paths)


def layers_of(model: dict[str, Any], shapes: Shapes) -> Layers | None:
    """Return where the layers' weights are, in the first of some nested models that has them all; None for none.

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
    if {_layer(name) for name in shapes} <= paths.keys():
        return paths
    for outer, layer in inner:
        found = layers_of(layer, shapes)
        if found is not None:
            return {name: f"{outer}/{path}" for name, path in found.items()}
    return None


def _layer(name: str) -> str:
    return name.partition("/")[0]


# The names that tf2onnx gives to the tensors of a convolution of a functional Keras model.
_ONNX_NAME = re.compile(r"functional_1/(?P<layer>[^/]+)_1/(?P<tensor>convolution/ReadVariableOp|Squeeze):0")


def _read_onnx(file: Path, shapes: Shapes) -> Found:
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
    return tensors


def _read_npz(file: Path, shapes: Shapes) -> Found:
    with file.open("rb") as source, np.load(source, allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files if name in shapes}


# PyTorch's names of the variables of convolutions and normalisations.
_PYTORCH_NAMES = {
    "kernel": "weight",
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}


def _read_pytorch(file: Path, shapes: Shapes, pickled: Pickled | None) -> Found:
    """Read convolutions, whose kernels are (out, in, height, width) in PyTorch, and normalisations."""
    if pickled is None:
        raise MirrorError("a PyTorch file, and of this base none is known")
    matching(pickled.sha256)(file, file.parent)
    found = pytorch.read(file)
    tensors: Found = {}
    for name, shape in shapes.items():
        layer, _, variable = name.partition("/")
        values = found.get(f"{pickled.layers[layer]}.{_PYTORCH_NAMES[variable]}")
        if values is not None and values.ndim == 4:
            # Of each channel by itself PyTorch has (out, 1, height, width), and Keras (height, width, out, 1).
            values = values.transpose((2, 3, 0, 1) if shape[-1] == 1 else (2, 3, 1, 0))
        tensors[name] = values
    return tensors


def _fitting(found: Found, shapes: Shapes) -> Tensors:
    """Return the tensors if all are there and have their shapes; else tell of the first few that don't fit."""
    if all(found.get(name) is None for name in shapes):
        raise MirrorError("holds no tensor of the base")
    misfits = []
    tensors: Tensors = {}
    for name, shape in shapes.items():
        tensor = found.get(name)
        if tensor is None:
            misfits.append(f"holds no {name}")
        elif tensor.shape != shape or tensor.dtype != np.float32:
            misfits.append(f"{name} is {tensor.dtype} {tensor.shape}, expected float32 {shape}")
        else:
            tensors[name] = tensor
    if misfits:
        others = len(misfits) - _TOLD
        raise MirrorError("; ".join(misfits[:_TOLD]) + (f"; and {count(others, 'other tensor')}" if others > 0 else ""))
    return tensors
