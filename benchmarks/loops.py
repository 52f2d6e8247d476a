"""How long each turn of the long loops took: it tells a steady rate from what is done once.

Every long loop of the project reports to a progress bar, so the bars are where it is measured.
"""

import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple
from unittest.mock import patch

from tqdm import tqdm

from stages.core import progress


class Loop(NamedTuple):
    """A loop that ran.

    Attributes:
        unit: what it counted: ``images`` or ``epochs``.
        turns: of each turn the seconds it took, since the one before, and the units it did.
    """

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


@contextmanager
def recorded() -> Iterator[list[Loop]]:
    """Yield a list that fills with the loops that begin in the block."""
    found: list[Loop] = []

    class Recording(tqdm):  # type: ignore[misc]
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            self._loop = Loop(str(self.unit).strip(), [])
            self._last = time.perf_counter()
            found.append(self._loop)

        def update(self, n: float | None = 1) -> bool | None:
            now = time.perf_counter()
            if n:
                self._loop.turns.append((now - self._last, n))
            self._last = now
            return super().update(n)  # type: ignore[no-any-return]

    with patch.object(progress, "tqdm", Recording):
        yield found
