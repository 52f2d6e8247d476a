"""Files and folders as a person names them on a command line: every file in them, each to be accounted for."""

import os
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from headstart.foundation.errors import InputError
from headstart.images.images import UnreadableImage
from headstart.images.names import natural
from headstart.sources import folders
from headstart.sources.listing import Listing, printable, refuse


class InputFile(NamedTuple):
    """A file that is to be looked at."""

    name: str  # its path as it was named, printable and valid Unicode: bytes that are no UTF-8 read ``\udcff``
    # Returns its bytes, in any thread; raises UnreadableImage if it can't be used as an image.
    read: Callable[[], bytes]


class Inputs(NamedTuple):
    """What was named: its files, and how many hidden files and folders of folders were passed over."""

    files: list[InputFile]
    passed_over: int


def gather(paths: Iterable[Path]) -> Inputs:
    """List every file of ``paths``: files as they come, those of a folder, at any depth, in natural order.

    Links inside folders are not followed; links that are named are. Nothing is read of what is no regular file.
    What can't be listed is a file that can't be read, so that the rest can be done.
    """
    files: list[InputFile] = []
    passed_over = 0
    for path in paths:
        listing, prefix = _list(path)
        found = [InputFile(prefix + entry.name, partial(_read, entry.read)) for entry in listing.entries]
        found += [InputFile(prefix + item.name, partial(refuse, item.reason)) for item in listing.dropped]
        files += sorted(found, key=lambda file: (natural(file.name), file.name))
        passed_over += listing.passed_over
    return Inputs(files, passed_over)


def _list(path: Path) -> tuple[Listing, str]:
    """List a file or folder; return with it the prefix of the names in it."""
    try:
        if os.path.isdir(path):  # noqa: PTH112 - Path.is_dir fails where it may not look
            return folders.list_folder(path), printable(str(path / "x"))[:-1]
        return folders.list_file(path), ""
    except InputError as error:
        listing = Listing()
        listing.drop(printable(str(path)), str(error))
        return listing, ""


def _read(read: Callable[[], bytes]) -> bytes:
    try:
        return read()
    except InputError as error:  # It vanished meanwhile. Here that concerns one file.
        raise UnreadableImage(str(error)) from None
