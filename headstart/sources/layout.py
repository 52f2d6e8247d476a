"""Reads labels off paths: which class an image belongs to, and which split if the source has splits.

Four layouts are known, each also inside wrapping folders (``dataset/images/…``):

- a folder per class: ``cat/1.jpg``, at any depth below the class (``cat/2019/1.jpg``);
- Kaggle's flat one: ``cat.0.jpg``, the class being the text before the first dot and number;
- a flat one with a word and a number: ``Abyssinian_1.jpg``;
- any of them below folders that are splits, such as ``train/``, ``val/`` and ``test/``.
"""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from headstart.foundation.errors import InputError

_SPLIT_WORDS = {
    **dict.fromkeys(["train", "training", "trainset", "traindata", "trn"], "train"),
    **dict.fromkeys(["validation", "validate", "valid", "val", "valset", "validset", "dev", "devset"], "validation"),
    **dict.fromkeys(["test", "testing", "testset", "testdata", "tst", "evaluation", "eval", "holdout"], "test"),
}
# What may accompany such a word in a folder's name without making it anything but a split.
_AFFIX = re.compile(
    r"sets?|data|datasets?|splits?|folder|dir|images?|imgs?|pictures?|pics?|photos?|seg|samples?|full|all|jpe?g|png"
)
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")

_DOTTED_NAME = re.compile(r"(?P<class_name>.+?)\.[0-9]+(\.|$)", re.DOTALL)
_NUMBERED_NAME = re.compile(r"(?P<class_name>[^0-9]*[^\W\d_][^0-9]*?)[ _-]+\(?[0-9]+\)?", re.DOTALL)
# Cameras, phones and people number pictures of anything after these words: they name no class.
_ANY_PICTURE = re.compile(
    r"img|imag|images?|dscn?|dscf|dcim|pxl|mvi|pics?|pictures?|photos?|foto|frame|scan|screenshot|file|samples?|"
    r"untitled|snapshot|whatsapp.*",
    re.IGNORECASE,
)
# A flat folder counts as numbered words if each word has at least this many images.
_FEWEST_OF_A_WORD = 2

# What operating systems, viewers and archivers leave beside images. Names that begin with a dot go too.
_LITTER = frozenset({"__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", "@eadir", "$recycle.bin"})

_NO_CLASS = "no class: neither in a class folder nor named like cat.0.jpg"

_Parts = list[list[str]]


@dataclass(frozen=True)
class Label:
    """What is known of an image: ``split`` is None where the source isn't split, ``group`` "" where it has none."""

    class_name: str
    split: str | None
    group: str = ""


@dataclass(frozen=True)
class Unlabelled:
    """Why a path gives no label."""

    reason: str


@dataclass(frozen=True)
class Layout:
    """How a source is arranged."""

    labels: list[Label | Unlabelled]  # each image's label by its path, in the images' order
    wrappers: list[str] = field(default_factory=list)  # the folders that wrap all images, outermost first
    splits: dict[str, str] = field(default_factory=dict)  # the folders below these that are splits, and which
    # For each of them the folders that wrap all of its images once more.
    inner: dict[str, list[str]] = field(default_factory=dict)
    by_folder: bool = True  # whether classes are folders
    # Lines for a person, about what was found out and might be otherwise.
    notes: list[str] = field(default_factory=list)
    hint: str = ""  # what to add to the message where no classes are found

    def class_of_folder(self, folder: str) -> str | None:
        """The class that a folder is in or stands for; None if it is outside the classes."""
        parts = self._from_class(folder)
        return normal(parts[0]) if parts else None

    def folder_below_class(self, path: str) -> str:
        """The name of the folder between an image and its class, or "" if there isn't one."""
        folder = path.rpartition("/")[0]
        if not self.by_folder:
            return folder
        return "/".join((self._from_class(folder) or [])[1:2])

    def _from_class(self, folder: str) -> list[str] | None:
        """The parts of a folder's path from the class on; None if it is not in a class."""
        parts = folder.split("/")
        if not self.by_folder or parts[: len(self.wrappers)] != self.wrappers:
            return None
        parts = parts[len(self.wrappers) :]
        if self.splits:
            if not parts or parts[0] not in self.splits:
                return None
            inner = self.inner[parts[0]]
            if parts[1 : 1 + len(inner)] != inner:
                return None
            parts = parts[1 + len(inner) :]
        return parts or None


def is_litter(part: str) -> bool:
    """Whether a file or folder of this name is passed over in silence: hidden, or left by a system."""
    return part.startswith(".") or part.lower() in _LITTER


def split_named(name: str) -> str | None:
    """The split that a name alone means, as ``train``, ``Valid`` or ``test_set`` do; None if it means none."""
    split, rest = _split_and_rest(name)
    return split if all(_AFFIX.fullmatch(word) or word.isdigit() for word in rest) else None


def find(paths: Sequence[str], source: str) -> Layout:
    """Find the layout of a source and read every image's label off its path, ``/`` between the parts.

    Raises:
        InputError: there is a validation or a test folder, but none to train from.
    """
    parts, wrappers = _unwrapped([path.split("/") for path in paths])
    splits = _split_folders(parts, source)
    if not splits:
        if _splits_below_classes(parts):
            parts = [[path[1], path[0], *path[2:]] for path in parts]
            labels = [Label(normal(path[1]), split_named(path[0])) for path in parts]
            return Layout(list(labels), wrappers)
        labels_found, by_folder, notes = _classes(parts)
        return Layout(labels_found, wrappers, by_folder=by_folder, notes=notes)
    labels_of: list[Label | Unlabelled] = [
        Unlabelled(_outside(path, splits)) if len(path) == 1 or path[0] not in splits else Unlabelled(_NO_CLASS)
        for path in parts
    ]
    inside = [index for index, path in enumerate(parts) if len(path) > 1 and path[0] in splits]
    inner = {top: _inner_wrappers([parts[index][1:] for index in inside if parts[index][0] == top]) for top in splits}
    below = [parts[index][1 + len(inner[parts[index][0]]) :] for index in inside]
    # Where there is only a train folder, which is how Kaggle ships what has labels, nothing is split yet.
    is_split = set(splits.values()) != {"train"}
    labels_found, by_folder, notes = _classes(below)
    for index, found in zip(inside, labels_found, strict=True):
        if isinstance(found, Label) and is_split:
            found = Label(found.class_name, splits[parts[index][0]])
        labels_of[index] = found
    return Layout(labels_of, wrappers, splits, inner, by_folder, notes)


def folder_splits(paths: Sequence[str]) -> list[str | None]:
    """The splits by the names of folders alone; None for all unless the folders divide all images."""
    parts = [path.split("/") for path in paths]
    while parts and all(len(path) > 1 and path[0] == parts[0][0] for path in parts):
        parts = [path[1:] for path in parts]
    splits = _named_as_splits(sorted({path[0] for path in parts if len(path) > 1}))
    found = [splits.get(path[0]) if len(path) > 1 else None for path in parts]
    return found if "train" in found and None not in found and len(set(found)) > 1 else [None] * len(found)


def label(paths: Sequence[str], source: str) -> list[Label | Unlabelled]:
    """The labels of :func:`find` alone."""
    return find(paths, source).labels


def _outside(path: list[str], splits: dict[str, str]) -> str:
    outside = f"outside the {_listed(sorted(splits))} folder{'s' if len(splits) > 1 else ''}"
    return f"{outside}: in {path[0]!r}" if len(path) > 1 else outside


def _unwrapped(parts: _Parts) -> tuple[_Parts, list[str]]:
    """Strip the folders that wrap all of the images and so say nothing about any; return them as well."""
    wrappers = []
    while parts and all(len(path) > 1 and path[0] == parts[0][0] for path in parts):
        inner = [path[1:] for path in parts]
        if not any(isinstance(found, Label) for found in _classes(inner)[0]):
            break  # It is no wrapper but the only class.
        wrappers.append(parts[0][0])
        parts = inner
    return parts, wrappers


def _inner_wrappers(parts: _Parts) -> list[str]:
    """Folders that wrap a split's images again: popular downloads hold ``seg_train/seg_train/…``."""
    wrappers: list[str] = []
    while parts and all(len(path) > 1 and path[0] == parts[0][0] for path in parts):
        name = parts[0][0]
        if not split_named(name) and not _AFFIX.fullmatch(name.lower()):
            break
        wrappers.append(name)
        parts = [path[1:] for path in parts]
    return wrappers


def _split_and_rest(name: str) -> tuple[str | None, tuple[str, ...]]:
    """The one split that a word of ``name`` means, and its other words; (None, ()) if there isn't one."""
    words = [word.lower() for word in _WORD.findall(name)]
    found = {_SPLIT_WORDS[word] for word in words if word in _SPLIT_WORDS}
    if len(found) != 1:
        return None, ()
    return found.pop(), tuple(word for word in words if word not in _SPLIT_WORDS)


def _split_folders(parts: _Parts, source: str) -> dict[str, str]:
    """Map the top folders that are splits to the splits' names; empty if the source has none."""
    tops = sorted({path[0] for path in parts if len(path) > 1})
    splits = _named_as_splits(tops)
    to_train = {top for top, split in splits.items() if split == "train"}
    if len(splits) == len(tops) > 1 and not to_train:
        raise InputError(f"{source}: found {_listed(tops)}, but no train folder: add one")
    if len(splits) == len(tops):
        return splits
    # Next to other folders, "train" may as well be a class: of vehicles, say. Then it has no classes inside.
    inside = [path[1:] for path in parts if len(path) > 1 and path[0] in to_train]
    inside = [path[len(_inner_wrappers(inside)) :] for path in inside]
    classes = {found.class_name for found in _classes(inside)[0] if isinstance(found, Label)}
    return splits if len(classes) > 1 else {}


def _named_as_splits(tops: Sequence[str]) -> dict[str, str]:
    """Folders that are named as splits: by a word for one alone, with usual affixes, or with the same affix as others.

    ``train_station`` alone is not a split; next to ``test_station`` it is.
    """
    read = {top: _split_and_rest(top) for top in tops}
    similar: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for split, rest in read.values():
        if split:
            similar[rest].add(split)
    return {top: split for top, (split, rest) in read.items() if split and (split_named(top) or len(similar[rest]) > 1)}


def _splits_below_classes(parts: _Parts) -> bool:
    """Whether each class folder is divided into splits: ``cat/train/1.jpg``, ``cat/test/2.jpg``."""
    if not parts or any(len(path) < 3 for path in parts):
        return False
    found = {split_named(path[1]) for path in parts}
    return None not in found and "train" in found and len(found) > 1


def _classes(parts: _Parts) -> tuple[list[Label | Unlabelled], bool, list[str]]:
    """Read classes from folders or from flat names: one of both for all, whichever more images follow.

    Returns:
        A label for each image, whether classes are folders, and lines for a person.
    """
    in_folders = sum(len(path) > 1 for path in parts)
    notes: list[str] = []
    names = [_dotted(path) for path in parts]
    by_folder = not sum(name is not None for name in names) > in_folders
    if by_folder:
        numbered = None if in_folders else _numbered(parts)
        if numbered is not None:
            names, by_folder = list(numbered), False
            notes.append(
                f"classes are the words before the numbers in the files' names, as {names[0]!r} in "
                f"{parts[0][0]!r}: set prepare.pattern if that is wrong"
            )
        else:
            names = [path[0] if len(path) > 1 else None for path in parts]
    labels = [Unlabelled(_NO_CLASS) if name is None else Label(normal(name), None) for name in names]
    return labels, by_folder, notes


def _dotted(path: list[str]) -> str | None:
    match = _DOTTED_NAME.match(path[0]) if len(path) == 1 else None
    return match["class_name"] if match else None


def _numbered(parts: _Parts) -> list[str] | None:
    """The words before the numbers, ``Abyssinian`` of ``Abyssinian_1.jpg``; None unless they are surely classes."""
    matches = [_NUMBERED_NAME.fullmatch(PurePosixPath(path[0]).stem) for path in parts]
    words = [match["class_name"] for match in matches if match]
    if len(words) < len(parts):
        return None
    counts = Counter(words)
    sure = len(counts) > 1 and min(counts.values()) >= _FEWEST_OF_A_WORD
    return words if sure and not any(_ANY_PICTURE.fullmatch(word) or split_named(word) for word in counts) else None


def normal(class_name: str) -> str:
    """One spelling of names that look the same: macOS writes "é" as two characters, other systems as one."""
    return unicodedata.normalize("NFC", class_name)


def _listed(names: Sequence[str]) -> str:
    return " and ".join(", ".join(names).rsplit(", ", 1))
