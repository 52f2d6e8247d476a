"""Divides images among splits so that no group is divided, and finds names that look like groups."""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
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
class Unit:
    """Images that stay together: how many of each class. An image without a group is a unit of its own."""

    classes: Mapping[str, int]


def divide(units: Sequence[Unit], targets: Mapping[str, Mapping[str, float]], everything: bool) -> list[str | None]:
    """Say for each unit which split it goes to, so that the splits come near to what they ask for.

    Greedy, in the style of scikit-learn's StratifiedGroupKFold: a unit goes where the squared distance from what
    is asked for, relative to it, falls most. A split that still lacks a class is served before units with that class
    run out. Where units hold one class each, a split misses what it asks for of it by less than its largest unit,
    as long as that leaves an image to each.

    Args:
        units: in the order in which they are taken, or of which the larger ones are taken first if all are.
        targets: for each split how many images of each class it asks for.
        everything: whether every unit has to go somewhere; else what is not needed is left over.

    Returns:
        A split for each unit, None for those left over.
    """
    order = list(range(len(units)))
    if everything:
        order.sort(key=lambda place: -sum(units[place].classes.values()))
    filled = {name: Counter[str]() for name in targets}
    waiting = Counter(kind for unit in units for kind in unit.classes)
    result: list[str | None] = [None] * len(units)
    for place in order:
        classes = units[place].classes
        lacking = {
            kind: [name for name, wanted in targets.items() if wanted.get(kind) and not filled[name][kind]]
            for kind in classes
        }
        urgent = {name for kind, names in lacking.items() if names and waiting[kind] <= len(names) for name in names}
        costs = {name: _cost(classes, filled[name], wanted) for name, wanted in targets.items()}
        open_ones = [
            name for name in targets if any(filled[name][kind] < targets[name].get(kind, 0) for kind in classes)
        ]
        if urgent:
            candidates = [name for name in targets if name in urgent]
        elif everything:
            candidates = open_ones or list(targets)
        else:
            lacking_ones = {name for names in lacking.values() for name in names}
            candidates = [name for name in open_ones if costs[name] < 0 or name in lacking_ones]
        for kind in classes:
            waiting[kind] -= 1
        if candidates:
            best = min(candidates, key=lambda name: costs[name])
            result[place] = best
            filled[best].update(classes)
    return result


def _cost(classes: Mapping[str, int], filled: Mapping[str, int], wanted: Mapping[str, float]) -> float:
    """By how much the squared distance from what is wanted, relative to it, rises if these images join."""
    return sum(
        count * (count + 2 * (filled[kind] - wanted.get(kind, 0))) / max(wanted.get(kind, 0), 1)
        for kind, count in classes.items()
    )


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
