"""Opens whatever ``prepare.source`` names: a folder, an archive, or an entry of the catalog."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from dataclasses import fields
from pathlib import Path

from headstart.foundation.errors import InputError
from headstart.sources import archives, folders
from headstart.sources.dropped import in_brackets
from headstart.sources.labelling import labelled
from headstart.sources.layout import Label, Layout
from headstart.sources.listing import Listing
from headstart.sources.reading import DEFAULT, Reading
from headstart.sources.source import Dropped, Source, SourceImage

# Of entries of the catalog.
CATALOG_SUFFIXES = frozenset({".yaml", ".yml"})
_CLASSES_SHOWN = 5
_ARCHIVES_SHOWN = 3


def open_source(path: Path, store: Path, reading: Reading = DEFAULT) -> Source:
    """Open a source of labelled images: a folder, a zip or tar archive, or an entry of data/catalog/.

    :mod:`headstart.sources.layout` says how the first two may be arranged. A catalog entry keeps what it downloads in
    ``store``.

    Raises:
        InputError: there is nothing of that kind, no two classes of images in it, or an entry of the catalog is to be
            read otherwise than it is.
    """
    if path.suffix in CATALOG_SUFFIXES:
        # Entries of the catalog are archives too, so that module imports this one.
        from headstart.sources import catalog

        for field in fields(Reading):
            found, expected = getattr(reading, field.name), getattr(DEFAULT, field.name)
            if found != expected:
                raise InputError(
                    f"params.yaml: prepare.{field.name}: found {found!r}, expected {expected!r} with {path}: "
                    "an entry of the catalog has its classes and splits by itself"
                )
        return catalog.open_entry(path, store)
    return open_files(path, reading)


def open_files(path: Path, reading: Reading = DEFAULT) -> Source:
    """Open a folder, or a zip or tar archive, of labelled images.

    Raises:
        InputError: there is nothing of that kind, or no two classes of images in it.
    """
    try:
        if path.is_dir():
            return arrange(folders.list_folder(path), str(path), reading)
        if path.is_file():
            return open_archive(path, reading)
        found = "neither a file nor a folder" if path.exists() else "no such file or folder"
    except OSError as error:
        found = f"can't be opened ({error.strerror})"
    raise InputError(f"{path}: {found}; expected a folder of images, an archive or an entry of data/catalog/")


def open_archive(path: Path, reading: Reading = DEFAULT) -> Source:
    """Open a zip or tar archive of labelled images.

    Raises:
        InputError: it isn't one, must not be read, or holds no two classes of images.
    """
    return arrange(archives.list_archive(path, reading.name_encoding), str(path), reading)


def arrange(listing: Listing, name: str, reading: Reading = DEFAULT) -> Source:
    """Give each entry of ``listing`` its label; entries without one are dropped.

    Raises:
        InputError: there are no images, none with a class, or there is one class only; or a class has none.
    """
    source = Source(name, [], listing.dropped, listing.close, notes=listing.notes)
    source.may_lack = reading.empty_classes == "leave_out"
    try:
        layout = labelled(listing, name, reading)
        source.notes += layout.notes
        for entry, found in zip(listing.entries, layout.labels, strict=True):
            if not isinstance(found, Label):
                source.dropped.append(Dropped(entry.name, "", found.reason))
            elif entry.fault:
                source.dropped.append(Dropped(entry.name, found.class_name, entry.fault))
            else:
                image = SourceImage(entry.name, found.class_name, found.split, entry.read, entry.likeness, found.group)
                source.images.append(image)
        check_classes(source, _class_folders(listing, layout), layout.hint)
    except BaseException:
        source.close()
        raise
    return source


def _class_folders(listing: Listing, layout: Layout) -> dict[str, list[Dropped]]:
    """The classes that have a folder, with or without images, and which files in it are not images."""
    inside: dict[str, list[Dropped]] = defaultdict(list)
    for folder in listing.folders:
        if (class_name := layout.class_of_folder(folder)) is not None:
            inside[class_name] += []
    folders_found = set(listing.folders)
    for item in listing.dropped:
        folder = item.name if item.name in folders_found else item.name.rpartition("/")[0]
        if not item.class_name and folder and (class_name := layout.class_of_folder(folder)) is not None:
            inside[class_name].append(item)
    return inside


def check_classes(source: Source, folders: dict[str, list[Dropped]] | None = None, hint: str = "") -> None:
    """Check that there are two classes at least, and that none has vanished.

    Args:
        source: the images, and what was dropped.
        folders: further classes that there should be, with what is there instead of images.
        hint: what to add to the message if there are too few classes.

    Raises:
        InputError: there are fewer than two classes, or one has no images and ``source.may_lack`` is false.
    """
    classes = Counter(image.class_name for image in source.images)
    if len(classes) > 1:
        _check_no_class_vanished(source, classes, folders or {})
        return
    expected = (
        "expected two classes or more: a folder per class, names like cat.0.jpg, a table of labels, or prepare.pattern"
        + hint
    )
    if not classes:
        inner = sorted(item.name for item in source.dropped if _is_archive(item))
        if inner:
            more = ", …" if len(inner) > _ARCHIVES_SHOWN else ""
            raise InputError(
                f"{source.name}: no images found, but archives inside ({', '.join(inner[:_ARCHIVES_SHOWN])}{more}): "
                "unpack it and give the one with the labelled images"
            )
        raise InputError(f"{source.name}: no images found{in_brackets(source.dropped)}; {expected}")
    ((only, count),) = classes.items()
    raise InputError(
        f"{source.name}: one class only, {only!r} ({count:,} images){in_brackets(source.dropped)}; {expected}"
    )


def _is_archive(item: Dropped) -> bool:
    return item.reason.partition(":")[0].endswith(" archive")


def _check_no_class_vanished(source: Source, found: Collection[str], folders: dict[str, list[Dropped]]) -> None:
    dropped: dict[str, list[Dropped]] = defaultdict(list, {name: list(items) for name, items in folders.items()})
    for item in source.dropped:
        if item.class_name:
            dropped[item.class_name].append(item)
    vanished = sorted(set(dropped) - set(found))
    if not vanished:
        return
    which = "; ".join(_vanished(vanished, dropped))
    if source.may_lack:
        source.notes.append(f"{source.name}: classes without a usable image are left out: {which}")
    else:
        raise InputError(
            f"{source.name}: a class without a usable image: {which}; add or convert its images, remove its folder, or "
            "leave such classes out with prepare.empty_classes=leave_out"
        )


def _vanished(classes: list[str], dropped: dict[str, list[Dropped]]) -> Iterator[str]:
    for name in classes[:_CLASSES_SHOWN]:
        yield f"{name!r}{in_brackets(dropped[name]) or ' (an empty folder)'}"
    if len(classes) > _CLASSES_SHOWN:
        yield f"and {len(classes) - _CLASSES_SHOWN:,} others"
