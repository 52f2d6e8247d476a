"""ROC curves are scikit-learn's, laid on an even grid and averaged over the classes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score, roc_curve

from headstart.foundation.array_types import FloatArray
from headstart.statistics.curves import learning, reliability, roc
from headstart.statistics.learning_curve import CurvePoint, LearningCurve


def probabilities(images: int, classes: int, seed: int) -> FloatArray:
    rows = np.random.default_rng(seed).random((images, classes))
    result: FloatArray = rows / rows.sum(axis=1, keepdims=True)
    return result


def area(labels: list[int], rows: FloatArray) -> float:
    curve = roc(np.array(labels), rows)
    return float(np.trapezoid(curve["true_positive_rate"], curve["false_positive_rate"]))


labels = st.lists(st.integers(0, 3), min_size=8, max_size=30).map(lambda drawn: [0, 1, 2, 3, *drawn])


@given(labels, st.integers(0, 1000))
def test_a_curve_goes_up_from_corner_to_corner(drawn: list[int], seed: int) -> None:
    curve = roc(np.array(drawn), probabilities(len(drawn), 4, seed))
    assert list(curve.columns) == ["false_positive_rate", "true_positive_rate"]
    assert curve["false_positive_rate"].iloc[[0, -1]].tolist() == [0, 1]
    assert curve["true_positive_rate"].iloc[-1] == 1
    assert (curve.diff().iloc[1:] >= 0).all(axis=None)
    assert len(curve) == 201


def test_of_two_classes_it_is_that_of_the_second() -> None:
    drawn = [0, 1, 1, 0, 1, 0, 0, 1]
    rows = probabilities(8, 2, seed=1)
    false_positive, true_positive, _ = roc_curve(np.array(drawn) == 1, rows[:, 1])
    curve = roc(np.array(drawn), rows)
    expected = np.interp(curve["false_positive_rate"], false_positive, true_positive)
    np.testing.assert_allclose(curve["true_positive_rate"], expected)


@pytest.mark.parametrize("classes", [2, 5])
def test_the_area_is_the_auc(classes: int) -> None:
    """Up to the steps of the curve, which the grid cuts."""
    random = np.random.default_rng(0)
    drawn = random.integers(0, classes, 400)
    rows = probabilities(400, classes, seed=2) + 0.3 * np.eye(classes)[drawn]
    rows /= rows.sum(axis=1, keepdims=True)
    expected = np.mean([roc_auc_score(drawn == k, rows[:, k]) for k in ([1] if classes == 2 else range(classes))])
    assert area(drawn.tolist(), rows) == pytest.approx(expected, abs=0.01)


def test_perfect_predictions_reach_the_corner() -> None:
    drawn = np.array([0, 1, 2, 0, 1, 2])
    assert (roc(drawn, np.eye(3)[drawn])["true_positive_rate"].iloc[1:] == 1).all()


def test_a_class_without_images_is_left_out() -> None:
    drawn = np.array([0, 1, 0, 1])
    rows = np.eye(3)[drawn]
    assert area([0, 1, 0, 1], rows) == pytest.approx(1, abs=0.01)


def test_of_a_single_class_there_is_no_curve() -> None:
    curve = roc(np.zeros(4, np.int64), probabilities(4, 2, seed=0))
    assert list(curve.columns) == ["false_positive_rate", "true_positive_rate"]
    assert curve.empty


def test_reliability_has_a_row_a_bin_that_holds_images() -> None:
    sureness = np.array([0.55, 0.55, 0.95, 0.95, 0.95, 0.95])
    rows = np.stack([sureness, 1 - sureness], axis=1)
    table = reliability(np.array([0, 1, 0, 0, 0, 1]), rows)
    assert list(table.columns) == ["confidence", "accuracy", "accuracy_low", "accuracy_high", "images"]
    assert table["images"].tolist() == [2, 4]
    np.testing.assert_allclose(table["confidence"], [0.55, 0.95])
    np.testing.assert_allclose(table["accuracy"], [0.5, 0.75])
    assert ((table["accuracy_low"] < table["accuracy"]) & (table["accuracy"] < table["accuracy_high"])).all()


def test_a_learning_curve_is_a_table_of_its_points() -> None:
    curve = LearningCurve([CurvePoint(10, 0.5, 0.4, 0.6), CurvePoint(20, 0.7, 0.6, 0.8)], None)
    table = learning(curve)
    assert table.to_dict("list") == {
        "images": [10, 20],
        "accuracy": [0.5, 0.7],
        "accuracy_low": [0.4, 0.6],
        "accuracy_high": [0.6, 0.8],
    }
    assert list(learning(None).columns) == list(table.columns)
    assert learning(None).empty
