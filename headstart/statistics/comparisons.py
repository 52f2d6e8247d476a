"""Which differences between strategies are real: those with the winner, and the others as exploratory ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from headstart.statistics import clusters, corrections, sensitivity
from headstart.statistics.differences import Difference, Scope
from headstart.statistics.outcome import Outcome, difference
from headstart.statistics.paired import ALPHA, decidable


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two strategies on the same images; differences are shares, first minus second.

    Attributes:
        first, second: names of the strategies; the first is at least as accurate.
        difference, low, high: of the accuracies, with the 95 % interval, for this pair before correction.
        p_value: before correction.
        p_holm: after Holm's correction over the pairs with the winner; that of another pair as it is.
        planned: over how many pairs it was corrected; 0 for one without the winner, which is exploratory: a
            difference that nobody asked for before looking.
        images, groups: how many images, in how many groups; as many groups as images where each is its own.
        runs: trainings of each strategy behind it.
        scope: what it is a statement about.
        detectable: the smallest true difference that such a comparison would show in four of five, or None if it
            could show none.
    """

    first: str
    second: str
    difference: float
    low: float
    high: float
    p_value: float
    p_holm: float
    planned: int
    images: int
    groups: int
    runs: int
    scope: Scope
    detectable: float | None

    @property
    def exploratory(self) -> bool:
        """Whether the winner is neither of the two."""
        return not self.planned

    @property
    def real(self) -> bool:
        """Whether the difference is more than chance explains; never said of an exploratory one."""
        return bool(self.planned) and self.p_holm < ALPHA

    @property
    def by_itself(self) -> bool:
        """Whether it would be real if the pair, where it is exploratory, had been the only one asked for."""
        return self.p_holm < ALPHA

    @property
    def decidable(self) -> bool:
        """Whether any outcome on so many images, or groups, could have shown a difference."""
        return self.scope != Scope.MODELS or decidable(self.groups, max(1, self.planned))

    def of(self, strategy: str) -> "Comparison":
        """The same with ``strategy``, which is one of the two, as the first, whether or not it is the better one."""
        if strategy == self.first:
            return self
        return replace(
            self,
            first=self.second,
            second=self.first,
            difference=-self.difference,
            low=-self.high,
            high=-self.low,
        )


def compare(tested: Mapping[str, Outcome], winner: str, seed: int) -> list[Comparison]:
    """Every two strategies compared, in the order in which ``tested`` names them.

    Args:
        tested: the strategies, on the same images.
        winner: the one that validation images chose.
        seed: for the sign flips of many groups.

    Raises:
        InputError: if strategies were trained on different folds.
    """
    found = {pair: difference(tested[pair[0]], tested[pair[1]], seed) for pair in combinations(tested, 2)}
    corrected = corrections.winner_first({pair: one.p_value for pair, one in found.items()}, winner)
    planned = sum(winner in pair for pair in found)
    return [
        _comparison(pair, one, corrected[pair].p_value, 0 if corrected[pair].exploratory else planned, tested)
        for pair, one in found.items()
    ]


def with_strategy(name: str, comparisons: Sequence[Comparison]) -> list[Comparison]:
    """Those of the comparisons that a strategy is part of: what the choice of it hangs on."""
    return [duel for duel in comparisons if name in (duel.first, duel.second)]


def between(one: str, other: str, comparisons: Sequence[Comparison]) -> Comparison | None:
    """The comparison of two strategies with ``one`` first; None if there is none."""
    return next((duel.of(one) for duel in comparisons if {one, other} == {duel.first, duel.second}), None)


def _comparison(
    pair: tuple[str, str], found: Difference, p_holm: float, planned: int, tested: Mapping[str, Outcome]
) -> Comparison:
    comparison = Comparison(
        *pair,
        difference=found.value,
        low=found.low,
        high=found.high,
        p_value=found.p_value,
        p_holm=p_holm,
        planned=planned,
        images=found.images,
        groups=found.groups,
        runs=found.runs,
        scope=found.scope,
        detectable=_detectable(found, tested[pair[0]], tested[pair[1]], ALPHA / max(1, planned)),
    )
    return comparison if found.value >= 0 else comparison.of(pair[1])


def _detectable(found: Difference, first: Outcome, second: Outcome, alpha: float) -> float | None:
    if found.luck is None:
        discordant = int((first.right[0] != second.right[0]).sum())
        return sensitivity.smallest_difference(found.images, discordant, alpha)
    runs = min(first.runs, second.runs)
    gaps = np.mean(first.right[:runs].astype(np.float64) - second.right[:runs], axis=0)
    images = clusters.effective_images(gaps, first.groups)
    smallest = sensitivity.smallest_by_t(found.luck.variance, found.luck.degrees, images, alpha)
    return smallest if smallest < 1 else None
