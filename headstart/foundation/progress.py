"""Progress of long work: a bar in a terminal, elsewhere a line now and then; nothing if it is over soon."""

import sys
from collections.abc import Iterable
from typing import Any, TextIO, TypeVar

from tqdm import tqdm

T = TypeVar("T")

# Seconds between two updates where nobody watches: often enough to show life, rare enough for a log.
_LOG_INTERVAL = 15.0
_LOG_LINE = "{desc}: {n_fmt} of {total_fmt}{unit}, {remaining} left{postfix}"
_LOG_LINE_WITHOUT_TOTAL = "{desc}: {n_fmt}{unit} in {elapsed}{postfix}"


def bar(description: str, total: int | None, unit: str, done: int = 0) -> "tqdm[Any]":
    """A progress bar to ``update(n)``; use it in a ``with`` statement.

    ``total`` is None where it isn't known. The unit is written right behind the number, as in " images". ``done`` units
    were finished by an earlier, interrupted run.
    """
    if sys.stderr.isatty():
        return tqdm(desc=description, total=total, initial=done, unit=unit, dynamic_ncols=True)
    return tqdm(
        desc=description,
        total=total,
        initial=done,
        unit=unit,
        file=_Lines(sys.stderr),
        bar_format=_LOG_LINE_WITHOUT_TOTAL if total is None else _LOG_LINE,
        delay=_LOG_INTERVAL,
        mininterval=_LOG_INTERVAL,
        maxinterval=_LOG_INTERVAL,
    )


def until(progress: "tqdm[Any]", units: int) -> str:
    """Return how long so many more units would take, at the pace so far: "00:12"."""
    done = progress.n - progress.initial
    pace = progress.format_dict["elapsed"] / done if done else 0.0
    return str(tqdm.format_interval(units * pace))


def end_bars() -> None:
    """End every bar where it is, so that the next message gets a line of its own."""
    for progress in tuple(tqdm._instances):
        progress.close()


def track(items: Iterable[T], description: str, total: int | None, unit: str) -> Iterable[T]:
    """Yield ``items`` while a bar counts them."""
    with bar(description, total, unit) as progress:
        for item in items:
            yield item
            progress.update(1)


class _Lines:
    """A log: every state of a bar is a line of its own, where a terminal would overwrite the last one."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        if line := text.strip():
            self._stream.write(f"{line}\n")

    def flush(self) -> None:
        self._stream.flush()
