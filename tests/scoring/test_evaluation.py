"""The numbers of the comparison are those of the predictions, in a form that DVC shows."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, f1_score, log_loss, roc_auc_score

from headstart.foundation import paths
from headstart.foundation.atomic import write_json
from headstart.foundation.errors import InputError
from headstart.foundation.rounding import rounded
from headstart.scoring import evaluation, results
from headstart.scoring.predictions import Predictions
from headstart.scoring.review import COLUMNS, TWICE, Review
from headstart.settings import params
from headstart.statistics.comparisons import compare
from headstart.statistics.differences import Scope
from headstart.statistics.suspects import CONTRADICTED, FAR
from tests.outcomes import scored
from tests.pipeline import ROOT
from tests.reports import DESCRIPTION

NOTHING = Review(pd.DataFrame(columns=list(COLUMNS)), frozen_accuracy=0.9)


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
    found = evaluation.measure(scored(drawn), DESCRIPTION, seed=0)
    rows, two = drawn.probabilities, classes == 2
    assert found["accuracy"] == pytest.approx(accuracy_score(drawn.labels, drawn.predicted))
    assert found["log_loss"] == pytest.approx(log_loss(drawn.labels, rows))
    assert found["roc_auc"] == pytest.approx(
        roc_auc_score(drawn.labels, rows[:, 1] if two else rows, multi_class="ovr")
    )
    assert found["f1"] == pytest.approx(f1_score(drawn.labels, drawn.predicted, average="binary" if two else "macro"))
    assert (found["trained_parameters"], found["epochs"]) == (DESCRIPTION.trained_parameters, DESCRIPTION.epochs)


@pytest.mark.parametrize("changes", [{"positive_recall": 0.9}, {"miss_cost": 30.0}])
def test_validation_images_say_from_where_on_an_image_counts_as_the_class_not_to_miss(
    changes: dict[str, float],
) -> None:
    one = scored(example(2))
    settings = params.load(ROOT / "presets" / "quick.yaml").evaluate
    assert evaluation.decision(one, settings) is None
    found = evaluation.decision(one, settings.model_copy(update={"positive_class": "1", **changes}))
    assert found
    assert found.positive == "1"
    scores = one.validation.calibrated[:, 1]
    recall = float((scores[one.validation.labels == 1] >= found.threshold).mean())
    assert recall >= 0.9
    assert found.threshold < 0.5


def test_every_metric_stands_in_its_interval() -> None:
    found = evaluation.measure(scored(example(3)), DESCRIPTION, seed=0)
    for name in ("accuracy", "log_loss", "roc_auc", "f1", "calibration_error"):
        value, low, high = found[name], found[f"{name}_low"], found[f"{name}_high"]
        assert value is not None
        assert low is not None
        assert high is not None
        assert low <= value <= high


def test_rows_are_flat_and_of_plain_numbers() -> None:
    """DVC drops lists without a word."""
    found = evaluation.measure(scored(example(3)), DESCRIPTION, seed=0)
    assert all(value is None or type(value) in (int, float) for value in found.values())


def test_what_the_images_leave_open_is_none() -> None:
    drawn = example(2)
    one_class = Predictions(drawn.images, drawn.classes, np.zeros(60, np.int64), drawn.probabilities)
    assert evaluation.measure(scored(one_class), DESCRIPTION, seed=0)["roc_auc"] is None


def test_the_same_seed_gives_the_same_numbers() -> None:
    one, other = (evaluation.measure(scored(example(3)), DESCRIPTION, seed=5) for _ in range(2))
    assert one == other
    assert evaluation.measure(scored(example(3)), DESCRIPTION, seed=6) != one


def test_what_was_written_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    written = {"head": evaluation.measure(scored(example(2)), DESCRIPTION, seed=0)}
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


def told(drawn: dict[str, Predictions], found: Review = NOTHING, **settings: Any) -> dict[str, Any]:
    """What metrics/comparison.json would hold."""
    strategies = {name: scored(one) for name, one in drawn.items()}
    winner = next(iter(strategies))
    comparisons = compare({name: one.calibrated for name, one in strategies.items()}, winner, 0)
    asked = params.load(ROOT / "presets" / "quick.yaml").evaluate.model_copy(update=settings)
    labels = strategies[winner].calibrated.labels
    decisions = {name: evaluation.decision(one, asked) for name, one in strategies.items()}
    return evaluation.compared(comparisons, strategies, decisions, {}, found, labels, asked)


def sure(drawn: Predictions, right: NDArray[np.bool_]) -> Predictions:
    """The same images, of which those in ``right`` are classified correctly, all with a probability of 0.9."""
    said = np.where(right, drawn.labels, (drawn.labels + 1) % len(drawn.classes))
    rows = np.full((len(said), len(drawn.classes)), 0.1 / (len(drawn.classes) - 1))
    rows[np.arange(len(said)), said] = 0.9
    return drawn.with_probabilities(rows)


def test_differences_are_later_minus_earlier_whichever_won_and_come_back_as_they_were() -> None:
    """So that two revisions can be compared number by number."""
    drawn = example(2, images=200)
    right = {"head": np.ones(200, bool), "augmented": np.arange(200) < 100}
    for better, sign in (("head", -1), ("augmented", 1)):
        given = {name: sure(drawn, right["head" if name == better else "augmented"]) for name in right}
        compared = told(given)
        pair = compared["pairs"]["augmented_minus_head"]
        assert pair["difference"] == sign * 0.5
        assert pair["low"] < pair["difference"] < pair["high"]
        assert pair["p_value"] < 0.001
        (read,) = results.comparisons(json.loads(json.dumps(compared)))
        assert (read.first, read.difference, read.real, read.scope) == (better, 0.5, True, Scope.MODELS)


def test_the_comparison_counts_suspects() -> None:
    rows = [
        {"reason": CONTRADICTED, "counted_wrong": "yes"},
        {"reason": CONTRADICTED, "counted_wrong": "no"},
        {"reason": FAR, "counted_wrong": ""},
        {"reason": TWICE, "counted_wrong": ""},
    ]
    found = Review(pd.DataFrame(rows, columns=list(COLUMNS)), frozen_accuracy=0.75)
    compared = told({"head": example(2)}, found)
    assert compared["pairs"] == {}
    assert compared["frozen_features"] == {"accuracy": 0.75}
    assert compared["suspects"] == {"labels_counted_wrong": 1, "labels_contradicted": 2, "near_duplicates": 1}


def test_the_worst_class_comes_first_and_one_that_nobody_recognises_is_named() -> None:
    labels = np.repeat([0, 1, 2], [60, 30, 10])
    drawn = Predictions(tuple(map(str, range(100))), ("fine", "worn", "defect"), labels, np.full((100, 3), 1 / 3))
    head, tuned = (sure(drawn, (labels == 0) | ((labels == 1) & (np.arange(100) < most))) for most in (70, 80))
    compared = told({"head": head, "finetune": tuned})
    assert [row["class"] for row in compared["classes"]["head"]] == ["defect", "worn", "fine"]
    assert [row["value"] for row in compared["classes"]["head"]] == pytest.approx([0, 1 / 3, 1])
    assert compared["never_recognised"] == ["defect"]
    assert compared["majority"] == {"class": "fine", "accuracy": 0.6}


def test_what_answering_only_where_sure_would_do() -> None:
    labels = np.arange(100) % 2
    confident = np.where(np.arange(100) < 80, 0.95, 0.6)
    said = np.where(np.arange(100) < 90, labels, 1 - labels)
    rows = np.stack([1 - confident, confident], axis=1)[np.arange(100)[:, None], np.stack([1 - said, said], axis=1)]
    drawn = Predictions(tuple(map(str, range(100))), ("cat", "dog"), labels, rows)
    found = told({"head": drawn}, target_accuracy=0.99)["selective"]["head"]
    assert (found["threshold"], found["coverage"]["value"], found["accuracy"]["value"]) == (0.95, 0.8, 1.0)
    assert told({"head": sure(drawn, np.zeros(100, bool))}, target_accuracy=0.99)["selective"]["head"] is None


def test_the_threshold_of_the_class_that_must_not_be_missed() -> None:
    labels = np.repeat([0, 1], [80, 20])
    scores = np.concatenate([np.linspace(0.01, 0.5, 80), np.linspace(0.2, 0.9, 20)])
    drawn = Predictions(tuple(map(str, range(100))), ("ok", "defect"), labels, np.stack([1 - scores, scores], axis=1))
    assert told({"head": drawn})["lines"] == {"head": None}
    found = told({"head": drawn}, positive_class="defect", positive_recall=0.95)["lines"]["head"]
    assert found["recall"]["value"] == 0.95
    dear, cheap = (
        told({"head": drawn}, positive_class="defect", miss_cost=cost)["lines"]["head"] for cost in (50.0, 0.5)
    )
    assert dear["threshold"] < cheap["threshold"]
    assert dear["recall"]["value"] == 1.0


@pytest.mark.parametrize(("classes", "name"), [(2, "defect"), (3, "1")])
def test_a_positive_class_that_cannot_be_one_is_refused(classes: int, name: str) -> None:
    with pytest.raises(InputError, match=f"^evaluate.positive_class: found {name}, expected one of exactly two"):
        told({"head": example(classes)}, positive_class=name)
