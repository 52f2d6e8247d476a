"""Photographs of one scene that nobody has said to be: those of a burst, and nearly identical pictures."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from headstart.images.near_duplicates import near_duplicates, thumbnails

# What happens to them: they are groups, a person is told of bursts, or nobody looks.
LookAlikes = Literal["grouped", "told", "ignored"]


def pairs(files: Sequence[tuple[Path, int, int]], white: int) -> list[tuple[int, int]]:
    """Return the places of every two pictures that are nearly identical.

    Args:
        files: each picture with its width and height.
        white: the value that is shown white in images of 16 bits.
    """
    if not files:
        return []
    return [(pair.first, pair.second) for pair in near_duplicates(thumbnails(files, white))]


def groups(names: Sequence[str], bursts: Mapping[int, str], alike: Sequence[tuple[int, int]]) -> dict[int, str]:
    """Return the group of every picture that is in one, by its place: whatever leads to one another, step by step.

    Args:
        names: of all pictures.
        bursts: the burst of those that are in one.
        alike: the places of two that belong together.
    """
    begins: dict[str, int] = {}
    links = [(begins.setdefault(burst, place), place) for place, burst in bursts.items()] + list(alike)
    if not links:
        return {}
    first, second = np.array(links).T
    linked = coo_array((np.ones(len(links)), (first, second)), shape=(len(names), len(names)))
    _, component = connected_components(linked, directed=False)
    called: dict[int, str] = {}
    for place, burst in bursts.items():
        called.setdefault(component[place], burst)
    grouped = sorted({*first.tolist(), *second.tolist()})
    for place in grouped:
        called.setdefault(component[place], f"like {names[place]}")
    return {place: called[component[place]] for place in grouped}


def note(alike: Sequence[tuple[int, int]]) -> list[str]:
    """A line about near-duplicates, if there are any."""
    images = len({place for pair in alike for place in pair})
    return [f"{images:,} images are nearly identical to others, with which they stay"] if images else []
