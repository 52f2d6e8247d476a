"""The numbers of the comparison are those of the predictions, in a form that DVC shows."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, log_loss, roc_auc_score

from stages.core import evaluation, params, paths
from stages.core.atomic import write_json
from stages.core.errors import InputError
from stages.core.extraction import Extraction
from stages.core.models import Description
from stages.core.predictions import Predictions
from tests.pipeline import ROOT

DESCRIPTION = Description(
    strategy="head",
    extraction=Extraction(base="vgg16", image_size=96, policy="float32"),
    classifier=params.load(ROOT / "presets" / "quick.yaml").train_head,
    classes=["cat", "dog"],
    unfreeze=0,
    trained_parameters=1234,
    epochs=7,
    best_epoch=3,
)


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
    assert (found["trained_parameters"], found["epochs"]) == (1234, 7)


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
    assert evaluation.read() == written


def test_where_nothing_was_written_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"^metrics/evaluation\.json: no such file: run `dvc repro` first$"):
        evaluation.read()
