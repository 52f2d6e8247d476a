"""Pictures for the tests, made here so that none has to be stored: each number gives another picture."""

import io
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

# Which lets Pillow write HEIF.
import pillow_heif
from PIL import Image, ImageCms

pillow_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False, decode_threads=1)

Pixels = npt.NDArray[np.uint8]


def pixels(number: int, height: int = 24, width: int = 32) -> Pixels:
    """A smooth picture, so that JPEG keeps it nearly as it is: uint8, (height, width, 3)."""
    rows, columns = np.mgrid[0:height, 0:width]
    waves = [np.sin((number + 1) * 0.7 * band + rows / 9 + columns / (7 + band)) for band in range(3)]
    return np.asarray(np.rint(127.5 + 100 * np.stack(waves, axis=-1)), dtype=np.uint8)


def encode(image: Image.Image | Pixels, kind: str = "JPEG", **options: Any) -> bytes:
    """The bytes of a file of format ``kind``."""
    file = io.BytesIO()
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(file, kind, **options)
    return file.getvalue()


def jpeg(number: int) -> bytes:
    """The bytes of a small JPEG."""
    return encode(pixels(number), "JPEG", quality=90)


def colour_profile(kind: Literal["sRGB", "LAB"] = "sRGB") -> bytes:
    """A colour profile, without the date that would make each one differ."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile(kind)).tobytes()
    return profile[:24] + bytes(12) + profile[36:]


def fill(folder: Path, files: dict[str, bytes]) -> Path:
    """Write ``files``, by path below ``folder``; return the folder."""
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def two_classes(count: int = 5) -> dict[str, bytes]:
    """Files of a folder per class, cat and dog, ``count`` different images each."""
    return {
        f"{name}/{number}.jpg": jpeg(number + 1000 * place)
        for place, name in enumerate(("cat", "dog"))
        for number in range(count)
    }
