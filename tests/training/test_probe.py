"""The probe is scikit-learn's logistic regression on standardised features, its penalty chosen on validation images."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from headstart.foundation.array_types import FloatArray
from headstart.foundation.errors import InputError
from headstart.settings import params
from headstart.settings.schema import Probe
from headstart.training import probe
from headstart.training.probe import Pooled, Weights
from tests.pipeline import ROOT

USUAL = params.load(ROOT / "presets" / "quick.yaml").train_probe


def settings(**changes: Any) -> Probe:
    return Probe.model_validate(USUAL.model_dump() | changes)


def pooled(counts: list[int], channels: int = 8, seed: int = 0) -> Pooled:
    """Overlapping classes, of so many images each; channels of very different scales, the last one without a change."""
    labels = np.repeat(np.arange(len(counts)), counts)
    random = np.random.default_rng(seed)
    centres = np.random.default_rng(99).normal(0, 1, (len(counts), channels))
    features = (centres[labels] + random.normal(0, 4, (len(labels), channels))) * 10.0 ** np.arange(-3, channels - 3)
    features[:, -1] = 7.0
    return Pooled(features, labels)


def probabilities(weights: Weights, features: FloatArray) -> FloatArray:
    logits = features @ weights.kernel + weights.bias
    if logits.shape[1] == 1:
        logits = np.hstack([np.zeros_like(logits), logits])
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    found: FloatArray = powers / powers.sum(axis=1, keepdims=True)
    return found


@pytest.mark.parametrize("class_weight", ["none", "balanced"])
@pytest.mark.parametrize("counts", [[30, 12], [20, 30, 10]])
def test_it_is_scikit_learns_of_the_strength_that_suits_validation_images(counts: list[int], class_weight: str) -> None:
    """Standardised there, folded into the weights here; one unit for two classes."""
    known, unseen = pooled(counts), pooled([20] * len(counts), seed=1)
    weights, rows = probe.fit(known, unseen, settings(class_weight=class_weight), len(counts))
    assert weights.kernel.shape == (8, 1 if len(counts) == 2 else len(counts))
    counted = len(known.labels) / (len(counts) * np.bincount(known.labels)) if class_weight == "balanced" else None
    of_unseen = None if counted is None else counted[unseen.labels]
    losses = []
    for row, strength in zip(rows, sorted(USUAL.strengths, reverse=True), strict=True):
        balanced = None if counted is None else "balanced"
        reference = make_pipeline(
            StandardScaler(), LogisticRegression(C=1 / strength, class_weight=balanced, tol=1e-9, max_iter=100_000)
        ).fit(known.features, known.labels)
        said = reference.predict_proba(unseen.features)
        # It divides by the sum of the weights, not by the number of images.
        scale = 1.0 if of_unseen is None else of_unseen.mean()
        losses.append(scale * log_loss(unseen.labels, said, sample_weight=of_unseen))
        assert row[3:] == pytest.approx([losses[-1], reference.score(unseen.features, unseen.labels), strength], 1e-3)
        assert row[2] == pytest.approx(reference.score(known.features, known.labels))
        if losses[-1] == min(losses):
            best = said
    assert [row[0] for row in rows] == list(range(1, len(rows) + 1))
    assert 0 < int(np.argmin(losses)) < len(losses) - 1, "the best lies inside the list, or the test tests little"
    np.testing.assert_allclose(probabilities(weights, unseen.features), best, atol=1e-4)


def test_the_loss_of_a_row_is_that_of_its_weights_without_the_penalty() -> None:
    known, unseen = pooled([20, 30, 10]), pooled([20, 30, 10], seed=1)
    weights, ((_, loss, _, val_loss, _, _),) = probe.fit(known, unseen, settings(strengths=[10]), 3)
    for images, expected in ((known, loss), (unseen, val_loss)):
        truth = probabilities(weights, images.features)[np.arange(60), images.labels]
        assert expected == pytest.approx(-np.log(truth).mean())


@given(order=st.permutations([1000.0, 30.0, 1.0]))
def test_the_order_of_the_strengths_makes_no_difference(order: list[float]) -> None:
    known, unseen = pooled([8, 8]), pooled([8, 8], seed=1)
    ordered = probe.fit(known, unseen, settings(strengths=[1000.0, 30.0, 1.0]), 2)
    weights, rows = probe.fit(known, unseen, settings(strengths=order), 2)
    assert rows == ordered[1]
    np.testing.assert_array_equal(weights.kernel, ordered[0].kernel)


def test_it_is_the_same_on_any_number_of_threads() -> None:
    """Without a limit of its own OpenBLAS would divide sums this long among its threads."""
    labels = np.arange(1200) % 3
    known, unseen = (Pooled(np.random.default_rng(seed).random((1200, 300)), labels) for seed in (0, 1))
    found = []
    for threads in (1, 2):
        with threadpool_limits(limits=threads):
            found.append(probe.fit(known, unseen, settings(strengths=[100, 1]), 3))
    (one, rows), (two, again) = found
    assert rows == again
    np.testing.assert_array_equal(one.kernel, two.kernel)
    np.testing.assert_array_equal(one.bias, two.bias)


def test_a_penalty_too_weak_for_a_minimum_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "_MOST_STEPS", 3)
    message = (
        r"^params\.yaml: train_probe\.strengths: with 0\.001 no minimum of the loss was found in 3 steps: "
        "leave out such weak penalties$"
    )
    with pytest.raises(InputError, match=message):
        probe.fit(pooled([10, 10]), pooled([10, 10], seed=1), settings(strengths=[1000000, 0.001]), 2)
