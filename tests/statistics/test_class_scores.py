import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, balanced_accuracy_score, recall_score

from headstart.foundation.array_types import FloatArray, IntArray
from headstart.statistics import class_scores
from headstart.statistics.intervals import bootstrap_weights, wilson
from headstart.statistics.outcome import Outcome
from tests.outcomes import once


def predictions(seed: int, images: int, classes: int) -> tuple[IntArray, FloatArray]:
    source = np.random.default_rng(seed)
    labels = np.concatenate([np.arange(classes), source.integers(classes, size=images - classes)])
    # Rounded, so that scores are tied now and then.
    logits = np.round(source.normal(size=(images, classes)) + 1.5 * np.eye(classes)[labels], 1)
    rows = np.exp(logits)
    return labels, rows / rows.sum(axis=1, keepdims=True)


@given(st.integers(0, 1000), st.integers(2, 5))
def test_recalls_and_their_mean_agree_with_scikit_learn(seed: int, classes: int) -> None:
    labels, probabilities = predictions(seed, 60, classes)
    found = class_scores.recalls(once(labels, probabilities))
    predicted = probabilities.argmax(axis=1)
    expected = recall_score(labels, predicted, average=None)
    assert {one.number: one.share.value for one in found} == pytest.approx(dict(enumerate(expected)))
    assert [one.share.value for one in found] == sorted(expected)
    mean = class_scores.balanced_accuracy(found)
    assert mean.value == pytest.approx(balanced_accuracy_score(labels, predicted))
    assert 0 <= mean.low <= mean.value <= mean.high <= 1


def test_the_worst_class_comes_first_and_a_class_without_images_not_at_all() -> None:
    labels = np.array([0] * 10 + [1] * 20 + [3] * 5)
    predicted = np.array([0] * 10 + [1] * 12 + [0] * 8 + [3] * 3 + [0] * 2)
    found = class_scores.recalls(once(labels, np.eye(4)[predicted]))
    assert [(one.number, one.images, one.share.value) for one in found] == [(1, 20, 0.6), (3, 5, 0.6), (0, 10, 1)]
    share = wilson(12, 20)
    assert (found[0].share.low, found[0].share.high) == pytest.approx((share.low, share.high))


def test_groups_widen_a_recall() -> None:
    labels = np.array([0] * 20 + [1] * 20)
    predicted = np.array([0] * 15 + [1] * 25)
    alone = class_scores.recalls(once(labels, np.eye(2)[predicted]))[0].share
    grouped = class_scores.recalls(once(labels, np.eye(2)[predicted], np.repeat(np.arange(8), 5)))[0].share
    assert grouped.low < alone.low < alone.high < grouped.high


def test_balanced_accuracy_of_faultless_classes_stays_open() -> None:
    found = class_scores.balanced_accuracy(
        class_scores.recalls(once(np.array([0] * 50 + [1] * 10), np.eye(2)[[0] * 50 + [1] * 10]))
    )
    assert found.high == 1
    below = np.hypot(1 - wilson(50, 50).low, 1 - wilson(10, 10).low) / 2
    assert found.low == pytest.approx(1 - below)


def test_balanced_accuracy_is_covered() -> None:
    source = np.random.default_rng(0)
    labels = np.array([0] * 90 + [1] * 12)
    held = []
    for _ in range(500):
        right = source.random(102) < np.where(labels == 0, 0.97, 0.7)
        found = class_scores.balanced_accuracy(
            class_scores.recalls(once(labels, np.eye(2)[np.where(right, labels, 1 - labels)]))
        )
        held.append(found.low <= 0.835 <= found.high)
    assert np.mean(held) == pytest.approx(0.95, abs=0.025)


def test_guessing_reaches_the_share_of_the_class_that_training_holds_most_of() -> None:
    assert class_scores.majority(np.array([0, 1, 1]), np.array([1] * 6 + [0])) == pytest.approx(6 / 7)
    assert class_scores.majority(np.array([0, 0, 1]), np.array([1] * 6 + [0])) == pytest.approx(1 / 7)


@settings(max_examples=30)
@given(st.integers(0, 1000), st.integers(2, 4))
def test_weighted_average_precision_agrees_with_scikit_learn(seed: int, classes: int) -> None:
    labels, probabilities = predictions(seed, 40, classes)
    weights = next(bootstrap_weights(40, 5, seed))
    found = class_scores.weighted_average_precision(labels, probabilities)(weights)
    for value, column in zip(found, weights.T, strict=True):
        held = [k for k in range(classes) if column[labels == k].sum() > 0]
        expected = [average_precision_score(labels == k, probabilities[:, k], sample_weight=column) for k in held]
        assert value == pytest.approx(np.mean(expected))


def test_average_precision_of_a_class_and_of_all() -> None:
    labels, probabilities = predictions(1, 80, 3)
    each = [average_precision_score(labels == k, probabilities[:, k]) for k in range(3)]
    assert class_scores.average_precision(labels, probabilities) == pytest.approx(np.mean(each))
    assert class_scores.average_precision(labels, probabilities, positive=2) == pytest.approx(each[2])
    weights = np.ones((80, 1))
    assert class_scores.weighted_average_precision(labels, probabilities, 2)(weights) == pytest.approx(each[2])


def test_average_precision_where_there_is_nothing_to_rank() -> None:
    rows = np.array([[0.9, 0.1], [0.2, 0.8]])
    assert class_scores.average_precision(np.array([0, 0]), rows) is None
    assert class_scores.average_precision(np.array([0, 1]), rows) == 1.0


def test_a_class_is_never_recognised_only_where_no_run_of_any_strategy_did() -> None:
    labels = np.array([0, 0, 1, 1, 2])
    blind = once(labels, np.eye(3)[[0, 0, 0, 0, 0]])
    seeing = Outcome(labels, np.eye(3)[[[0, 0, 0, 0, 0], [0, 0, 0, 1, 0]]])
    assert class_scores.never_recognised([blind, blind]) == [1, 2]
    assert class_scores.never_recognised([blind, seeing]) == [2]
    assert class_scores.never_recognised([once(labels, np.eye(3)[labels])]) == []


def test_the_recall_of_a_class_that_one_fold_holds_has_the_luck_of_its_images() -> None:
    labels = np.array([0] * 20 + [1] * 2)
    folds = np.concatenate([np.arange(20) % 4, [1, 1]])
    found = class_scores.recalls(Outcome(labels, np.eye(2)[[labels]], folds[None]))
    expected = wilson(2, 2)
    assert (found[0].share.low, found[0].share.high) == pytest.approx((wilson(20, 20).low, 1))
    assert (found[1].share.low, found[1].share.high) == pytest.approx((expected.low, expected.high))
