"""The file in which the weights of a base are kept.

An uncompressed ``.npz``: read without pickle in a tenth of a second.
"""

import zipfile
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from headstart.foundation import npz
from headstart.foundation.atomic import replacing
from headstart.foundation.errors import InputError

Tensors = dict[str, NDArray[np.float32]]
"""Tensors by Keras's names, ``layer/variable``: ``block1_conv1/kernel`` (height, width, in, out),
``block1_conv1/bias`` (out)."""


def save(path: Path, tensors: Tensors) -> None:
    """Write tensors in their given order: the same tensors give the same bytes."""
    # C order, whatever the order in memory: otherwise the bytes would depend on the mirror that the file came from.
    arrays = {name: np.asarray(values, dtype="<f4", order="C") for name, values in tensors.items()}
    with replacing(path) as temporary:
        npz.save(temporary, arrays)


def load(path: Path) -> Tensors:
    """Return what :func:`save` wrote.

    Raises:
        InputError: the file is missing or broken.
    """
    advice = "run `dvc repro backbone`"
    try:
        # Opened here, because np.load leaves a broken file open.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except FileNotFoundError:
        raise InputError(f"{path}: no such file: {advice}") from None
    except (ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(f"{path}: not a whole file of weights ({error}): delete it and {advice}") from None
