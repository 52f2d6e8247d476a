"""Finds names that look like groups, and groups that a source's own splits divide."""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

# A name's beginning that others share: person23 of person23_bacteria_78.jpg, DSC_00 of DSC_00_01.jpg.
_WORD_AND_NUMBER = r"(?:^|/)(?P<group>[A-Za-z]+[0-9]+)[_-][^/]*$"
_GROUPED_NAMES = (
    _WORD_AND_NUMBER,
    r"(?:^|/)(?P<group>[^/]*[0-9])[_-][0-9]+[.][^/.]*$",
)
_LEAST_SHARE = 0.3
_FEWEST_GROUPS = 3
_LEAST_MEAN_SIZE = 1.5


@dataclass(frozen=True)
class Likely:
    """Names that look like groups: the pattern that reads them, how many there are, one of them, their images."""

    pattern: str
    groups: int
    example: str
    images: int


def likely(paths: Sequence[str]) -> Likely | None:
    """The groups that names look like, if many images have such names and groups have several images each."""
    found = [likely for text in _GROUPED_NAMES if (likely := _by(text, paths))]
    return max(found, key=lambda item: item.images, default=None)


def _by(text: str, paths: Sequence[str]) -> Likely | None:
    """The groups that one pattern reads, narrowed to the word that most of them begin with if there is one."""
    matches = [match["group"] for path in paths if (match := re.search(text, path))]
    if matches:
        word = Counter(re.sub("[0-9]+$", "", group) for group in matches).most_common(1)[0][0]
        if word.isalpha() and text == _WORD_AND_NUMBER:
            text = f"(?P<group>{word}[0-9]+)[_-]"
            matches = [match["group"] for path in paths if (match := re.search(text, path))]
    groups = Counter(matches)
    enough = len(matches) >= _LEAST_SHARE * len(paths) and len(groups) >= _FEWEST_GROUPS
    if not enough or len(matches) < _LEAST_MEAN_SIZE * len(groups):
        return None
    return Likely(text, len(groups), groups.most_common(1)[0][0], len(matches))


def divided(groups: Sequence[str], splits: Sequence[str | None]) -> dict[str, int]:
    """The groups that are in more than one split, and how many images each has."""
    found: dict[str, set[str | None]] = defaultdict(set)
    for group, split in zip(groups, splits, strict=True):
        if group:
            found[group].add(split)
    counts = Counter(groups)
    return {group: counts[group] for group, where in sorted(found.items()) if len(where) > 1}
