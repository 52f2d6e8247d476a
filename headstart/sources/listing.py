"""The contents of a folder or an archive before its layout is known: images, tables, and what is dropped."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from functools import partial
from pathlib import PurePosixPath
from typing import NoReturn

from headstart.images import formats
from headstart.images.images import MAX_BYTES, TOO_LARGE, UnreadableImage
from headstart.sources.source import Dropped

_TABLE_SUFFIXES = frozenset({".csv", ".tsv", ".txt"})


@dataclass(frozen=True)
class Entry:
    """A file that is an image by its name or by its first bytes."""

    name: str  # its path, ``/`` between the parts
    read: Callable[[], bytes]  # returns its bytes; see :class:`headstart.sources.source.SourceImage`
    likeness: Hashable  # likewise
    fault: str | None  # why it can't be used, where that is known already; ``read`` then raises it


@dataclass
class Listing:
    """The images of a source in the order in which reading is quickest, everything else in it, and how to close it."""

    entries: list[Entry] = field(default_factory=list)  # files that seem to be images
    dropped: list[Dropped] = field(default_factory=list)  # files that aren't, or can't be read
    folders: list[str] = field(default_factory=list)  # every folder, an empty one too; not those of ``passed_over``
    tables: list[Entry] = field(default_factory=list)  # files that may be tables of labels, by their names
    # Lines for a person, about what was found out and might be otherwise.
    notes: list[str] = field(default_factory=list)
    passed_over: int = 0  # how many hidden files and folders, and leftovers of operating systems, were skipped
    close: Callable[[], None] = lambda: None  # closes what is open

    def drop(self, name: str, reason: str) -> None:
        """Note that ``name`` is dropped. It has no class, being no image."""
        self.dropped.append(Dropped(name, "", reason))

    def add(
        self, name: str, size: int, read: Callable[[int], bytes], likeness: Hashable, fault: str | None = None
    ) -> None:
        """Judge a file by its name, or else by its first bytes, and note it as an image or as none.

        ``read`` returns its first N bytes, or raises UnreadableImage; a ``fault`` is why it must not be read.
        """
        if size == 0:
            fault = fault or "empty file"
        if size > MAX_BYTES:
            fault = fault or TOO_LARGE
        is_image = PurePosixPath(name).suffix.lower() in formats.SUFFIXES
        if not is_image and fault is None:
            try:
                head = read(min(size, formats.HEAD_BYTES))
            except UnreadableImage as error:
                fault = error.reason
            else:
                is_image = formats.is_image(head)
                fault = None if formats.supported(head) else formats.refusal(head)
        if is_image:
            whole = partial(refuse, fault) if fault else partial(read, size)
            self.entries.append(Entry(name, whole, likeness, fault))
        else:
            assert fault is not None
            self.drop(name, fault)
            if size and PurePosixPath(name).suffix.lower() in _TABLE_SUFFIXES:
                self.tables.append(Entry(name, partial(read, size), likeness, None))


def refuse(fault: str) -> NoReturn:
    """Say why a file can't be used, in place of reading it."""
    raise UnreadableImage(fault)


def printable(name: str) -> str:
    """Return ``name`` as valid Unicode: other bytes become escapes in ASCII."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")
