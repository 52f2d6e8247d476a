"""Finds image files with the same bytes and decides which of them are kept.

The rules:

- within one class and split the first in natural order stays, the others are *duplicates*;
- the same bytes in two classes are a *conflict*: nobody can know which label is right, so all go;
- the same bytes in two splits of a source that is already split are a *leak*: a model would be scored
  on what it has learnt from. The one in the split that counts more stays: test, then validation.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from headstart.foundation.progress import track
from headstart.foundation.threads import map_ordered
from headstart.images.images import UnreadableImage
from headstart.images.manifest import SPLITS
from headstart.images.names import by_number
from headstart.sources.source import Dropped, SourceImage, contents


@dataclass
class Screened:
    """Images that are kept, in their order, and those that are left out, each kind in a list of its own."""

    images: list[SourceImage] = field(default_factory=list)
    unreadable: list[Dropped] = field(default_factory=list)
    duplicates: list[Dropped] = field(default_factory=list)
    conflicts: list[Dropped] = field(default_factory=list)
    leaks: list[Dropped] = field(default_factory=list)


def screen(images: list[SourceImage]) -> Screened:
    """Apply the rules above. Only files of equal likeness are read, since no others can be the same."""
    result = Screened()
    likenesses = Counter(image.likeness for image in images)
    same: dict[str, list[int]] = defaultdict(list)
    suspects = [place for place, image in enumerate(images) if likenesses[image.likeness] > 1]
    gone: set[int] = set()
    read: Iterable[bytes | UnreadableImage] = contents(images[place] for place in suspects)
    if suspects:
        read = track(read, "looking for duplicates", len(suspects), " images")
    digests = map_ordered(_digest, read)
    for place, digest in zip(suspects, digests, strict=True):
        if isinstance(digest, UnreadableImage):
            gone.add(place)
            result.unreadable.append(_drop(images[place], digest.reason))
        else:
            same[digest].append(place)
    for places in same.values():
        gone.update(_judge(places, images, result))
    result.images = [image for place, image in enumerate(images) if place not in gone]
    return result


def _digest(content: bytes | UnreadableImage) -> str | UnreadableImage:
    return content if isinstance(content, UnreadableImage) else hashlib.sha256(content).hexdigest()


def _judge(places: list[int], images: list[SourceImage], result: Screened) -> list[int]:
    """Record in ``result`` which of ``places``, all with the same bytes, are left out; return them."""
    if len(places) == 1:
        return []
    classes = sorted({images[place].class_name for place in places})
    if len(classes) > 1:
        reason = f"conflict: the same bytes in classes {', '.join(classes)}"
        result.conflicts += [_drop(images[place], reason) for place in places]
        return places
    places = sorted(places, key=lambda place: (_weight(images[place]), by_number(images[place].name)))
    kept = images[places[0]]
    for place in places[1:]:
        if images[place].split == kept.split:
            result.duplicates.append(_drop(images[place], f"duplicate: the same bytes as {kept.name}"))
        else:
            result.leaks.append(_drop(images[place], f"leak: the same bytes in {kept.split} as {kept.name}"))
    return places[1:]


def _weight(image: SourceImage) -> int:
    return 0 if image.split is None else -SPLITS.index(image.split)


def _drop(image: SourceImage, reason: str) -> Dropped:
    return Dropped(image.name, image.class_name, reason)
