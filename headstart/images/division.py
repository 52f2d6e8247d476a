"""Divides images among splits or folds so that no group is divided."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


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
