"""One description of how a strategy was tested decides which interval it gets."""

import numpy as np
import pytest

from headstart.statistics import accuracies, clusters, variance
from headstart.statistics.outcome import Outcome
from tests.outcomes import several


def drawn(runs: int) -> np.ndarray:
    return np.random.default_rng(0).random((runs, 200)) < 0.85


def test_each_way_of_testing_has_its_interval() -> None:
    right, groups = drawn(3), np.arange(200) // 4
    folds = np.stack([np.random.default_rng(seed).permutation(50)[groups] % 5 for seed in range(3)])
    assert several(right[:1]).accuracy() == clusters.accuracy(right[0], None)
    assert several(right).accuracy() == accuracies.over_runs(right)
    assert several(right, groups=groups).accuracy() == accuracies.over_runs(right, groups=groups)
    assert several(right, folds).accuracy() == accuracies.over_folds(right, folds)
    assert several(right, folds, groups).accuracy() == accuracies.over_folds(right, folds, groups=groups)


def test_training_images_that_are_drawn_anew_share_their_luck() -> None:
    right = np.random.default_rng(1).random((3, 200)) < np.array([0.7, 0.8, 0.9])[:, None]
    plain = several(right)
    shared = Outcome(plain.labels, plain.probabilities, left_out=0.2)
    assert shared.accuracy() == accuracies.over_runs(right, left_out=0.2)
    assert shared.accuracy().low < plain.accuracy().low


def test_a_part_of_the_images_is_judged_by_itself() -> None:
    right, folds = drawn(1), (np.arange(200) % 5)[None]
    outcome = several(right, folds, np.arange(200) // 4)
    own = np.arange(200) < 60
    expected = accuracies.over_folds(right[:, own], folds[:, own], groups=np.arange(60) // 4)
    assert outcome.share(right, own) == expected
    alone = folds[0] == 3
    assert outcome.share(right, alone).value == pytest.approx(right[:, alone].mean())


def test_the_luck_of_a_loss() -> None:
    right, folds = drawn(3), np.stack([np.random.default_rng(seed).permutation(200) % 5 for seed in range(3)])
    values = np.random.default_rng(2).random((3, 200))
    images = clusters.mean_variance(values.mean(axis=0))
    assert several(right, folds).luck(values) == variance.luck_of_folds(images, values, folds)
    spread = variance.spread_of_runs(values)
    assert several(right).luck(values) == variance.luck(images, spread, variance.shared_images(3, 0.0))
    one = several(right[:1]).luck(values[:1])
    assert (one.images, one.training) == (clusters.mean_variance(values[0]).variance, 0.0)


def test_the_first_runs_alone() -> None:
    right, folds = drawn(3), np.stack([np.arange(200) % 5] * 3)
    first = several(right, folds).first(1)
    np.testing.assert_array_equal(first.right, right[:1])
    assert first.folds is not None
    assert first.folds.shape == (1, 200)
    assert first.runs == 1
