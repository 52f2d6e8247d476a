"""Mixtures are what the papers say, drawn again alike, and labels are mixed as images are."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.settings import params
from headstart.settings.schema import MixingRecipe
from headstart.training import mixing
from tests.pipeline import ROOT

pytest_plugins = ["tests.pipeline_fixtures"]
pytestmark = pytest.mark.usefixtures("tensorflow")


def mixing_by(mixup: float, cutmix: float) -> MixingRecipe:
    recipe = params.load(ROOT / "presets" / "quick.yaml").finetune.recipe
    return recipe.model_copy(update={"mixup": mixup, "cutmix": cutmix})


MIXUP, CUTMIX, BOTH, NEITHER = mixing_by(0.4, 0.0), mixing_by(0.0, 1.0), mixing_by(0.4, 1.0), mixing_by(0.0, 0.0)
SHAPE = (6, 5, 7, 3)
SEEDS = range(400)


def drawn(settings: MixingRecipe) -> list[mixing.Mixture]:
    return [mixing.draw(settings, SHAPE, [seed]) for seed in SEEDS]


def is_even(mixture: mixing.Mixture) -> bool:
    """Whether the same share is kept everywhere."""
    return bool((mixture.kept == mixture.kept[0, 0]).all())


def is_cut(mixture: mixing.Mixture) -> bool:
    """Whether each position is kept or replaced."""
    return set(np.unique(mixture.kept)) <= {0.0, 1.0}


@given(settings=st.sampled_from([MIXUP, CUTMIX, BOTH]), seed=st.integers(0, 10**6), height=st.integers(1, 12))
def test_a_mixture_is_whole(settings: MixingRecipe, seed: int, height: int) -> None:
    mixture = mixing.draw(settings, (6, height, 7, 3), [seed])
    assert sorted(mixture.partners) == list(range(6))
    assert mixture.kept.shape == (height, 7, 1)
    assert mixture.kept.dtype == mixture.share.dtype == np.float32
    assert 0 <= mixture.kept.min() <= mixture.kept.max() <= 1
    assert mixture.share == pytest.approx(mixture.kept.mean(), abs=1e-6)


def test_the_same_seed_draws_the_same() -> None:
    one, again, other = (mixing.draw(MIXUP, SHAPE, seed) for seed in ([1, 2], [1, 2], [1, 3]))
    np.testing.assert_array_equal(one.partners, again.partners)
    assert one.share == again.share != other.share


def test_shares_of_mixup_follow_the_beta_distribution() -> None:
    """Beta(α, α) has the mean 1/2 and the variance 1 / (4 (2 α + 1))."""
    shares = np.array([mixture.share for mixture in drawn(MIXUP)])
    assert shares.mean() == pytest.approx(0.5, abs=0.05)
    assert shares.var() == pytest.approx(1 / (4 * 1.8), abs=0.03)


def test_cutmix_cuts_one_rectangle() -> None:
    for mixture in drawn(CUTMIX):
        kept = mixture.kept[..., 0]
        rows, columns = np.nonzero(kept == 0)
        box = np.ones_like(kept)
        if len(rows):
            box[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1] = 0
        np.testing.assert_array_equal(kept, box)
    # With α = 1 every share is as likely; boxes that reach over the edge are smaller.
    assert 0.5 < np.mean([mixture.share for mixture in drawn(CUTMIX)]) < 0.75


def test_with_both_each_batch_takes_one() -> None:
    assert all(is_even(mixture) for mixture in drawn(MIXUP))
    assert all(is_cut(mixture) for mixture in drawn(CUTMIX))
    assert 0.4 < np.mean([is_cut(mixture) for mixture in drawn(BOTH)]) < 0.6


@pytest.mark.parametrize("settings", [MIXUP, CUTMIX])
@pytest.mark.parametrize("dtype", [np.uint8, np.float16, np.float32])
def test_values_are_mixed_position_by_position(settings: MixingRecipe, dtype: Any) -> None:
    values = np.random.default_rng(0).integers(0, 256, SHAPE).astype(dtype)
    mixture = mixing.draw(settings, SHAPE, [5])
    found = np.asarray(mixing.mix(values, mixture))
    assert found.dtype == np.float32
    partners = values[mixture.partners].astype(np.float64)
    expected = mixture.kept * values.astype(np.float64) + (1 - mixture.kept.astype(np.float64)) * partners
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize(("settings", "on"), [(MIXUP, True), (CUTMIX, True), (NEITHER, False)])
def test_it_is_off_where_both_are(settings: MixingRecipe, on: bool) -> None:
    assert mixing.asked(settings) is (settings if on else None)
