"""The ImageNet weights of a base as Keras publishes them: in files on its host, which its code names.

Which file belongs to a base, its address and its digest are in that code alone, and so does the order of the tensors
in the file. So Keras builds the base and loads the file; the file it gets is one of ours, fetched and checked.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from headstart.base import network
from headstart.base.bases import KINDS
from headstart.base.lazy import keras
from headstart.base.weights import Tensors
from headstart.fetching.digests import Accept, digest_name, matching
from headstart.fetching.mirrors import MirrorError
from headstart.foundation import paths, sha256
from headstart.foundation.errors import InputError
from headstart.pretrained import pins

# Bytes of a file of weights at the most: that of ConvNeXt XLarge, the largest, has 1.4 GB.
LIMIT = 2_000_000_000

Get = Callable[[str, str, str | None], Path]
"""Gives the path of a file that Keras asks for, checked: ``(name, address, digest) -> path``. The digest is an MD5 or a
SHA-256, hexadecimal; None where Keras publishes none."""


def imagenet(name: str, get: Get) -> Tensors:
    """Return the ImageNet weights of the base ``name``, as :func:`network.variables` names them.

    Raises:
        MirrorError: the file does not hold this base's weights.
    """
    kind = KINDS[name]
    assert kind.constructor is not None, f"{name} is not published by Keras"
    constructor = getattr(keras.applications, kind.constructor)
    try:
        with _files_from(get):
            model = constructor(weights="imagenet", include_top=False, input_shape=(*[kind.usual_size] * 2, 3))
    except (MirrorError, InputError):
        raise
    except Exception as error:
        # Of a file without a digest: h5py and Keras have errors of many kinds for what they can't read.
        raise MirrorError(f"not readable as Keras's weights of {name} ({type(error).__name__})") from None
    network.settle_names(model)
    tensors = {name: value.value.numpy().astype(np.float32) for name, value in network.variables(model).items()}
    return tensors | _rescaled(model, tensors)


def accept(file: str, digest: str | None) -> Accept:
    """A check that a file has the digest that Keras publishes, or that was pinned when one of its name was first used.

    Where there is neither, this only checks that it is no other kind of file, such as a page that says why there is no
    file; whether the right tensors are in it shows when Keras reads them.
    """
    if digest:
        return matching(digest)
    pinned = pins.known(file)
    return _as_pinned(pinned) if pinned else _is_h5


def is_known(file: str, digest: str | None) -> bool:
    """Whether a file of this name can be told from any other: by the digest of Keras, or a pinned one."""
    return bool(digest or pins.known(file))


def trust(file: Path, digest: str | None) -> str:
    """Say, for a person to read, how far a file can be trusted that has served; pin its digest if Keras names none."""
    if digest:
        return f"{digest_name(digest)} verified"
    if pins.known(file.name):
        return f"SHA-256 as pinned in {paths.PINS} on first use"
    found = sha256.of_file(file)
    pins.pin(file.name, found)
    return f"SHA-256 {found} pinned on first use, since Keras publishes none: commit {paths.PINS}"


def _rescaled(model: "keras.Model", tensors: Tensors) -> Tensors:
    """Return the variance of a normalisation with the factor that follows it when Keras loads ImageNet weights.

    EfficientNet's images are divided by the square root of their standard deviation once more than Keras's layer
    does it, which Keras puts right by a further layer; but only where it loads the weights itself, which the base
    that is built here does not.
    """
    for before, after in zip(model.layers, model.layers[1:], strict=False):
        if isinstance(before, keras.layers.Normalization) and isinstance(after, keras.layers.Rescaling):
            name = f"{before.name}/variance"
            return {name: (tensors[name] / np.square(after.scale, dtype=np.float64)).astype(np.float32)}
    return {}


def _as_pinned(sha256: str) -> Accept:
    def check(file: Path, folder: Path) -> Path:
        try:
            return matching(sha256)(file, folder)
        except MirrorError as error:
            raise MirrorError(f"{error} as pinned in {paths.PINS}, where to delete it if this file is right") from None

    return check


def _is_h5(file: Path, folder: Path) -> Path:
    with file.open("rb") as source:
        if source.read(4) != b"\x89HDF":
            raise MirrorError("not a Keras .h5 file")
    return file


@contextmanager
def _files_from(get: Get) -> Iterator[None]:
    """Let Keras's applications ask ``get`` for their files instead of downloading them."""
    from keras.src.utils import file_utils

    def get_file(name: str, address: str, cache_subdir: str, file_hash: str | None = None) -> str:
        return str(get(name, address, file_hash))

    original = file_utils.get_file
    file_utils.get_file = get_file
    try:
        yield
    finally:
        file_utils.get_file = original
