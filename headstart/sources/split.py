"""Which images of a source go to which split: how many of each class, drawn from where, in which order."""

import hashlib
import math
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Literal

from headstart.images.manifest import SPLITS
from headstart.images.names import by_number, file_name
from headstart.sources.source import SourceImage

# Images per class (an int from 1) or a fraction of the class's usable images (a float above 0, up to 1).
Counts = Mapping[str, int | float]
Order = Literal["number", "random"]

# Where the images of a split are drawn from: a split of the source, or None for a source without splits.
Origin = str | None

# Fractions are decimal in params.yaml and binary here: 0.7 + 0.2 + 0.1 must still make a whole.
ROUNDING = 1e-9

# The word a file name begins with; digests begin with a letter or two as often as not.
_KIND = re.compile(r"[^\W\d_]{3}[^\d]*")
_ENOUGH_OF_A_KIND = 3
_UNUSED = ""


def rounded_down(share: float, digits: int) -> float:
    """Round a share down to so many decimals: shares that make a whole add up to no more as they are written."""
    steps = 10.0**digits
    return math.floor(share * steps + ROUNDING) / steps


def origins(source_splits: Collection[Origin]) -> dict[Origin, list[str]]:
    """Say which splits are drawn from which part of the source.

    A source without splits feeds all three. In a source that is already split, each feeds its own; what it
    lacks is drawn from its training images.

    Args:
        source_splits: the splits that the source's images are in: None alone, or "train" and others.

    Returns:
        For each part of the source the splits it feeds, in the order in which they are filled.
    """
    fed: dict[Origin, list[str]] = {}
    for split in SPLITS:
        origin = None if None in source_splits else split if split in source_splits else "train"
        fed.setdefault(origin, []).append(split)
    return fed


def ordered(images: Sequence[SourceImage], order: Order, seed: int) -> list[int]:
    """Put images of one class into the order in which they are taken.

    Args:
        images: images of one class.
        order: "number": by the numbers in their file names. "random": shuffled by the SHA-256 of seed, class
            and file name, so that the order is the same on every system and however the source is packed,
            and adding images leaves the others' order alone.
        seed: any integer; only "random" uses it.

    Returns:
        Positions in ``images``.
    """
    places = sorted(range(len(images)), key=lambda place: by_number(images[place].name))
    return places if order == "number" else sorted(places, key=lambda place: _lot(images[place], seed))


def _lot(image: SourceImage, seed: int) -> bytes:
    return hashlib.sha256(f"{seed}\0{image.class_name}\0{file_name(image.name)}".encode()).digest()


def asked(origin: Origin, counts: Counts) -> dict[str, int | float]:
    """What the splits that are drawn from one part of the source ask for.

    If the source is already split, fractions only say how splits that share a part divide it: all of each
    part is used, unless a number asks for less.
    """
    if origin is None or any(isinstance(count, int) for count in counts.values()):
        return dict(counts)
    whole = math.fsum(counts.values())
    return {name: count / whole for name, count in counts.items()}


def needed(counts: Sequence[int | float], images: int) -> int:
    """How many of a class's ``images`` these splits need examined: all where one asks for a fraction."""
    return images if any(isinstance(count, float) for count in counts) else int(sum(counts))


def sizes(counts: Sequence[int | float], images: int) -> list[int] | None:
    """Divide a class's images among the splits that draw on them.

    Fractions are rounded so that their running sum is right: fractions that make a whole leave nothing over.

    Args:
        counts: for each of these splits a number of images or a fraction.
        images: how many usable images there are.

    Returns:
        For each split its number of images, or None if there are too few for one image a split.
    """
    total = 0.0
    result = []
    for count in counts:
        if isinstance(count, int):
            result.append(count)
        else:
            before = _rounded(total * images)
            total += count
            result.append(_rounded(total * images) - before)
    return result if sum(result) <= images and min(result) >= 1 else None


def blocks(drawn: Mapping[str, Sequence[str]], unused: Sequence[str] = ()) -> list[str]:
    """Kinds of images that one split has alone, or none, though there are enough of them for all.

    Images of one class often are of kinds that their names show: ``balinese 1.jpg``, ``siamese 1.jpg``, or folders
    below the class. Taken in the order of their names, kinds make blocks.

    Args:
        drawn: for each split drawn from one class the paths of its images.
        unused: those of the images that are left over.

    Returns:
        The kinds, sorted; empty where there is just one.
    """
    reached: dict[str, Counter[str]] = defaultdict(Counter)
    for split_name, paths in drawn.items():
        for path in paths:
            reached[_kind(path)][split_name] += 1
    for path in unused:
        reached[_kind(path)][_UNUSED] += 1
    if len(reached) < 2 or len(drawn) < 2:
        return []
    return sorted(
        kind
        for kind, splits in reached.items()
        if len(splits.keys() - {_UNUSED}) < 2 and splits.total() >= _ENOUGH_OF_A_KIND
    )


def _kind(path: str) -> str:
    folder, _, file = path.rpartition("/")
    match = _KIND.match(file)
    return f"{folder}/{match[0] if match else ''}".strip("/ _-.(")


def _rounded(value: float) -> int:
    return math.floor(value + 0.5 + ROUNDING)
