"""Reports on what was dropped: a list with every file's reason, and a few lines that sum it up."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from headstart.foundation import tables
from headstart.images.names import natural
from headstart.sources.source import Dropped

_REASONS_SHOWN = 8
_REASONS_IN_BRACKETS = 3


def write(dropped: Sequence[Dropped], path: Path) -> None:
    """Write the list as CSV with the columns name, class and reason, in natural order of the names."""
    rows = sorted(dropped, key=lambda item: (natural(item.name), item.name, item.reason))
    entries = [(item.name, item.class_name, item.reason) for item in rows]
    tables.write(path, pd.DataFrame(entries, columns=["name", "class", "reason"]))


def summary(dropped: Sequence[Dropped]) -> list[str]:
    """One line per reason, the most common first: how many files it concerns, and one of them as an example."""
    reasons = _commonest(item.reason for item in dropped)
    examples = {item.reason: item.name for item in reversed(dropped)}
    shown = reasons[:_REASONS_SHOWN]
    lines = [f"{count:,} × {reason}, such as {examples[reason]!r}" for reason, count in shown]
    if len(reasons) > _REASONS_SHOWN:
        rest = sum(count for _, count in reasons[_REASONS_SHOWN:])
        lines.append(f"{rest:,} for other reasons")
    return lines


def in_brackets(dropped: Sequence[Dropped]) -> str:
    """The same for the middle of a message: a space and the most common reasons in brackets; "" if none."""
    if not dropped:
        return ""
    # What follows a colon are details, among them names of files: too long here, and not safe to print.
    reasons = _commonest(item.reason.partition(":")[0] for item in dropped)
    shown = [f"{count:,} × {reason}" for reason, count in reasons[:_REASONS_IN_BRACKETS]]
    more = "; …" if len(reasons) > _REASONS_IN_BRACKETS else ""
    return f" ({len(dropped):,} dropped: {'; '.join(shown)}{more})"


def _commonest(reasons: Iterable[str]) -> list[tuple[str, int]]:
    """Reasons and their counts, the most common first, equally common ones in alphabetical order."""
    return sorted(Counter(reasons).items(), key=lambda item: (-item[1], item[0]))
