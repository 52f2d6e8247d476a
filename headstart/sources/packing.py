"""Packs the images of a source into one zip archive: the same images always give the same bytes."""

import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from headstart.foundation.errors import InputError
from headstart.foundation.progress import bar
from headstart.foundation.threads import map_ordered
from headstart.images import names
from headstart.images.images import UnreadableImage, measure
from headstart.sources.source import Dropped, Source, SourceImage
from headstart.sources.sources import check_classes, open_archive

# The earliest date a zip archive can hold.
_NO_DATE = (1980, 1, 1, 0, 0, 0)
_MADE_ON_UNIX = 3
_MODE = 0o100644 << 16


@dataclass(frozen=True)
class _Place:
    """Where in the scratch file an image's bytes are."""

    offset: int
    size: int


def pack(source: Source, target: Path) -> Source:
    """Write every image of ``source`` that decodes to a zip archive, and return what was packed.

    The archive holds ``<class>/<file>``, or ``<split>/<class>/<file>`` where the source is split, sorted,
    undated and uncompressed, since images don't get smaller. Nothing else of the files is kept.

    Args:
        source: what to pack. Each image is read once, in the source's own order.
        target: the archive to write. Beside it there is room for a second copy of the images meanwhile.

    Returns:
        The images packed and everything that was dropped.

    Raises:
        InputError: fewer than two classes have images that decode, or classes would be taken for splits.
    """
    with tempfile.TemporaryFile(dir=target.parent) as scratch:
        packed = Source(source.name, [], list(source.dropped), notes=source.notes, may_lack=source.may_lack)
        places: list[_Place] = []
        with bar("reading images", len(source.images), " images") as progress:
            for image, outcome in zip(source.images, map_ordered(_check, _contents(source.images)), strict=True):
                progress.update(1)
                if isinstance(outcome, UnreadableImage):
                    packed.dropped.append(Dropped(image.name, image.class_name, outcome.reason))
                    continue
                places.append(_Place(scratch.tell(), len(outcome)))
                scratch.write(outcome)
                packed.images.append(image)
        check_classes(packed)
        paths = _paths(packed.images)
        _write(target, sorted(zip(paths, places, strict=True), key=lambda item: item[0]), scratch)
    _check_labels(target, source.name, dict(zip(paths, packed.images, strict=True)))
    return packed


def _contents(images: Sequence[SourceImage]) -> Iterator[bytes | UnreadableImage]:
    for image in images:
        try:
            yield image.read()
        except UnreadableImage as error:
            yield error


def _check(content: bytes | UnreadableImage) -> bytes | UnreadableImage:
    if isinstance(content, bytes):
        try:
            measure(content)
        except UnreadableImage as error:
            return error
    return content


def _paths(images: Sequence[SourceImage]) -> list[str]:
    """Where each image goes in the archive. File names stay, unless two would be the same."""
    folders = [f"{image.split}/{image.class_name}/" if image.split else f"{image.class_name}/" for image in images]
    paths = [folder + names.file_name(image.name) for folder, image in zip(folders, images, strict=True)]
    return names.distinct(paths, [image.name for image in images])


def _write(target: Path, files: Sequence[tuple[str, _Place]], scratch: IO[bytes]) -> None:
    with (
        zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive,
        bar("packing images", len(files), " images") as progress,
    ):
        for path, place in files:
            info = zipfile.ZipInfo(path, _NO_DATE)
            info.create_system = _MADE_ON_UNIX
            info.external_attr = _MODE
            scratch.seek(place.offset)
            archive.writestr(info, scratch.read(place.size))
            progress.update(1)


def _check_labels(target: Path, source: str, images: dict[str, SourceImage]) -> None:
    """Prove that the archive reads as what was packed: a class called "train" might be taken for a split."""
    with open_archive(target) as archive:
        found = {image.name: (image.class_name, image.split) for image in archive.images}
    if found != {path: (image.class_name, image.split) for path, image in images.items()}:
        raise InputError(
            f"{source}: packed, its class folders would be taken for splits: rename those called train, "
            "validation or test"
        )
