import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.statistics import variance
from headstart.statistics.clusters import MeanVariance, mean_variance


def test_one_training_is_divided_by_the_runs_and_the_images_they_share_are_added() -> None:
    """Nadeau and Bengio (2003): 1 / J + test / train; ten folds leave out one image for nine trained on."""
    assert variance.shared_images(10, 0.1) == pytest.approx(0.1 + 1 / 9)
    assert variance.shared_images(5, 0.0) == pytest.approx(0.2)


def test_the_spread_of_runs_is_that_of_their_luck_on_every_image() -> None:
    """Images of their own difficulty, a luck of the run with variance .09, and chance turns with variance 1."""
    source = np.random.default_rng(0)
    found = [
        variance.spread_of_runs(
            source.normal(size=50) + source.normal(0, 0.3, size=(5, 1)) + source.normal(size=(5, 50))
        )
        for _ in range(2000)
    ]
    assert {one.degrees for one in found} == {4}
    assert np.mean([one.variance for one in found]) == pytest.approx(0.09, abs=0.006)


@pytest.mark.parametrize("repeats", [1, 3])
def test_the_spread_of_folds_is_that_of_their_trainings(repeats: int) -> None:
    source = np.random.default_rng(repeats)
    found = []
    for _ in range(2000):
        folds = np.stack([source.permutation(60) % 5 for _ in range(repeats)])
        luck = source.normal(0, 0.3, size=(repeats, 5))
        values = source.normal(size=60) + np.take_along_axis(luck, folds, axis=1) + source.normal(size=(repeats, 60))
        found.append(variance.spread_of_folds(values, folds))
    assert {one.degrees for one in found} == {4 if repeats == 1 else 10}
    assert np.mean([one.variance for one in found]) == pytest.approx(0.09, abs=0.012)


def test_groups_that_turn_together_are_not_taken_for_the_luck_of_a_run() -> None:
    source = np.random.default_rng(1)
    groups = np.repeat(np.arange(20), 5)
    found = [variance.spread_of_runs(source.normal(size=(4, 20))[:, groups], groups).variance for _ in range(1000)]
    assert np.mean(found) == pytest.approx(0, abs=0.004)


@given(st.floats(0.01, 10), st.floats(-1, 10), st.integers(2, 500), st.integers(1, 20))
def test_degrees_are_satterthwaites(images: float, spread: float, n: int, runs: int) -> None:
    found = variance.luck(MeanVariance(images, n - 1), variance.Spread(spread, runs), 0.5)
    training = max(0.0, spread) / 2
    assert found.variance == pytest.approx(images + training)
    assert found.degrees == pytest.approx((images + training) ** 2 / (images**2 / (n - 1) + training**2 / runs))


def test_no_variance_at_all_keeps_the_degrees_of_the_images() -> None:
    found = variance.luck(MeanVariance(0.0, 9), variance.Spread(-0.1, 4), 0.2)
    assert (found.variance, found.degrees) == (0.0, 9)


@pytest.mark.parametrize("repeats", [1, 3])
def test_few_images_take_the_corrected_resampled_t_test(repeats: int) -> None:
    """Nadeau and Bengio (2003): (1 / k + 1 / (k - 1)) times the variance of the folds' means; repeats count once."""
    source = np.random.default_rng(3)
    folds = np.stack([source.permutation(28) % 4 for _ in range(repeats)])
    values = np.take_along_axis(source.normal(size=(repeats, 4)), folds, axis=1) + source.normal(size=28)
    means = [values[r][folds[r] == f].mean() for r in range(repeats) for f in range(4)]
    found = variance.luck_of_folds(MeanVariance(0.0, 27), values, folds)
    assert found.variance == pytest.approx(np.var(means, ddof=1) * (1 / 4 + 1 / 3))
    assert found.degrees == 4 * repeats - 1


def test_many_images_take_the_luck_of_training_apart() -> None:
    source = np.random.default_rng(3)
    folds = source.permutation(30)[None] % 5
    values = source.normal(size=(1, 30))
    images = mean_variance(values[0])
    expected = variance.luck(images, variance.spread_of_folds(values, folds), 1 / 5 + 1 / 4)
    assert variance.luck_of_folds(images, values, folds) == pytest.approx(expected)
