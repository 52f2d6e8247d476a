"""Reads labels off paths: which class an image belongs to, and which split if the source has splits.

Three layouts are known, each also inside wrapping folders (``dataset/images/…``):

- a folder per class: ``cat/1.jpg``, at any depth below the class (``cat/2019/1.jpg``);
- Kaggle's flat one: ``cat.0.jpg``, the class being the text before the first dot and number;
- either of them below ``train/``, ``validation/`` (or ``val/``, ``valid/``) and ``test/``.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from headstart.foundation.errors import InputError

_SPLIT_FOLDERS = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "test": "test",
    "testing": "test",
}
_FLAT_NAME = re.compile(r"(?P<class_name>.+?)\.[0-9]+(\.|$)", re.DOTALL)

# What operating systems, viewers and archivers leave beside images. Names that begin with a dot go too.
_LITTER = frozenset({"__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", "@eadir", "$recycle.bin"})

_NO_CLASS = "no class: neither in a class folder nor named like cat.0.jpg"


@dataclass(frozen=True)
class Label:
    """What a path says of its image; ``split`` is None where the source isn't split."""

    class_name: str
    split: str | None


@dataclass(frozen=True)
class Unlabelled:
    """Why a path says nothing."""

    reason: str


def is_litter(part: str) -> bool:
    """Whether a file or folder of this name is passed over in silence: hidden, or left by a system."""
    return part.startswith(".") or part.lower() in _LITTER


def label(paths: Sequence[str], source: str) -> list[Label | Unlabelled]:
    """Find the layout of a source and read every image's label.

    Args:
        paths: the images' paths inside the source, ``/`` between the parts.
        source: what messages call it.

    Returns:
        One label for each path, in the same order.

    Raises:
        InputError: there is a validation or a test folder, but none to train from.
    """
    parts = _unwrapped([path.split("/") for path in paths])
    splits = _split_folders(parts, source)
    if not splits:
        return _classes(parts)
    inside = [index for index, path in enumerate(parts) if len(path) > 1 and path[0] in splits]
    outside = Unlabelled("outside the train, validation and test folders")
    labels: list[Label | Unlabelled] = [outside] * len(parts)
    # Where there is only a train folder, which is how Kaggle ships what has labels, nothing is split yet.
    is_split = set(splits.values()) != {"train"}
    for index, found in zip(inside, _classes([parts[index][1:] for index in inside]), strict=True):
        if isinstance(found, Label) and is_split:
            found = Label(found.class_name, splits[parts[index][0]])
        labels[index] = found
    return labels


def _unwrapped(parts: list[list[str]]) -> list[list[str]]:
    """Strip the folders that wrap all of the images and so tell nothing about any."""
    while parts and all(len(path) > 1 and path[0] == parts[0][0] for path in parts):
        inner = [path[1:] for path in parts]
        if not any(isinstance(found, Label) for found in _classes(inner)):
            break  # It is no wrapper but the only class.
        parts = inner
    return parts


def _split_folders(parts: list[list[str]], source: str) -> dict[str, str]:
    """Map the top folders that are splits to the splits' names; empty if the source has none."""
    tops = {path[0] for path in parts if len(path) > 1}
    splits = {top: _SPLIT_FOLDERS[top.lower()] for top in tops if top.lower() in _SPLIT_FOLDERS}
    to_train = {top for top, split in splits.items() if split == "train"}
    if len(splits) == len(tops) > 1 and not to_train:
        raise InputError(f"{source}: found {' and '.join(sorted(tops))}, but no train folder: add one")
    if len(splits) == len(tops):
        return splits
    # Beside other folders, "train" may as well be a class: of vehicles, say. Then it has no classes inside.
    inside = _classes([path[1:] for path in parts if len(path) > 1 and path[0] in to_train])
    classes = {found.class_name for found in inside if isinstance(found, Label)}
    return splits if len(classes) > 1 else {}


def _classes(parts: list[list[str]]) -> list[Label | Unlabelled]:
    """Read classes from folders or from flat names: one of both for all, whichever more images follow."""
    flat = [_FLAT_NAME.match(path[0]) if len(path) == 1 else None for path in parts]
    if sum(match is not None for match in flat) > sum(len(path) > 1 for path in parts):
        names = [match["class_name"] if match else None for match in flat]
    else:
        names = [path[0] if len(path) > 1 else None for path in parts]
    return [Unlabelled(_NO_CLASS) if name is None else Label(_normal(name), None) for name in names]


def _normal(class_name: str) -> str:
    """One spelling of names that look the same: macOS writes "é" as two characters, other systems as one."""
    return unicodedata.normalize("NFC", class_name)
