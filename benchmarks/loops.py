"""How long each turn of the long loops took: it tells a steady pace from what is done once."""

import statistics
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple
from unittest.mock import patch

from tqdm import tqdm

from headstart.foundation import progress

# Titles of the loops over batches inside an epoch, whoever runs them.
TRAINING, VALIDATION = "training batches", "validation batches"
EPOCHS = "epochs"


class Loop(NamedTuple):
    """A loop that ran.

    Attributes:
        title: what it did.
        unit: what it counted: ``images`` or EPOCHS.
        turns: of each turn the seconds since the one before, and the units it did.
    """

    title: str
    unit: str
    turns: list[tuple[float, float]]

    @property
    def units(self) -> float:
        """How many units it did in all."""
        return sum(units for _, units in self.turns)

    def pace(self) -> float:
        """Seconds a unit, once it runs.

        The first turn is left out where there are more: TensorFlow traces its graph in it. So are
        turns that took twice as long as usual: it compiles another graph for a smaller last batch.
        """
        turns = self.turns[1:] or self.turns
        usual = statistics.median(seconds / units for seconds, units in turns)
        even = [(seconds, units) for seconds, units in turns if seconds / units <= 2 * usual]
        return sum(seconds for seconds, _ in even) / sum(units for _, units in even)


class Count:
    """Notes the turns of a loop while it runs."""

    def __init__(self, found: list[Loop], title: str, unit: str) -> None:
        """Begin a loop and add it to ``found``."""
        self._turns: list[tuple[float, float]] = []
        self._last = time.perf_counter()
        found.append(Loop(title, unit, self._turns))

    def update(self, units: float) -> None:
        """Note that a turn ended, which did so many units."""
        now = time.perf_counter()
        if units:
            self._turns.append((now - self._last, units))
        self._last = now


@contextmanager
def recorded() -> Iterator[list[Loop]]:
    """Yield a list that fills with the loops that show a progress bar of the project in the block."""
    found: list[Loop] = []

    class Recording(tqdm):  # type: ignore[misc]
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            self._count = Count(found, self.desc, self.unit.strip())

        def update(self, n: float | None = 1) -> bool | None:
            self._count.update(n or 0)
            return super().update(n)  # type: ignore[no-any-return]

    with patch.object(progress, "tqdm", Recording):
        yield found


def merged(found: Iterable[Loop]) -> list[Loop]:
    """Put loops of one title together, as one loop: the batches of all epochs for example."""
    loops: dict[tuple[str, str], Loop] = {}
    for loop in found:
        loops.setdefault((loop.title, loop.unit), Loop(loop.title, loop.unit, [])).turns.extend(loop.turns)
    return [loop for loop in loops.values() if loop.turns]
