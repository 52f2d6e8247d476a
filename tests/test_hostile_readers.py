"""Damaged files of every kind in numbers. `python -m tests.fuzz_readers` is the same, for as long as one likes."""

import pytest

from tests.fuzz_readers import KINDS, batch, fuzz


def test_a_few_hundred_damaged_inputs() -> None:
    counts, lost, _, _ = batch(range(600), seed=1)
    assert lost == []
    assert {name.split()[0] for name in counts} == set(KINDS)
    assert {name.split()[1] for name in counts} == {"read", "refused"}


@pytest.mark.slow
def test_ten_thousand_damaged_inputs() -> None:
    assert fuzz(10_000, seed=2) == []
