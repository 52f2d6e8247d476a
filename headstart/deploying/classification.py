"""Files of one's own through a model: read ahead, a batch at a time, one answer a file whatever the file is."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np

from headstart.deploying import own_images
from headstart.deploying.classified import Classified
from headstart.deploying.inputs import InputFile
from headstart.foundation.framing import Framing
from headstart.foundation.progress import bar
from headstart.foundation.threads import map_ordered
from headstart.images import images
from headstart.images.images import Pixels, UnreadableImage
from headstart.models.predictor import Predictor
from headstart.sources.listing import printable

T = TypeVar("T")


class Image(NamedTuple):
    """A file that was read."""

    name: str  # of the file
    heat_map: Path | None  # where its heat map goes, if one is asked for
    pixels: Pixels | None = None  # as the model takes them; None if the file can't be used as an image
    picture: Pixels | None = None  # as a person sees it, if a heat map is asked for
    problem: str | None = None  # why it can't be used, if so


def classify(files: Sequence[InputFile], model: Predictor, heat_maps: Path | None = None) -> Iterator[Classified]:
    """Yield what the model says of each file, in their order; the next images are decoded while it computes.

    A heat map of each image goes to the folder ``heat_maps``, if there is one.
    """
    targets: Sequence[Path | None] = [None] * len(files)
    if heat_maps:
        targets = own_images.targets(heat_maps, [file.name for file in files])
    shared = sys.stdout.isatty()
    with bar("predict", len(files), " files") as progress:
        batches = _batches(zip(files, targets, strict=True), model.batch_size)
        for batch in map_ordered(partial(_read, framing=model.framing), batches):
            rows = _answer(batch, model)
            if shared:  # a terminal, with the bar on its last line
                progress.clear()
            yield from rows
            progress.update(len(batch))


def _read(batch: list[tuple[InputFile, Path | None]], framing: Framing) -> list[Image]:
    return [_read_one(file, heat_map, framing) for file, heat_map in batch]


def _read_one(file: InputFile, heat_map: Path | None, framing: Framing) -> Image:
    try:
        data = file.read()
        picture = own_images.picture(data, framing.white) if heat_map else None
        return Image(file.name, heat_map, images.square(data, framing), picture)
    except UnreadableImage as error:
        return Image(file.name, None, problem=error.reason)


def _answer(batch: list[Image], model: Predictor) -> list[Classified]:
    pixels = [image.pixels for image in batch if image.pixels is not None]
    probabilities = model(np.stack(pixels)) if pixels else np.empty((0, len(model.classes)))
    predicted = model.decide(probabilities)
    drawn = [(image.picture, image.heat_map) for image in batch if image.picture is not None and image.heat_map]
    if drawn:
        pictures, targets = zip(*drawn, strict=True)
        own_images.draw(model.assembled, np.stack(pixels), predicted, pictures, targets)
    answers = zip(probabilities, predicted.tolist(), strict=True)
    rows = []
    for image in batch:
        of_image, number = (None, None) if image.problem else next(answers)
        heat_map = printable(str(image.heat_map)) if image.heat_map else None
        rows.append(Classified(image.name, of_image, number, image.problem, heat_map))
    return rows


def _batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    remaining = iter(items)
    while batch := list(islice(remaining, size)):
        yield batch
