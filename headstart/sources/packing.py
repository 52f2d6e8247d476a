"""Packs the images of a source into one zip archive: the same images always give the same bytes."""

import csv
import io
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from headstart.foundation.errors import InputError
from headstart.foundation.progress import bar
from headstart.foundation.threads import map_ordered
from headstart.images import names
from headstart.images.images import UnreadableImage, measure
from headstart.sources.layout import Label, is_litter, label
from headstart.sources.source import Dropped, Source, SourceImage, contents
from headstart.sources.sources import check_classes, open_archive
from headstart.sources.tables import PACKED

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
    undated and uncompressed, since images don't get smaller. Groups, and what folders can't say, are in a
    table beside them. Nothing else of the files is kept.

    Each image is read once, in the source's own order. Meanwhile a second copy of the images lies beside ``target``.

    Returns:
        The images packed and everything that was dropped.

    Raises:
        InputError: fewer than two classes have images that decode.
    """
    with tempfile.TemporaryFile(dir=target.parent) as scratch:
        packed = Source(source.name, [], list(source.dropped), notes=source.notes, may_lack=source.may_lack)
        places: list[_Place] = []
        with bar("reading images", len(source.images), " images") as progress:
            for image, outcome in zip(source.images, map_ordered(_check, contents(source.images)), strict=True):
                progress.update(1)
                if isinstance(outcome, UnreadableImage):
                    packed.dropped.append(Dropped(image.name, image.class_name, outcome.reason))
                    continue
                places.append(_Place(scratch.tell(), len(outcome)))
                scratch.write(outcome)
                packed.images.append(image)
        check_classes(packed)
        paths = _paths(packed.images)
        files = sorted(zip(paths, places, strict=True), key=lambda item: item[0])
        _write(target, files, scratch, _table(paths, packed.images, source.name))
    _check_labels(target, source.name, dict(zip(paths, packed.images, strict=True)))
    return packed


def _check(content: bytes | UnreadableImage) -> bytes | UnreadableImage:
    if isinstance(content, bytes):
        try:
            measure(content)
        except UnreadableImage as error:
            return error
    return content


def _paths(images: Sequence[SourceImage]) -> list[str]:
    """Where each image goes in the archive. File names stay, unless two would be the same."""
    classes = {image.class_name: _folder(image.class_name) for image in images}
    folders = [f"{image.split}/" * bool(image.split) + f"{classes[image.class_name]}/" for image in images]
    paths = [folder + names.file_name(image.name) for folder, image in zip(folders, images, strict=True)]
    return names.distinct(paths, [image.name for image in images])


def _folder(class_name: str) -> str:
    """The name of a class's folder: the class's own, unless no folder can have it; a table then gives the class."""
    return names.portable([class_name])[0] if "/" in class_name or is_litter(class_name) else class_name


def _write(target: Path, files: Sequence[tuple[str, _Place]], scratch: IO[bytes], table: bytes | None) -> None:
    with (
        zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive,
        bar("packing images", len(files), " images") as progress,
    ):
        if table is not None:
            archive.writestr(_info(PACKED), table)
        for path, place in files:
            scratch.seek(place.offset)
            archive.writestr(_info(path), scratch.read(place.size))
            progress.update(1)


def _info(path: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(path, _NO_DATE)
    info.create_system = _MADE_ON_UNIX
    info.external_attr = _MODE
    return info


def _table(paths: Sequence[str], images: Sequence[SourceImage], source: str) -> bytes | None:
    """What folders and names can't say about the images, as a table; None if they say everything."""
    known = [Label(image.class_name, image.split, image.group) for image in images]
    try:
        if known == label(paths, source):
            return None
    except InputError:
        pass  # Without a table it would be refused, for want of a train folder.
    is_split = any(image.split for image in images)
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerow(["image", "label", "group", "split"][: 3 + is_split])
    for path, image in sorted(zip(paths, images, strict=True), key=lambda item: item[0]):
        writer.writerow([path, image.class_name, image.group, image.split or ""][: 3 + is_split])
    return text.getvalue().encode()


def _check_labels(target: Path, source: str, images: dict[str, SourceImage]) -> None:
    """Check that the archive is read as what was packed."""
    with open_archive(target) as archive:
        found = {image.name: (image.class_name, image.split, image.group) for image in archive.images}
    if found != {path: (image.class_name, image.split, image.group) for path, image in images.items()}:
        raise InputError(
            f"{source}: packed, it would be read differently: rename folders that have the names of splits"
        )
