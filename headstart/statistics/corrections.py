"""P-values of several comparisons, corrected so that one false alarm among all of them is as rare as promised."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Corrected:
    """A p-value after correction; that of an exploratory comparison is left as it is, and proves nothing."""

    p_value: float
    exploratory: bool


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values after Holm's correction, in the same order (Holm 1979, Scand. J. Stat. 6, 65-70)."""
    # In numpy: statsmodels collects garbage at every call, which takes half a second where TensorFlow is loaded.
    values = np.array(p_values)
    order = np.argsort(values)
    corrected = np.empty_like(values)
    corrected[order] = np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1)).clip(max=1)
    return [float(p) for p in corrected]


def winner_first(p_values: Mapping[Pair, float], winner: str) -> dict[Pair, Corrected]:
    """Correct the winner's pairs for one another alone, and mark the others exploratory.

    The winner is chosen on validation images, before the test split is looked at, so its k - 1 comparisons are those
    that were planned, and Holm's correction over them holds the error rate. Over all k (k - 1) / 2 pairs it would
    cost power for questions that nobody asked first.

    Args:
        p_values: for every two strategies, in any order.
        winner: one of the strategies.
    """
    planned = [pair for pair in p_values if winner in pair]
    corrected = dict(zip(planned, holm([p_values[pair] for pair in planned]), strict=True))
    return {pair: Corrected(corrected.get(pair, p), pair not in corrected) for pair, p in p_values.items()}
