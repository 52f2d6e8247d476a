"""Pictures, drawn by matplotlib."""

import textwrap
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from headstart.foundation.atomic import replacing

_COLUMNS = 6
# Inches of a picture of the gallery, its caption included.
_CELL = (1.7, 2.15)
_DPI = 110
# Pixels of a sheet: between its parts, of a line of text, of a letter where they are wide.
_MARGIN, _LINE, _LETTER = 16, 17, 7

# Text that happens to hold dollars is text, not mathematics, and no picture says when it was drawn.
mpl.rcParams["text.parse_math"] = False
_METADATA = {"Software": None}


class Tile(NamedTuple):
    """A picture of a gallery: uint8 (height, width, 3), and the caption below it."""

    pixels: NDArray[np.uint8]
    caption: str


class Strip(NamedTuple):
    """A part of a sheet: uint8 (height, width, 3), drawn pixel by pixel, and the lines above it."""

    pixels: NDArray[np.uint8]
    caption: str


def gallery(path: Path, title: str, tiles: Sequence[Tile], empty: str) -> None:
    """Draw pictures side by side with their captions, PNG; if there are none, the text ``empty`` in their place."""
    rows = max(1, -(-len(tiles) // _COLUMNS))
    figure = Figure(figsize=(_COLUMNS * _CELL[0], rows * _CELL[1] + 0.5), layout="constrained")
    figure.suptitle(title, fontsize=11)
    if not tiles:
        figure.text(0.5, 0.45, empty, ha="center", fontsize=10)
    axes = list(figure.subplots(rows, _COLUMNS, squeeze=False).flat)
    for axis in axes:
        axis.set(xticks=[], yticks=[], frame_on=False)
    for axis, tile in zip(axes, tiles, strict=False):
        axis.imshow(tile.pixels)
        axis.set_xlabel("\n".join(_wrap(tile.caption)), fontsize=7)
    save(figure, path)


def sheet(path: Path, title: str, columns: Sequence[Sequence[Strip]]) -> None:
    """Draw columns of strips side by side, PNG, each strip below its caption."""
    widths = [max(strip.pixels.shape[1] for strip in column) for column in columns]
    width = sum(widths) + _MARGIN * (len(columns) + 1)
    heading = textwrap.wrap(title, width // _LETTER)
    texts = [(_MARGIN, _MARGIN, heading, "bold")]
    blocks = []
    left, lowest = _MARGIN, 0
    for column, column_width in zip(columns, widths, strict=True):
        top = 2 * _MARGIN + _LINE * len(heading)
        for strip in column:
            lines = [_cut(line, column_width // _LETTER) for line in strip.caption.splitlines()]
            texts.append((left, top, lines, "normal"))
            top += _LINE * len(lines)
            blocks.append((left, top, strip.pixels))
            top += len(strip.pixels) + _MARGIN
        left += column_width + _MARGIN
        lowest = max(lowest, top)
    canvas = np.full((lowest, width, 3), 255, np.uint8)
    for left, top, pixels in blocks:
        canvas[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels
    figure = Figure(figsize=(width / _DPI, lowest / _DPI), dpi=_DPI)
    figure.figimage(canvas, origin="upper")
    for left, top, lines, weight in texts:
        place = left / width, 1 - top / lowest
        figure.text(*place, "\n".join(lines), va="top", fontsize=8, fontweight=weight, linespacing=1.25)
    save(figure, path)


def save(figure: Figure, path: Path) -> None:
    """Write a figure as PNG, the same bytes for the same figure."""
    with replacing(path) as temporary, warnings.catch_warnings():
        # A letter that the font lacks becomes a box. Nobody can do anything about that.
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        figure.savefig(temporary, dpi=_DPI, metadata=_METADATA)


def _wrap(caption: str) -> list[str]:
    return [part for line in caption.splitlines() for part in textwrap.wrap(line, 26, max_lines=2) or [""]]


def _cut(line: str, letters: int) -> str:
    return "".join(textwrap.wrap(line, letters, max_lines=1, placeholder="…"))
