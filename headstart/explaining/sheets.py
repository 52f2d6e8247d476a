"""The pictures of ``explain``: sheets that DVC shows as plots, and small ones that the page embeds."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from headstart.drawing import figures
from headstart.drawing.explanation import PARTS, Answer, HeatMap, Panel
from headstart.drawing.overlay import overlay
from headstart.explaining.activation_maps import Maps, stretched
from headstart.explaining.filter_patterns import Patterns
from headstart.foundation import paths
from headstart.foundation.framing import Framing
from headstart.foundation.free_text import shown
from headstart.images import images, names
from headstart.scoring.predictions import Predictions


class Grid(NamedTuple):
    """How tiles are laid out: pixels a side of each, and the most that fit side by side."""

    side: int
    abreast: int


# A sheet is as wide as a screen, a picture of the page as a phone's.
_CHANNELS, _CHANNELS_ON_PAGE = Grid(64, 16), Grid(48, 8)
_PATTERNS, _PATTERNS_ON_PAGE = Grid(160, 6), Grid(96, 4)
_IMAGE = 192

_GAP = 2
_BETWEEN = 128  # the grey between the pictures of a mosaic: neither a dark page nor a light one outshines it
_COLOURS = "viridis"
# Of WebP, from 0 to 100: above this the files grow and nobody sees why.
_QUALITY = 75
# Characters of a class's name.
_LONGEST_NAME = 24


def draw_activations(folder: Path, title: str, layers: Sequence[Maps]) -> list[Panel]:
    """Draw channels of each layer: activations.png, and a picture of each layer for the page."""
    panels, sheet = [], []
    for number, maps in enumerate(layers, start=1):
        tiles = [_coloured(values) for values in stretched(maps.values)]
        height, width, count = maps.shape
        silent = f"; {maps.silent} of {count} silent" if maps.silent else ""
        caption = f"{maps.layer}, {height} × {width} × {count}: {len(tiles)} channels{silent}"
        sheet.append(figures.Strip(_mosaic(tiles, _CHANNELS, sharp=True), caption))
        file = _save(folder / PARTS / f"activations-{number:03}.webp", _mosaic(tiles, _CHANNELS_ON_PAGE, sharp=True))
        panels.append(Panel(file=file, layer=maps.layer, shape=[*maps.shape], shown=len(tiles), silent=maps.silent))
    figures.sheet(folder / "activations.png", title, [sheet])
    return panels


def draw_filters(folder: Path, title: str, layers: Sequence[Patterns]) -> list[Panel]:
    """Draw the patterns of each layer's filters: filters.png, and a picture of each layer for the page."""
    panels, sheet = [], []
    for number, patterns in enumerate(layers, start=1):
        tiles = list(patterns.images)
        caption = f"{patterns.layer}: {len(tiles)} of {patterns.shape[2]} filters"
        sheet.append(figures.Strip(_mosaic(tiles, _PATTERNS), caption))
        file = _save(folder / PARTS / f"filters-{number:03}.webp", _mosaic(tiles, _PATTERNS_ON_PAGE))
        panels.append(Panel(file=file, layer=patterns.layer, shape=[*patterns.shape], shown=len(tiles), silent=0))
    figures.sheet(folder / "filters.png", title, [sheet])
    return panels


def draw_answers(
    folder: Path,
    strategy: str,
    predictions: Predictions,
    places: NDArray[np.int64],
    classes: NDArray[np.int64],
    heat: NDArray[np.float32],
    framing: Framing,
) -> list[Answer]:
    """Draw heat maps over their images: grad_cam_<strategy>.png, correct predictions left; one file each for the page.

    Args:
        folder: where to.
        strategy: its name.
        predictions: of images that the models never saw.
        places: of the answers in ``predictions``.
        classes: that the maps are of, (answers, k); a class given twice is drawn once.
        heat: from 0 to 1, (answers, k, height, width).
        framing: how the network saw the images; they are shown in the same, at another size.
    """
    answers = []
    columns: dict[bool, list[figures.Strip]] = {True: [], False: []}
    for number, (place, of_answer, maps) in enumerate(zip(places, classes, heat, strict=True), start=1):
        path, said = predictions.images[place], predictions.predicted[place]
        image = images.load(paths.PREPARED / path, framing._replace(size=_IMAGE))
        laid = {int(of_class): overlay(image, one) for of_class, one in zip(of_answer, maps, strict=True)}
        stem = f"{strategy}-{number:03}"
        answer = Answer(
            path=path,
            actual=predictions.classes[predictions.labels[place]],
            predicted=predictions.classes[said],
            probability=float(predictions.probabilities[place, said]),
            file=_save(folder / PARTS / f"{stem}.webp", image),
            maps=[
                HeatMap(file=_save(folder / PARTS / f"{stem}-{turn}.webp", one), of_class=predictions.classes[of_class])
                for turn, (of_class, one) in enumerate(laid.items(), start=1)
            ],
        )
        answers.append(answer)
        tiles = [image, *laid.values()]
        strip = figures.Strip(_mosaic(tiles, Grid(_IMAGE, len(tiles))), _caption(answer))
        columns[answer.actual == answer.predicted].append(strip)
    title = f"{strategy}: evidence for a class (Grad-CAM); the most confident correct and wrong predictions"
    figures.sheet(folder / f"grad_cam_{strategy}.png", title, [column for column in columns.values() if column])
    return answers


def _caption(answer: Answer) -> str:
    actual, predicted, *maps = (
        shown(name, _LONGEST_NAME) for name in (answer.actual, answer.predicted, *(one.of_class for one in answer.maps))
    )
    said = f", predicted as {predicted}" if answer.actual != answer.predicted else ""
    views = " | ".join(["the image", *(f"for {name}" for name in maps)])
    return f"{actual}{said} ({answer.probability:.2f}), {names.file_name(answer.path)}\n{views}"


def _coloured(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    """A channel's map, 0 to 1, in colours."""
    coloured: NDArray[np.uint8] = np.rint(255 * mpl.colormaps[_COLOURS](values)[..., :3]).astype(np.uint8)
    return coloured


def _mosaic(tiles: Sequence[NDArray[np.uint8]], grid: Grid, sharp: bool = False) -> NDArray[np.uint8]:
    """Square pictures in as few rows as the grid allows, and in as even ones.

    Args:
        tiles: uint8 (side, side, 3) of any side.
        grid: their size and how many fit side by side.
        sharp: enlarge them so that each of their pixels stays a square.
    """
    rows = -(-len(tiles) // grid.abreast)
    columns = -(-len(tiles) // rows)
    step = grid.side + _GAP
    canvas = np.full((rows * step - _GAP, columns * step - _GAP, 3), _BETWEEN, np.uint8)
    for place, tile in enumerate(tiles):
        top, left = step * (place // columns), step * (place % columns)
        canvas[top : top + grid.side, left : left + grid.side] = _resized(tile, grid.side, sharp)
    return canvas


def _resized(pixels: NDArray[np.uint8], side: int, sharp: bool) -> NDArray[np.uint8]:
    if len(pixels) == side:
        return pixels
    enlarging = Image.Resampling.NEAREST if sharp else Image.Resampling.BICUBIC
    method = enlarging if len(pixels) < side else Image.Resampling.BOX
    return np.asarray(Image.fromarray(pixels).resize((side, side), method))


def _save(path: Path, pixels: NDArray[np.uint8]) -> str:
    Image.fromarray(pixels).save(path, "WEBP", quality=_QUALITY, method=6)
    return path.name
