"""Opens whatever ``prepare.source`` names: a folder, an archive, or an entry of the catalog."""

from collections import Counter
from pathlib import Path

from headstart.foundation.errors import InputError
from headstart.sources import archives, folders
from headstart.sources.dropped import in_brackets
from headstart.sources.layout import Label, label
from headstart.sources.listing import Listing
from headstart.sources.source import Dropped, Source, SourceImage

_CATALOG_SUFFIXES = frozenset({".yaml", ".yml"})


def open_source(path: Path, store: Path) -> Source:
    """Open a source of labelled images.

    Args:
        path: a folder, a zip or tar archive, or an entry of data/catalog/. See ``layout`` for how the
            first two may be arranged.
        store: the folder where a catalog entry keeps what it downloads.

    Raises:
        InputError: there is nothing of that kind, or no two classes of images in it.
    """
    if path.suffix in _CATALOG_SUFFIXES:
        # Entries of the catalog are archives too, so that module imports this one.
        from headstart.sources import catalog

        return catalog.open_entry(path, store)
    return open_files(path)


def open_files(path: Path) -> Source:
    """Open a folder, or a zip or tar archive, of labelled images.

    Raises:
        InputError: there is nothing of that kind, or no two classes of images in it.
    """
    try:
        if path.is_dir():
            return arrange(folders.list_folder(path), str(path))
        if path.is_file():
            return open_archive(path)
        found = "neither a file nor a folder" if path.exists() else "no such file or folder"
    except OSError as error:
        found = f"can't be opened ({error.strerror})"
    raise InputError(f"{path}: {found}; expected a folder of images, an archive or an entry of data/catalog/")


def open_archive(path: Path) -> Source:
    """Open a zip or tar archive of labelled images.

    Raises:
        InputError: it isn't one, must not be read, or holds no two classes of images.
    """
    return arrange(archives.list_archive(path), str(path))


def arrange(listing: Listing, name: str) -> Source:
    """Give each entry of ``listing`` its label; what gets none joins what is dropped.

    Raises:
        InputError: there are no images, none with a class, or there is one class only.
    """
    source = Source(name, [], listing.dropped, listing.close)
    try:
        labels = label([entry.name for entry in listing.entries], name)
        for entry, found in zip(listing.entries, labels, strict=True):
            if not isinstance(found, Label):
                source.dropped.append(Dropped(entry.name, "", found.reason))
            elif entry.fault:
                source.dropped.append(Dropped(entry.name, found.class_name, entry.fault))
            else:
                image = SourceImage(entry.name, found.class_name, found.split, entry.read, entry.likeness)
                source.images.append(image)
        check_classes(source)
    except BaseException:
        source.close()
        raise
    return source


def check_classes(source: Source) -> None:
    """Check that there is something to tell apart.

    Raises:
        InputError: there are fewer than two classes.
    """
    classes = Counter(image.class_name for image in source.images)
    if len(classes) > 1:
        return
    expected = "expected two classes or more: a folder per class, or names like cat.0.jpg"
    if not classes:
        raise InputError(f"{source.name}: no images found{in_brackets(source.dropped)}; {expected}")
    ((only, count),) = classes.items()
    raise InputError(
        f"{source.name}: one class only, {only!r} ({count:,} images){in_brackets(source.dropped)}; {expected}"
    )
