"""When a photograph was taken, and by which camera, as its file says."""

import io
from contextlib import suppress
from datetime import datetime
from typing import NamedTuple

from PIL import ExifTags, Image

_WRITTEN = "%Y:%m:%d %H:%M:%S"


class Shot(NamedTuple):
    """A camera, by maker and model, and the local time at which it took a picture, in whole seconds."""

    camera: str
    time: datetime


def shot(data: bytes) -> Shot | None:
    """Return what an image file says of how it was taken; None where it doesn't name both camera and time."""
    # Files that say it in some broken way are as good as those that don't: Pillow has many errors for them.
    with suppress(Exception), Image.open(io.BytesIO(data)) as image:
        tags = image.getexif()
        camera = " ".join(str(tags.get(tag, "")).strip("\0 ") for tag in (ExifTags.Base.Make, ExifTags.Base.Model))
        taken = tags.get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.DateTimeOriginal)
        if camera.strip() and taken:
            return Shot(camera.strip(), datetime.strptime(str(taken).strip("\0 "), _WRITTEN))
    return None
