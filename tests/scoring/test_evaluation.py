"""The numbers of the comparison are those of the predictions, in a form that DVC shows."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, f1_score, log_loss, roc_auc_score

from headstart.foundation import paths
from headstart.foundation.atomic import write_json
from headstart.foundation.errors import InputError
from headstart.foundation.rounding import rounded
from headstart.scoring import evaluation, results
from headstart.scoring.predictions import Predictions
from headstart.scoring.review import COLUMNS, TWICE, Review
from headstart.statistics.intervals import Share
from headstart.statistics.learning_curve import CurvePoint, LearningCurve
from headstart.statistics.paired import compare_all
from headstart.statistics.suspects import CONTRADICTED, FAR
from tests.reports import DESCRIPTION


def example(classes: int, images: int = 60) -> Predictions:
    random = np.random.default_rng(0)
    labels = np.arange(images) % classes
    rows = random.random((images, classes)) + 0.5 * np.eye(classes)[labels]
    return Predictions(
        tuple(map(str, range(images))), tuple(map(str, range(classes))), labels, rows / rows.sum(axis=1, keepdims=True)
    )


@pytest.mark.parametrize("classes", [2, 4])
def test_metrics_are_those_of_scikit_learn(classes: int) -> None:
    drawn = example(classes)
    found = evaluation.measure(drawn, DESCRIPTION, seed=0)
    rows, two = drawn.probabilities, classes == 2
    assert found["accuracy"] == pytest.approx(accuracy_score(drawn.labels, drawn.predicted))
    assert found["log_loss"] == pytest.approx(log_loss(drawn.labels, rows))
    assert found["roc_auc"] == pytest.approx(
        roc_auc_score(drawn.labels, rows[:, 1] if two else rows, multi_class="ovr")
    )
    assert found["f1"] == pytest.approx(f1_score(drawn.labels, drawn.predicted, average="binary" if two else "macro"))
    assert (found["trained_parameters"], found["epochs"]) == (DESCRIPTION.trained_parameters, DESCRIPTION.epochs)


def test_every_metric_stands_in_its_interval() -> None:
    found = evaluation.measure(example(3), DESCRIPTION, seed=0)
    for name in ("accuracy", "log_loss", "roc_auc", "f1", "calibration_error"):
        value, low, high = found[name], found[f"{name}_low"], found[f"{name}_high"]
        assert value is not None
        assert low is not None
        assert high is not None
        assert low <= value <= high


def test_rows_are_flat_and_of_plain_numbers() -> None:
    """DVC drops lists without a word."""
    found = evaluation.measure(example(3), DESCRIPTION, seed=0)
    assert all(value is None or type(value) in (int, float) for value in found.values())


def test_what_the_images_leave_open_is_none() -> None:
    drawn = example(2)
    one_class = Predictions(drawn.images, drawn.classes, np.zeros(60, np.int64), drawn.probabilities)
    assert evaluation.measure(one_class, DESCRIPTION, seed=0)["roc_auc"] is None


def test_the_same_seed_gives_the_same_numbers() -> None:
    one, other = (evaluation.measure(example(3), DESCRIPTION, seed=5) for _ in range(2))
    assert one == other
    assert evaluation.measure(example(3), DESCRIPTION, seed=6) != one


def test_what_was_written_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    written = {"head": evaluation.measure(example(2), DESCRIPTION, seed=0)}
    write_json(paths.EVALUATION, written)
    assert results.read() == rounded(written)


@pytest.mark.parametrize(
    ("read", "path"), [(results.read, paths.EVALUATION), (results.read_comparison, results.COMPARISON)]
)
def test_what_can_not_be_read_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read: Callable[[], object], path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=rf"^{path}: no such file: run `dvc repro` first$"):
        read()
    path.parent.mkdir()
    path.write_text("{")
    with pytest.raises(InputError, match=rf"^{path}: not readable as JSON \(.+\): run `dvc checkout`, or `dvc repro`$"):
        read()


def test_validation_chooses_the_winner_and_the_test_split_has_no_part_in_it() -> None:
    losses = {"head": 0.3, "augmented": 0.2, "finetune": 0.2}
    rows = {name: {"accuracy": 0.5 + loss, "validation_log_loss": loss} for name, loss in losses.items()}
    assert results.winner(rows) == "augmented"


def test_calibration_is_fitted_on_validation_and_changes_no_answer() -> None:
    """Overconfident probabilities: a temperature above 1 takes sureness from them, and nothing else."""
    drawn = example(3, images=300)
    sharp = drawn.probabilities**6
    test = drawn.with_probabilities(sharp / sharp.sum(axis=1, keepdims=True))
    validation = test
    calibrated, effect = evaluation.calibrate(validation, test)
    np.testing.assert_array_equal(calibrated.predicted, test.predicted)
    assert effect["temperature"] is not None
    assert effect["temperature"] > 1
    assert effect["validation_accuracy"] == pytest.approx(accuracy_score(validation.labels, validation.predicted))
    assert effect["validation_log_loss"] == pytest.approx(log_loss(validation.labels, calibrated.probabilities))
    assert effect["log_loss_uncalibrated"] == pytest.approx(log_loss(test.labels, test.probabilities))
    assert log_loss(test.labels, calibrated.probabilities) < log_loss(test.labels, test.probabilities)


def test_test_images_have_no_part_in_calibration() -> None:
    validation, test = example(3, images=90), example(3, images=60)
    wrong = Predictions(test.images, test.classes, (test.labels + 1) % 3, test.probabilities)
    one, other = (evaluation.calibrate(validation, of_split) for of_split in (test, wrong))
    for name in ("temperature", "validation_accuracy", "validation_log_loss"):
        assert one[1][name] == other[1][name]
    np.testing.assert_array_equal(one[0].probabilities, other[0].probabilities)


def test_differences_are_later_minus_earlier_whichever_won() -> None:
    """So that two revisions can be compared number by number."""
    drawn = example(2, images=200)
    right, half = np.eye(2)[drawn.labels], np.eye(2)[np.where(np.arange(200) < 100, drawn.labels, 1 - drawn.labels)]
    order = ("head", "augmented")
    found = Review(pd.DataFrame(columns=list(COLUMNS)), frozen_accuracy=0.9)
    for winner, sign in (("head", -1), ("augmented", 1)):
        answers = {name: drawn.with_probabilities(right if name == winner else half).answers for name in order}
        pair = evaluation.compared(compare_all(answers), order, {}, found)["pairs"]["augmented_minus_head"]
        assert pair["difference"] == sign * 0.5
        assert pair["difference_low"] < pair["difference"] < pair["difference_high"]
        assert pair["p_value"] < 0.001


def test_the_comparison_counts_suspects_and_tells_the_gain_of_more_images() -> None:
    rows = [
        {"reason": CONTRADICTED, "counted_wrong": "yes"},
        {"reason": CONTRADICTED, "counted_wrong": "no"},
        {"reason": FAR, "counted_wrong": ""},
        {"reason": TWICE, "counted_wrong": ""},
    ]
    found = Review(pd.DataFrame(rows, columns=list(COLUMNS)), frozen_accuracy=0.75)
    points = [CurvePoint(10, 0.5, 0.4, 0.6)]
    curves = {
        "head": LearningCurve(points, Share(0.02, 0.01, 0.03)),
        "augmented": LearningCurve(points, None),
    }
    told = evaluation.compared([], (), curves, found)
    assert told == {
        "pairs": {},
        "doubling": {"head": {"gain": 0.02, "gain_low": 0.01, "gain_high": 0.03}},
        "frozen_features": {"accuracy": 0.75},
        "suspects": {"labels_counted_wrong": 1, "labels_contradicted": 2, "images_in_two_splits": 1},
    }
