"""The tables that compare the obvious way with Headstart, part by part."""

import statistics
from collections.abc import Sequence
from typing import NamedTuple

from benchmarks import headstart, report
from benchmarks.loops import Loop
from benchmarks.process import Cost
from benchmarks.projection import Size, projected
from headstart.foundation import threads

OBVIOUS = "obvious"
# What is run: parts in the order in which each needs the ones before.
PARTS = tuple(headstart.STAGES)
START, ALL = "start-up", "in all"


class Part(NamedTuple):
    """What one part took.

    Attributes:
        cost: without the start of Python and TensorFlow.
        start: seconds that this start took.
        loops: its long loops.
    """

    cost: Cost
    start: float
    loops: list[Loop]


# By the way (obvious, or a precision of Headstart) and the part: every repetition.
Measured = dict[tuple[str, str], list[Part]]


def show_both(measured: Measured, way: str, title: str) -> None:
    """Print the table of both ways: ratios, seconds, how busy the processors were, peak memory."""
    rows = []
    for part in PARTS:
        old, new = measured[OBVIOUS, part], measured[way, part]
        seconds = _median(old), _median(new)
        rows.append([part, _ratio(*seconds), _seconds(seconds[0]), _busy(old), _seconds(seconds[1]), *_load(new)])
    for name, total in ((START, _start), (ALL, _total)):
        old_seconds, new_seconds = total(measured, OBVIOUS), total(measured, way)
        ratio = _ratio(old_seconds, new_seconds)
        rows.append([name, ratio, _seconds(old_seconds), "", _seconds(new_seconds), "", ""])
    columns = ("part", "times faster", "obvious", "CPU", "Headstart", "CPU", "memory")
    report.show(title, columns, rows, last=ALL)


def show_alone(measured: Measured, way: str, title: str) -> None:
    """Print the table of Headstart alone."""
    rows = [[part, _seconds(_median(measured[way, part])), *_load(measured[way, part])] for part in PARTS]
    rows += [[START, _seconds(_start(measured, way)), "", ""], [ALL, _seconds(_total(measured, way)), "", ""]]
    report.show(title, ("part", "Headstart", "CPU", "memory"), rows, last=ALL)


def show_projection(measured: Measured, way: str, now: Size, then: Size, title: str) -> None:
    """Print what the chapter's full protocol would take, projected from the paces measured."""
    sizes = {OBVIOUS: (now._replace(views=0), then._replace(views=0)), way: (now, then)}
    both = [each for each in (OBVIOUS, way) if (each, PARTS[0]) in measured]
    seconds = {
        each: [
            *(
                statistics.median(
                    projected(part, run.cost.seconds, run.loops, *sizes[each]) for run in measured[each, part]
                )
                for part in PARTS
            ),
            _start(measured, each),
        ]
        for each in both
    }
    rows = []
    for number, name in enumerate((*PARTS, START, ALL)):
        values = [sum(seconds[each]) if name == ALL else seconds[each][number] for each in both]
        rows.append([name, *([_ratio(*values)] if len(values) > 1 else []), *map(_seconds, values)])
    columns = ("part", "times faster", "obvious", "Headstart") if len(both) > 1 else ("part", "Headstart")
    report.show(title, columns, rows, last=ALL)


def _median(parts: Sequence[Part]) -> float:
    return statistics.median(part.cost.seconds for part in parts)


def _start(measured: Measured, way: str) -> float:
    """Seconds of all starts: of one for a notebook, of one a stage for Headstart."""
    starts = [statistics.median(part.start for part in measured[way, name]) for name in PARTS]
    return statistics.median(starts) if way == OBVIOUS else sum(starts)


def _total(measured: Measured, way: str) -> float:
    return sum(_median(measured[way, part]) for part in PARTS) + _start(measured, way)


def _ratio(old: float, new: float) -> str:
    return f"{old / new:.1f}"


def _seconds(value: float) -> str:
    return f"{value:,.1f} s"


def _load(parts: Sequence[Part]) -> list[str]:
    """How busy the processors were, and the most memory in use."""
    return [_busy(parts), f"{max(part.cost.peak_bytes for part in parts) / 1e9:.2f} GB"]


def _busy(parts: Sequence[Part]) -> str:
    """How busy the processors were, of all of them."""
    share = statistics.median(part.cost.cpu_seconds / part.cost.seconds for part in parts) / threads.processors()
    return f"{share:.0%}"
