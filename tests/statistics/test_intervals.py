import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from headstart.statistics import intervals
from headstart.statistics.intervals import bca, bootstrap_weights, jackknife_weights, over_blocks, wilson


@pytest.mark.parametrize(
    ("successes", "images", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_gives_newcombes_table(successes: int, images: int, low: float, high: float) -> None:
    """Newcombe (1998), Stat. Med. 17, 857-872, table I, method 3."""
    share = wilson(successes, images)
    assert (round(share.low, 4), round(share.high, 4)) == (low, high)


@given(st.integers(1, 5000), st.floats(0, 1))
def test_wilson_agrees_with_statsmodels_and_holds_the_share(images: int, where: float) -> None:
    successes = round(where * images)
    share = wilson(successes, images)
    expected = proportion_confint(successes, images, method="wilson")
    assert (share.low, share.high) == pytest.approx(expected, abs=1e-12)
    assert 0 <= share.low <= share.value <= share.high <= 1


@pytest.mark.parametrize(("images", "true"), [(50, 0.9), (200, 0.97), (2000, 0.975)])
def test_wilson_covers_the_truth_as_often_as_it_says(images: int, true: float) -> None:
    # Not simulated but summed over every possible outcome.
    outcomes = np.arange(images + 1)
    chances = stats.binom.pmf(outcomes, images, true)
    likely = np.flatnonzero(chances > 1e-9)
    covered = [wilson(int(k), images).low <= true <= wilson(int(k), images).high for k in likely]
    assert 0.93 <= chances[likely] @ covered <= 0.975


@given(st.integers(1, 60), st.integers(1, 50), st.integers(0, 1000))
def test_every_resample_draws_as_many_images_as_there_are(images: int, resamples: int, seed: int) -> None:
    blocks = list(bootstrap_weights(images, resamples, seed))
    weights = np.concatenate(blocks, axis=1)
    assert weights.shape == (images, resamples)
    assert (weights >= 0).all()
    assert (weights.sum(axis=0) == images).all()


def test_weights_are_those_of_drawing_with_replacement() -> None:
    weights = np.concatenate(list(bootstrap_weights(50, 4000, 1)), axis=1)
    # How often one image is drawn in 50 draws is binomial with variance 1 - 1/50.
    assert weights.var() == pytest.approx(0.98, abs=0.02)
    assert np.corrcoef(weights[:2])[0, 1] == pytest.approx(-1 / 49, abs=0.06)


def test_the_seed_decides_the_weights() -> None:
    first, again, other = (next(bootstrap_weights(20, 30, seed)) for seed in (7, 7, 8))
    assert (first == again).all()
    assert (first != other).any()


def test_blocks_bound_the_memory_and_lose_no_column(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intervals, "_BLOCK", 100)
    blocks = list(bootstrap_weights(30, 10, 0))
    assert [block.shape for block in blocks] == [(30, 3), (30, 3), (30, 3), (30, 1)]
    assert [block.shape for block in jackknife_weights(7)] == [(7, 7)]
    assert over_blocks(lambda weights: weights.sum(axis=0), bootstrap_weights(30, 10, 0)).tolist() == [30] * 10


def test_jackknife_leaves_out_each_image_once() -> None:
    assert (np.concatenate(list(jackknife_weights(5)), axis=1) == 1 - np.eye(5)).all()


def test_jackknife_of_many_images_leaves_out_groups_that_share_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intervals, "_JACKKNIFE_GROUPS", 3)
    weights = np.concatenate(list(jackknife_weights(7)), axis=1)
    assert (weights == 0).sum(axis=0).tolist() == [3, 2, 2]
    assert ((weights == 0).sum(axis=1) == 1).all()
    assert np.flatnonzero(weights[:, 0] == 0).tolist() == [0, 3, 6]


@pytest.mark.parametrize("seed", range(5))
def test_bca_agrees_with_scipy_on_the_same_resamples(seed: int) -> None:
    sample = np.random.default_rng(seed).lognormal(size=40)
    scipys = stats.bootstrap((sample,), np.mean, n_resamples=999, method="BCa", rng=seed)
    left_out = np.array([np.delete(sample, i).mean() for i in range(40)])
    ends = bca(sample.mean(), scipys.bootstrap_distribution, left_out)
    assert ends == pytest.approx(tuple(scipys.confidence_interval), rel=1e-9)


def test_bca_leaves_undefined_resamples_out() -> None:
    source = np.random.default_rng(0)
    resampled, left_out = source.normal(size=500), source.normal(size=30)
    with_gaps = np.concatenate([resampled, np.full(50, np.nan)]), np.concatenate([left_out, [np.nan]])
    assert bca(0.0, *with_gaps) == bca(0.0, resampled, left_out)


def test_bca_of_agreeing_or_one_sided_resamples_is_finite() -> None:
    assert bca(0.5, np.full(100, 0.5), np.full(10, 0.5)) == (0.5, 0.5)
    low, high = bca(9.0, np.linspace(0, 1, 100), np.array([8.0, 9, 9, 9]))
    assert 0 <= low <= high <= 1
