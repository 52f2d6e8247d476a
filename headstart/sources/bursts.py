"""Bursts: photographs that one camera took so soon after each other that they show the same scene."""

from collections.abc import Hashable, Mapping
from datetime import timedelta
from itertools import groupby, pairwise
from typing import TypeVar

from headstart.images.exif import Shot

K = TypeVar("K", bound=Hashable)

# From one picture of a burst to the next. People who photograph one thing several times take seconds for it.
_SOON = timedelta(seconds=10)
# Part of the images in bursts from which it is worth a line, where nobody has asked for them.
_LEAST_SHARE = 0.1


def find(shots: Mapping[K, Shot]) -> dict[K, str]:
    """Return the name of the burst of every photograph that is in one, by the keys of ``shots``."""
    found: dict[K, str] = {}
    by_camera = sorted(shots, key=lambda key: shots[key])
    for camera, keys in groupby(by_camera, key=lambda key: shots[key].camera):
        burst: list[K] = []
        in_turn = list(keys)
        for key, following in pairwise([*in_turn, None]):
            assert key is not None
            burst.append(key)
            if following is None or shots[following].time - shots[key].time > _SOON:
                if len(burst) > 1:
                    found |= dict.fromkeys(burst, f"{camera} {shots[burst[0]].time}")
                burst = []
    return found


def note(found: Mapping[K, str], images: int, kept: bool) -> list[str]:
    """A line about bursts, if there are any.

    Args:
        found: what :func:`find` gave.
        images: how many images there are.
        kept: whether they are kept together; otherwise the line is for many, and says how to.
    """
    bursts = f"{len(set(found.values())):,} bursts (one camera, {_SOON.seconds} seconds apart at the most)"
    if kept:
        return [f"{len(found):,} images are in {bursts}, which stay whole"] if found else []
    if len(found) < _LEAST_SHARE * images:
        return []
    return [f"{len(found):,} images are in {bursts}: keep each in one split with `dvc exp run -S prepare.group=auto`"]
