"""The benchmark of intervals in short, on the small pictures of digits that scikit-learn brings along."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from benchmarks import coverage
from benchmarks.coverage import Design, Pool

SETS = 60


@pytest.fixture(scope="module")
def digits() -> Pool:
    """1,797 handwritten digits of 8 × 8 pixels."""
    found = load_digits()
    features = (found.data - found.data.mean(axis=0)) / np.maximum(found.data.std(axis=0), 1e-9)
    labels = found.target.astype(np.int64)
    return Pool(features, labels, coverage.alike(features, labels, 5, seed=0))


@pytest.mark.parametrize(
    "design",
    [Design(1, False, False), Design(3, False, False), Design(1, True, False), Design(1, False, True),
     Design(1, True, True)],
    ids=lambda design: design.name,
)  # fmt: skip
def test_intervals_hold_the_truth_and_nothing_is_called_better_that_is_not(digits: Pool, design: Design) -> None:
    """Three standard errors below 95 % are 8.4 points of 60 sets; pairs and heads of one set go together."""
    found = coverage.coverage(digits, design, 200, SETS, seed=0)
    assert found.accuracy >= 0.87
    assert found.difference >= 0.87
    assert found.false <= 0.1
    # An interval of everything would hold it, too.
    assert found.half_width < 0.3
    assert found.found > 0.5


def test_one_training_each_tells_the_same_strategy_from_itself(digits: Pool) -> None:
    """Why one training says nothing of a strategy: here nobody promises that it does."""
    once, folds = (
        coverage.coverage(digits, design, 300, SETS, 0) for design in (Design(1, False, False), Design(3, True, False))
    )
    assert once.twins > 0.15
    assert folds.twins <= 0.08


def test_groups_hold_pictures_of_one_class_that_are_alike(digits: Pool) -> None:
    sizes = np.bincount(digits.groups)
    assert sizes.max() == 5
    assert sizes.sum() == len(digits.labels)
    assert (sizes < 5).sum() <= 10
    for group in range(0, len(sizes), 25):
        own = digits.groups == group
        assert np.unique(digits.labels[own]).size == 1
    centres = np.stack([digits.features[digits.groups == g].mean(axis=0) for g in range(len(sizes))])
    within = np.square(digits.features - centres[digits.groups]).sum(axis=1).mean()
    assert within < 0.5 * np.square(digits.features - digits.features.mean(axis=0)).sum(axis=1).mean()


def test_every_picture_is_tested_once_by_a_training_that_had_none_of_its_group(digits: Pool) -> None:
    units = digits.groups[:200]
    parts = coverage._parts(units, Design(2, True, True), np.random.default_rng(0))
    assert parts.shape == (2, 200)
    assert set(np.unique(parts)) == set(range(coverage.FOLDS))
    for row in parts:
        assert all(np.unique(row[units == group]).size == 1 for group in np.unique(units))


def test_the_same_seed_gives_the_same_numbers(digits: Pool) -> None:
    design = Design(1, True, False)
    first, again, other = (coverage.coverage(digits, design, 60, 10, seed) for seed in (1, 1, 100))
    assert first == again
    assert first != other
