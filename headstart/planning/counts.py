"""How many images a run would work on, before it has read any of them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd

from headstart.explaining.spacing import spaced
from headstart.foundation import paths
from headstart.foundation.errors import InputError
from headstart.images import manifest
from headstart.images.images import UnreadableImage
from headstart.settings.schema import Params, Prepare
from headstart.sources import catalog, sources, split
from headstart.sources.catalog import IdxEntry
from headstart.sources.reading import Reading
from headstart.sources.source import Source, SourceImage

T = TypeVar("T")

# Images whose size and decoding represent all of them.
_SAMPLE = 24
# Bytes of a PNG for each byte of pixels, of small grey pictures: Fashion-MNIST's have 0.66.
_PNG = 0.66


@dataclass(frozen=True)
class Counts:
    """The images of a run."""

    # Images of the split, all classes together; with folds those of a single training, on the average.
    train: int
    validation: int
    test: int
    classes: int
    mean_bytes: float  # of an image file
    download: int = 0  # bytes that have to be fetched before the images are there
    sample: tuple[bytes, ...] = ()  # the bytes of some image files; none where they are not at hand

    @property
    def images(self) -> int:
        """Images of all splits."""
        return self.train + self.validation + self.test

    @property
    def prepared_bytes(self) -> int:
        """Bytes of all image files."""
        return round(self.images * self.mean_bytes)


def count(params: Params, prepared: bool) -> Counts:
    """Count the images that a run would work on.

    Unless data/prepared is up to date (``prepared``), the source is listed, not read: duplicates and images that don't
    decode are counted as if they could be used.

    Raises:
        InputError: the source can't be listed, or has too few images.
    """
    if prepared and paths.MANIFEST.exists():
        return _of_manifest(params.prepare)
    path = Path(params.prepare.source)
    if path.suffix in sources.CATALOG_SUFFIXES:
        return _of_entry(path, params.prepare)
    reading = Reading(**{field.name: getattr(params.prepare, field.name) for field in fields(Reading)})
    with sources.open_source(path, paths.DOWNLOADS, reading) as source:
        return _of_source(source, params.prepare)


def _of_manifest(settings: Prepare) -> Counts:
    frame = manifest.read(paths.MANIFEST)
    train, validation, test = _sizes_of(frame, settings)
    files = [paths.PREPARED / path for path in frame["path"]]
    return Counts(
        train=train,
        validation=validation,
        test=test,
        classes=len(manifest.class_names(frame)),
        mean_bytes=float(np.mean([file.stat().st_size for file in files])),
        sample=tuple(file.read_bytes() for file in _spread(files)),
    )


def _of_source(source: Source, settings: Prepare) -> Counts:
    pools = Counter((image.split, image.class_name) for image in source.images)
    sample = tuple(filter(None, map(_bytes, _spread(source.images))))
    return Counts(
        *divided(pools, settings, source.name),
        classes=len({image.class_name for image in source.images}),
        mean_bytes=float(np.mean([len(data) for data in sample])) if sample else 0.0,
        sample=sample,
    )


def _of_entry(path: Path, settings: Prepare) -> Counts:
    """Count by what the catalog says of a set, as if its classes were of one size: it may not be here yet."""
    entry = catalog.read_entry(path)
    classes = list(entry.classes)
    if isinstance(entry, IdxEntry):
        files = [part for pair in entry.files for part in (pair.images, pair.labels)]
        mean = _PNG * sum(pair.images.size for pair in entry.files) / entry.images
    else:
        files = [entry.file]
        mean = entry.file.size / entry.images
    missing = [file for file in files if not list((paths.DOWNLOADS / entry.name).glob(f"{file.name}*"))]
    return Counts(
        *divided({(None, name): entry.images // len(classes) for name in classes}, settings, entry.name),
        classes=len(classes),
        mean_bytes=mean,
        download=sum(file.size for file in missing),
    )


def divided(pools: Mapping[tuple[split.Origin, str], int], settings: Prepare, name: str) -> tuple[int, int, int]:
    """Return how many images train, validation and test get, by the arithmetic of ``prepare``.

    Groups stay whole there, which moves a few images from one split to another. ``pools`` counts images by the split of
    the source that they are in (None where it isn't split) and their class; messages call the source ``name``.

    Raises:
        InputError: a class has too few images.
    """
    if settings.folds:
        return _in_folds(sum(pools.values()), settings)
    counts = settings.counts
    fed = split.origins({origin for origin, _ in pools})
    totals = dict.fromkeys(manifest.SPLITS, 0)
    for origin, names in fed.items():
        asked = split.asked(origin, {split_name: counts[split_name] for split_name in names})
        for class_name in sorted({class_name for _, class_name in pools}):
            there = pools.get((origin, class_name), 0)
            sizes = split.sizes(list(asked.values()), there)
            if sizes is None:
                wish = " + ".join(f"{asked[split_name]:,} {split_name}" for split_name in names)
                part = f" ({origin})" if origin else ""
                raise InputError(
                    f"{name}: too few images: class {class_name!r}{part} has {there:,}, asked for are {wish}: "
                    "add images, or lower prepare.train, prepare.validation or prepare.test"
                )
            for split_name, size in zip(names, sizes, strict=True):
                totals[split_name] += size
    return totals["train"], totals["validation"], totals["test"]


def _sizes_of(frame: pd.DataFrame, settings: Prepare) -> tuple[int, int, int]:
    if settings.folds:
        return _in_folds(len(frame), settings)
    train, validation, test = (int((frame["split"] == name).sum()) for name in manifest.SPLITS)
    return train, validation, test


def _in_folds(images: int, settings: Prepare) -> tuple[int, int, int]:
    """How many images one of the folds' trainings trains on, validates on and is tested on."""
    test = round(images / settings.folds)
    validation = round(float(settings.validation) * (images - test))
    return images - test - validation, validation, test


def _spread(items: Sequence[T]) -> list[T]:
    return [items[place] for place in spaced(len(items), _SAMPLE)]


def _bytes(image: SourceImage) -> bytes:
    try:
        return image.read()
    except UnreadableImage:
        return b""
