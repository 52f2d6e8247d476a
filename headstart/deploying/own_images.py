"""Heat maps of images of one's own: what speaks for the predicted class, laid over the image, a file each."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from headstart.explaining import grad_cam
from headstart.foundation.atomic import replacing
from headstart.foundation.errors import InputError
from headstart.foundation.framing import FULL
from headstart.images import images, names
from headstart.images.fitting import onto_picture
from headstart.images.images import Pixels
from headstart.models import models
from headstart.models.predictor import Assembled

# The longest side of a picture, pixels: enough to see what lies below the map.
_LONGEST = 512
_QUALITY = 90


def check(assembled: Assembled, folder: Path) -> None:
    """Check that there can be heat maps of this model, in this folder.

    Raises:
        InputError: there can't be.
    """
    if assembled.whole is None:
        raise InputError(
            f"--heat-maps: {assembled.description.strategy} has no pretrained base: choose another --strategy"
        )
    if folder.exists() and not folder.is_dir():
        raise InputError(f"--heat-maps: {folder}: a file, expected a folder: name another one")


def targets(folder: Path, shown: Sequence[str]) -> list[Path]:
    """Return where the heat map of each file goes: called like the file, in characters that every system can store."""
    stems = [Path(names.file_name(name)).stem for name in shown]
    return [folder / f"{stem}.jpg" for stem in names.portable(stems, shown)]


def picture(data: bytes, white: int = FULL) -> Pixels:
    """Decode an image as a person sees it, at most 512 pixels a side.

    Raises:
        UnreadableImage: as :func:`images.decode`.
    """
    image = Image.fromarray(images.decode(data, white))
    image.thumbnail((_LONGEST, _LONGEST))
    return np.asarray(image)


def draw(
    assembled: Assembled,
    pixels: NDArray[np.uint8],
    predicted: NDArray[np.int64],
    pictures: Sequence[Pixels],
    files: Sequence[Path],
) -> None:
    """Write heat maps.

    Args:
        assembled: the model; it has a base.
        pixels: images as it takes them, uint8 (n, size, size, 3).
        predicted: the class whose evidence is shown, (n,).
        pictures: the same images as a person sees them, (height, width, 3) each.
        files: where to, JPEG.
    """
    # Here, since whoever wants no heat maps need not wait for matplotlib.
    from headstart.drawing.overlay import overlay

    assert assembled.whole is not None, "check has seen to it"
    classifier = models.classifier_of(assembled.model)
    heat = grad_cam.heat_maps(assembled.whole, classifier, pixels, predicted[:, np.newaxis])[:, 0]
    fit = assembled.description.framing.fit
    for image, of_image, file in zip(pictures, heat, files, strict=True):
        on_picture = onto_picture(of_image, image.shape[0], image.shape[1], fit)
        with replacing(file) as temporary:
            Image.fromarray(overlay(image, on_picture)).save(temporary, "JPEG", quality=_QUALITY)
