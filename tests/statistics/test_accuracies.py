import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.statistics import accuracies, clusters
from headstart.statistics.intervals import wilson


@given(st.integers(1, 100), st.integers(0, 100))
def test_one_run_is_wilsons(images: int, seed: int) -> None:
    right = np.random.default_rng(seed).random((1, images)) < 0.9
    found, expected = accuracies.over_runs(right), wilson(int(right.sum()), images)
    assert (found.value, found.low, found.high) == pytest.approx((expected.value, expected.low, expected.high))


def test_runs_that_agree_are_worth_one() -> None:
    right = np.tile(np.arange(200) >= 10, (4, 1))
    found, one = accuracies.over_runs(right), wilson(190, 200)
    assert (found.low, found.high) == pytest.approx((one.low, one.high), abs=1e-3)


def test_runs_that_are_good_or_bad_widen_the_interval() -> None:
    source = np.random.default_rng(0)
    levels = np.array([0.95, 0.75, 0.85, 0.65])
    found = accuracies.over_runs(source.random((4, 300)) < levels[:, None])
    calm = accuracies.over_runs(source.random((4, 300)) < 0.8)
    assert found.high - found.low > 1.5 * (calm.high - calm.low)


@pytest.mark.parametrize("repeats", [1, 3])
def test_all_right_in_every_fold_claims_no_more_than_one_test_does(repeats: int) -> None:
    folds = np.tile(np.arange(200) % 5, (repeats, 1))
    found = accuracies.over_folds(np.ones((repeats, 200), bool), folds)
    assert (found.value, found.low, found.high) == pytest.approx((1, wilson(200, 200).low, 1))


@given(st.integers(0, 300), st.integers(1, 3))
def test_groups_never_narrow_it(seed: int, repeats: int) -> None:
    source = np.random.default_rng(seed)
    groups = np.repeat(np.arange(40), 5)
    folds = np.stack([source.permutation(40)[groups] % 5 for _ in range(repeats)])
    right = source.random(40)[groups] + source.random((repeats, 200)) > 0.4
    found = accuracies.over_folds(right, folds, groups=groups)
    images = clusters.effective_images(right.mean(axis=0), groups)
    assert 0 <= found.low <= found.value <= found.high <= 1
    assert found.high - found.low >= 0.9 * (
        wilson(round(found.value * images), max(1, round(images))).high - found.value
    )
