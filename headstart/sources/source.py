"""A source of images, however it is stored: a list of named, labelled byte strings."""

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from headstart.images.unreadable import UnreadableImage


def _nothing() -> None:
    """Close a source that holds nothing open."""


@dataclass(frozen=True)
class SourceImage:
    """One image file of a source, not read yet."""

    name: str  # its path inside the source, with ``/`` between the parts; printable, valid Unicode
    class_name: str  # its label
    split: str | None  # "train", "validation" or "test" where the source is already split, else None
    # Returns the file's bytes; not for several threads at once. It raises
    # :class:`headstart.images.images.UnreadableImage` where this one file can't be had, and
    # :class:`headstart.foundation.errors.InputError` if the whole source is unusable.
    read: Callable[[], bytes]
    # What is known about the bytes without reading them, for example their size. Files of the same bytes must have the
    # same likeness; only those are hashed to find duplicates. The default makes every file worth hashing.
    likeness: Hashable = None
    group: str = ""  # what it belongs to together with others, a patient or a burst; "" where that isn't known


def contents(images: Iterable[SourceImage]) -> Iterator[bytes | UnreadableImage]:
    """Yield the bytes of each image, or why it can't be read."""
    for image in images:
        try:
            yield image.read()
        except UnreadableImage as error:
            yield error


@dataclass(frozen=True)
class Dropped:
    """A file that is dropped, with its class where one is known ("" otherwise) and the reason."""

    name: str
    class_name: str
    reason: str


@dataclass
class Source:
    """Labelled images that can be read one by one; use it in a ``with`` statement."""

    name: str  # what messages call it: the path or catalog entry the user gave
    images: list[SourceImage]  # every image in the order in which reading is quickest (an archive's own order)
    dropped: list[Dropped] = field(default_factory=list)  # what was seen and dropped, with reasons
    close: Callable[[], None] = _nothing  # closes what the source holds open
    credit: tuple[str, ...] = ()  # licence and citation, lines to print; none where they aren't known
    notes: list[str] = field(default_factory=list)  # lines to print about what was found out and might be otherwise
    may_lack: bool = False  # whether a class without usable images is left out; else it stops the run

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
