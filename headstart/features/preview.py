"""The preview sheet: what augmentation makes of a few training images, for a person to look at before training.

Pillow draws it: forty pictures are pasted in a fraction of the time that matplotlib takes for as many axes.
"""

import importlib.util
import textwrap
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from headstart.features import augmentation
from headstart.foundation import paths
from headstart.foundation.atomic import replacing
from headstart.foundation.framing import Framing
from headstart.foundation.free_text import shown
from headstart.images import images, manifest
from headstart.settings.schema import Augmentation

_VIEWS = 9

# Pixels: side of a picture, space between two, around all, height of a line of text.
_SIDE = 112
_GAP = 6
_MARGIN = 10
_LINE = 20
_TITLE_LETTERS = 150
_NAME_LETTERS = 60


def draw(frame: pd.DataFrame, settings: Augmentation, framing: Framing, seed: int) -> None:
    """Write the sheet: a few images of the manifest, each beside its first nine views, as the base sees them."""
    rows = manifest.previewed(frame)
    pixels = np.stack([images.load(paths.PREPARED / path, framing) for path in rows["path"]])
    columns = [pixels, *(_view(pixels, list(rows["sha256"]), view, settings, seed) for view in range(_VIEWS))]
    title = textwrap.wrap(f"augmentation: {described(settings)}", _TITLE_LETTERS)
    width = 2 * _MARGIN + len(columns) * (_SIDE + _GAP) - _GAP
    height = 2 * _MARGIN + (len(title) + 1) * _LINE + len(rows) * (_LINE + _SIDE + _GAP)
    sheet = Image.new("RGB", (width, height), "white")
    pen = ImageDraw.Draw(sheet)
    for number, line in enumerate(title):
        _write(pen, line, 0, number * _LINE)
    top = len(title) * _LINE
    for place in range(len(columns)):
        _write(pen, f"view {place - 1}" if place else "original", place * (_SIDE + _GAP), top)
    for number, name in enumerate(rows["class"]):
        top += _LINE
        _write(pen, shown(name, _NAME_LETTERS), 0, top)
        top += _LINE
        for place, column in enumerate(columns):
            tile = Image.fromarray(column[number]).resize((_SIDE, _SIDE), Image.Resampling.LANCZOS)
            sheet.paste(tile, (_MARGIN + place * (_SIDE + _GAP), _MARGIN + top))
        top += _SIDE + _GAP - _LINE
    with replacing(paths.PREVIEW) as temporary:
        sheet.save(temporary)


def described(settings: Augmentation) -> str:
    """What is switched on, as written in params.yaml: "flip horizontal, rotation 0.02, fill reflect"."""
    active = {name: value for name, value in settings if value not in (0, "none")}
    if not settings.randaugment:
        active.pop("randaugment_magnitude", None)
    if set(active) == {"fill"}:
        return "nothing is switched on"
    return ", ".join(
        f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}" for name, value in active.items()
    )


def _view(
    pixels: NDArray[np.uint8], sha256s: list[str], view: int, settings: Augmentation, seed: int
) -> NDArray[np.uint8]:
    draws = augmentation.draw(settings, sha256s, view, seed, pixels.shape[1])
    values = np.asarray(augmentation.augment(augmentation.paint(pixels, draws), draws.maps, draws.tones, settings))
    return values.round().astype(np.uint8)


def _write(pen: ImageDraw.ImageDraw, text: str, left: int, top: int) -> None:
    pen.text((_MARGIN + left, _MARGIN + top), text, fill="black", font=_font())


@cache
def _font() -> ImageFont.FreeTypeFont:
    """The font of matplotlib's figures: Pillow's own has no letters but those of ASCII."""
    # Found without an import, which would slow the stage's start.
    package = importlib.util.find_spec("matplotlib")
    assert package
    assert package.origin
    return ImageFont.truetype(Path(package.origin).with_name("mpl-data") / "fonts" / "ttf" / "DejaVuSans.ttf", size=13)
