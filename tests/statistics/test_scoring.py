import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, brier_score_loss, f1_score, log_loss, roc_auc_score

from headstart.foundation.array_types import FloatArray, IntArray
from headstart.foundation.errors import InputError
from headstart.statistics import scoring


def predictions(seed: int, images: int, classes: int, coarse: bool = False) -> tuple[IntArray, FloatArray]:
    """Labels that hold every class, and random probabilities; ``coarse`` ones have ties, zeros and ones."""
    source = np.random.default_rng(seed)
    labels = np.concatenate([np.arange(classes), source.integers(classes, size=images - classes)])
    rows = source.dirichlet(np.full(classes, 0.5), size=images)
    rows[np.arange(images), labels] += 0.3
    if coarse:
        rows = np.round(2 * rows)
        rows[rows.sum(axis=1) == 0] = 1
    return labels, rows / rows.sum(axis=1, keepdims=True)


@settings(max_examples=60)
@given(st.integers(0, 10_000), st.integers(2, 5), st.booleans())
def test_metrics_agree_with_scikit_learn(seed: int, classes: int, coarse: bool) -> None:
    labels, probabilities = predictions(seed, 40, classes, coarse)
    predicted = probabilities.argmax(axis=1)
    assert scoring.accuracy(labels, probabilities) == accuracy_score(labels, predicted)
    assert scoring.log_loss(labels, probabilities) == pytest.approx(log_loss(labels, probabilities))
    assert scoring.image_losses(labels, probabilities).mean() == pytest.approx(log_loss(labels, probabilities))
    if classes == 2:
        assert scoring.roc_auc(labels, probabilities) == roc_auc_score(labels, probabilities[:, 1])
        assert scoring.f1(labels, probabilities) == f1_score(labels, predicted)
    else:
        expected = roc_auc_score(labels, probabilities, multi_class="ovr", average="macro")
        assert scoring.roc_auc(labels, probabilities) == pytest.approx(expected)
        assert scoring.f1(labels, probabilities) == f1_score(labels, predicted, average="macro")


def test_log_loss_of_a_worked_example() -> None:
    # Minus the mean of ln 0.9, ln 0.8 and ln 0.3, by hand.
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [0.3, 0.7]])
    assert scoring.log_loss(np.array([0, 1, 0]), probabilities) == pytest.approx(0.5108256, abs=1e-7)


def test_roc_auc_of_a_worked_example() -> None:
    # Five of the six pairs are ranked right, one is a tie: 5.5/6, counted by hand.
    scores = np.array([0.1, 0.4, 0.4, 0.8, 0.9])
    area = scoring.roc_auc(np.array([0, 0, 1, 1, 1]), np.stack([1 - scores, scores], axis=1))
    assert area == pytest.approx(5.5 / 6)


def test_constant_predictions() -> None:
    labels = np.array([0, 0, 1, 1, 1])
    probabilities = np.tile([0.5, 0.5], (5, 1))
    assert scoring.accuracy(labels, probabilities) == 0.4  # equal probabilities mean the first class
    assert scoring.log_loss(labels, probabilities) == pytest.approx(np.log(2))
    assert scoring.roc_auc(labels, probabilities) == 0.5
    assert scoring.f1(labels, probabilities) == 0.0


def test_probabilities_of_exactly_0_and_1() -> None:
    labels = np.array([0, 1, 1])
    probabilities = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    assert scoring.log_loss(labels, probabilities) == pytest.approx(-np.log(np.finfo(float).eps) / 3)
    assert scoring.roc_auc(labels, probabilities) == 0.75
    assert scoring.f1(labels, probabilities) == pytest.approx(2 / 3)


def test_a_single_class_of_two_leaves_ranking_undefined() -> None:
    probabilities = np.array([[0.8, 0.2], [0.6, 0.4]])
    assert scoring.roc_auc(np.array([0, 0]), probabilities) is None
    assert scoring.f1(np.array([0, 0]), probabilities) is None
    assert scoring.f1(np.array([1, 1]), probabilities) == 0.0
    assert scoring.log_loss(np.array([0, 0]), probabilities) == pytest.approx(-np.log(0.8 * 0.6) / 2)


def test_a_class_missing_from_the_split_is_left_out_of_the_means() -> None:
    labels = np.array([0, 0, 2, 2])
    probabilities = np.array([[0.7, 0.1, 0.2], [0.3, 0.1, 0.6], [0.1, 0.2, 0.7], [0.5, 0.1, 0.4]])
    # Classes 0 and 2 rank three of four pairs right, and have one image right and one wrong each.
    assert scoring.roc_auc(labels, probabilities) == pytest.approx(0.75)
    assert scoring.f1(labels, probabilities) == pytest.approx(0.5)


def test_checked_scales_rows_to_sum_to_1() -> None:
    labels, rows = scoring.checked([0.0, 1.0], np.array([[0.5004, 0.5], [0.1, 0.9]], dtype=np.float32), "file.csv")
    assert labels.dtype == np.int64
    assert rows.dtype == np.float64
    assert np.abs(rows.sum(axis=1) - 1).max() < 1e-15


@pytest.mark.parametrize(
    ("labels", "rows", "message"),
    [
        ([0, 1], [0.5, 0.5], r"^file.csv: found labels of shape \(2,\) and probabilities of shape \(2,\), exp"),
        ([0], [[0.5, 0.5], [0.5, 0.5]], r"found labels of shape \(1,\) and probabilities of shape \(2, 2\)"),
        ([0], [[1.0]], r"expected \(images,\) and \(images, 2 or more classes\)"),
        ([], np.zeros((0, 2)), "^file.csv: found no images, expected at least one"),
        ([0, 2], [[0.5, 0.5], [0.5, 0.5]], "image 1 has label 2, expected a whole number from 0 to 1"),
        ([-1], [[0.5, 0.5]], "image 0 has label -1"),
        ([0.5], [[0.5, 0.5]], "image 0 has label 0.5"),
        ([0], [[0.5, 0.2]], r"image 0 has the probabilities \[0.5, 0.2\], expected 2 numbers from 0 to 1 that"),
        ([0], [[1.5, -0.5]], r"image 0 has the probabilities \[1.5, -0.5\]"),
        ([0, 0], [[1, 0], [np.nan, 1]], r"image 1 has the probabilities \[nan, 1.0\]"),
        ([0], [[np.inf, 0]], r"image 0 has the probabilities \[inf, 0.0\]"),
    ],
)
def test_impossible_predictions_are_refused(labels: npt.ArrayLike, rows: npt.ArrayLike, message: str) -> None:
    with pytest.raises(InputError, match=message):
        scoring.checked(labels, rows, "file.csv")


@given(st.integers(0, 1000), st.integers(2, 5))
def test_brier_score_agrees_with_scikit_learn(seed: int, classes: int) -> None:
    source = np.random.default_rng(seed)
    labels, rows = source.integers(classes, size=30), source.random((30, classes))
    rows /= rows.sum(axis=1, keepdims=True)
    hot = np.eye(classes)[labels]
    numbers = np.arange(classes)
    if classes == 2:
        expected = brier_score_loss(labels, rows[:, 1], pos_label=1)
    else:
        expected = brier_score_loss(labels, rows, labels=numbers, scale_by_half=True)
    assert scoring.brier(labels, rows) == pytest.approx(expected)
    assert scoring.image_briers(labels, rows) == pytest.approx(np.square(rows - hot).sum(axis=1) / 2)


def test_brier_score_of_the_surest_is_0_or_1() -> None:
    assert scoring.brier(np.array([0, 1]), np.eye(2)) == 0
    assert scoring.brier(np.array([1, 0]), np.eye(2)) == 1
