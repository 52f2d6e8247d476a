import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from headstart.statistics.corrections import holm, winner_first


def test_holms_worked_example() -> None:
    # Smallest times 4, next times 3, then never falling: .04, .06, .06 (.04 × 1 would be less), in the given order.
    assert holm([0.01, 0.04, 0.03, 0.02]) == pytest.approx([0.04, 0.06, 0.06, 0.06])


def test_holm_agrees_with_statsmodels() -> None:
    p_values = [0.2, 0.004, 0.9, 0.03, 0.004, 0.011]
    assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1])


def test_nothing_to_correct() -> None:
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=10))
def test_holm_agrees_with_its_definition(p_values: list[float]) -> None:
    expected, largest = [0.0] * len(p_values), 0.0
    for rank, i in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        largest = min(1.0, max(largest, (len(p_values) - rank) * p_values[i]))
        expected[i] = largest
    assert holm(p_values) == pytest.approx(expected)


@settings(max_examples=20)  # statsmodels takes long
@given(st.lists(st.floats(0, 1), min_size=1, max_size=10))
def test_holm_is_that_of_statsmodels(p_values: list[float]) -> None:
    assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1])


def test_the_winners_pairs_are_corrected_for_one_another_and_the_rest_is_exploratory() -> None:
    p_values = {("head", "scratch"): 0.01, ("finetune", "head"): 0.03, ("finetune", "scratch"): 0.001}
    found = winner_first(p_values, "head")
    assert {pair: one.p_value for pair, one in found.items()} == pytest.approx(
        {("head", "scratch"): 0.02, ("finetune", "head"): 0.03, ("finetune", "scratch"): 0.001}
    )
    assert [pair for pair, one in found.items() if one.exploratory] == [("finetune", "scratch")]
