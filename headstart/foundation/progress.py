"""Progress on long work: a bar in a terminal, a line now and then elsewhere."""

import sys
from collections.abc import Iterable
from typing import Any, TypeVar

from tqdm import tqdm

T = TypeVar("T")

# Seconds between two updates where nobody watches: often enough to show life, rare enough for a log.
_LOG_INTERVAL = 15.0


def bar(description: str, total: int | None, unit: str, done: int = 0) -> "tqdm[Any]":
    """A progress bar to ``update(n)``; use it in a ``with`` statement.

    Args:
        description: what is being done, in a few words.
        total: how many units there are, or None where that isn't known.
        unit: what is counted, for example " images".
        done: how many were finished by an earlier, interrupted run.
    """
    watched = sys.stderr.isatty()
    return tqdm(
        desc=description,
        total=total,
        initial=done,
        unit=unit,
        mininterval=0.1 if watched else _LOG_INTERVAL,
        maxinterval=10.0 if watched else _LOG_INTERVAL,
        dynamic_ncols=watched,
        ncols=None if watched else 80,
    )


def end_bars() -> None:
    """End every bar where it stands, so that what is told next has a line of its own."""
    for progress in tuple(tqdm._instances):
        progress.close()


def track(items: Iterable[T], description: str, total: int | None, unit: str) -> Iterable[T]:
    """Yield ``items`` while a bar counts them."""
    with bar(description, total, unit) as progress:
        for item in items:
            yield item
            progress.update(1)
