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

from stages.core.atomic import replacing

_COLUMNS = 6
# Inches of a picture of the gallery, its caption included.
_CELL = (1.7, 2.15)

# Text that happens to hold dollars is text, not mathematics, and no picture says when it was drawn.
mpl.rcParams["text.parse_math"] = False
_METADATA = {"Software": None}


class Tile(NamedTuple):
    """A picture of a gallery: uint8 (height, width, 3), and what stands below it."""

    pixels: NDArray[np.uint8]
    caption: str


def gallery(path: Path, title: str, tiles: Sequence[Tile], empty: str) -> None:
    """Draw pictures side by side with their captions.

    Args:
        path: a PNG file.
        title: stands above them.
        tiles: the pictures.
        empty: said in their place where there are none.
    """
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


def save(figure: Figure, path: Path) -> None:
    """Write a figure as PNG, the same bytes for the same figure."""
    with replacing(path) as temporary, warnings.catch_warnings():
        # A letter that the font lacks becomes a box. Nobody can do anything about that.
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        figure.savefig(temporary, dpi=110, metadata=_METADATA)


def _wrap(caption: str) -> list[str]:
    return [part for line in caption.splitlines() for part in textwrap.wrap(line, 26, max_lines=2) or [""]]
