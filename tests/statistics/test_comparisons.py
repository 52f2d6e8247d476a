"""The winner's pairs are corrected for one another, and nothing is claimed of the others."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headstart.foundation.array_types import BoolArray
from headstart.foundation.errors import InputError
from headstart.statistics import sensitivity
from headstart.statistics.comparisons import between, compare, with_strategy
from headstart.statistics.differences import Scope, between_folds, between_runs
from headstart.statistics.outcome import Outcome
from headstart.statistics.paired import ALPHA, mcnemar, tango
from tests.outcomes import answered, several


def duel(only_first: int, only_second: int, images: int) -> dict[str, Outcome]:
    """Two strategies of which each alone is right on that many images, and both on the others."""
    first, second = np.ones(images, dtype=bool), np.ones(images, dtype=bool)
    second[:only_first] = False
    first[only_first : only_first + only_second] = False
    return {"finetune": answered(first), "head": answered(second)}


def drawn(accuracies: list[float], images: int, seed: int, runs: int = 1) -> dict[str, BoolArray]:
    source = np.random.default_rng(seed)
    return {f"s{i}": source.random((runs, images)) < accuracy for i, accuracy in enumerate(accuracies)}


def naive_holm(p_values: list[float]) -> list[float]:
    """Holm (1979), Scand. J. Stat. 6, 65-70: the smallest p times m, the next times m - 1, never falling."""
    adjusted: dict[int, float] = {}
    largest = 0.0
    for rank, i in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[i]))
        adjusted[i] = largest
    return [adjusted[i] for i in range(len(p_values))]


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 1000), st.integers(2, 5))
def test_every_pair_is_compared_once_and_those_of_the_winner_are_corrected_as_holm_says(
    seed: int, strategies: int
) -> None:
    right = drawn([0.8 + 0.03 * i for i in range(strategies)], 150, seed)
    found = compare({name: several(one) for name, one in right.items()}, "s1", 0)
    assert {frozenset((c.first, c.second)) for c in found} == set(map(frozenset, combinations(right, 2)))
    planned = with_strategy("s1", found)
    assert [c.p_holm for c in planned] == pytest.approx(naive_holm([c.p_value for c in planned]))
    for c in found:
        assert c.difference >= 0
        assert c.difference == pytest.approx(right[c.first].mean() - right[c.second].mean())
        assert c.planned == (strategies - 1 if c in planned else 0)
        assert c.exploratory == (c not in planned)
        if c.exploratory:
            assert c.p_holm == c.p_value
            assert not c.real


def test_one_training_on_one_split_is_judged_by_the_exact_test_and_is_about_the_models() -> None:
    (found,) = compare(duel(40, 14, 2000), "finetune", 0)
    assert (found.first, found.second, found.scope) == ("finetune", "head", Scope.MODELS)
    assert (found.low, found.high) == tango(40, 14, 2000)
    assert found.p_value == mcnemar(40, 14) == found.p_holm
    assert found.real
    assert found.detectable == sensitivity.smallest_difference(2000, 54, ALPHA)


def test_the_better_strategy_comes_first_whatever_the_order_and_whoever_won() -> None:
    (found,) = compare(dict(reversed(duel(40, 14, 2000).items())), "head", 0)
    assert (found.first, found.second) == ("finetune", "head")
    turned = found.of("head")
    assert (turned.first, turned.second, turned.difference) == ("head", "finetune", -found.difference)
    assert (turned.low, turned.high) == (-found.high, -found.low)
    assert turned.of("finetune") == found
    assert between("head", "finetune", [found]) == turned
    assert between("head", "scratch", [found]) is None


def test_several_runs_are_about_the_strategies() -> None:
    right = drawn([0.8, 0.85], 300, 3, runs=3)
    (found,) = compare({name: several(one) for name, one in right.items()}, "s1", 0)
    expected = between_runs(right["s1"], right["s0"])
    assert (found.scope, found.runs) == (Scope.STRATEGIES, 3)
    assert (found.difference, found.low, found.high) == (expected.value, expected.low, expected.high)
    assert found.detectable is not None


def test_a_strategy_of_fewer_runs_is_compared_over_those_that_both_have() -> None:
    right = drawn([0.8, 0.85], 300, 3, runs=3)
    (found,) = compare({"s0": several(right["s0"][:2]), "s1": several(right["s1"])}, "s1", 0)
    assert found.runs == 2
    assert abs(found.difference) == pytest.approx(abs(right["s0"][:2].mean() - right["s1"][:2].mean()))


def test_a_cross_validation_is_judged_by_its_folds() -> None:
    right = drawn([0.8, 0.9], 300, 4, runs=2)
    folds = np.stack([np.random.default_rng(seed).permutation(300) % 5 for seed in range(2)])
    (found,) = compare({name: several(one, folds) for name, one in right.items()}, "s0", 0)
    expected = between_folds(right["s1"], right["s0"], folds)
    assert found.p_value == pytest.approx(expected.p_value)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))


def test_other_folds_are_refused() -> None:
    right = drawn([0.8, 0.9], 100, 4)
    folds = (np.arange(100) % 5)[None]
    with pytest.raises(InputError, match="different folds"):
        compare({"s0": several(right["s0"], folds), "s1": several(right["s1"], 4 - folds)}, "s0", 0)


def test_groups_take_the_place_of_images() -> None:
    """40 groups of 5, in 6 of which one strategy is right throughout and the other never."""
    first, second = np.ones(200, bool), np.ones(200, bool)
    second[:25], first[25:30] = False, False
    groups = np.arange(200) // 5
    outcomes = {"a": several(first[None], groups=groups), "b": several(second[None], groups=groups)}
    (found,) = compare(outcomes, "a", 0)
    assert (found.images, found.groups) == (200, 40)
    assert found.p_value == pytest.approx(mcnemar(5, 1))
    assert mcnemar(25, 5) < 0.001 < 0.05 < found.p_value
    few = {name: Outcome(one.labels, one.probabilities, None, groups // 10) for name, one in outcomes.items()}
    assert not compare(few, "a", 0)[0].decidable


def test_one_strategy_has_nothing_to_be_compared_with() -> None:
    assert compare({"head": answered([True])}, "head", 0) == []


def test_chance_is_called_real_in_no_more_than_a_twentieth_of_tests() -> None:
    # Five equal strategies, four pairs with the winner: the chance of any false verdict among them is what Holm bounds.
    false = 0
    for seed in range(200):
        right = drawn([0.8] * 5, 200, seed)
        p_values = [mcnemar(int((right["s0"] & ~one).sum()), int((one & ~right["s0"]).sum())) for one in right.values()]
        false += min(naive_holm(p_values[1:])) < ALPHA
    assert false <= 17  # more come up in one of a hundred sets of 200 tests at exactly 5 %
