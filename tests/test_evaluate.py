"""The stage scores what the models say of the test images, and writes it so that everybody can read it."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from headstart.base import base, weights
from headstart.foundation import paths
from headstart.foundation.array_types import FloatArray, IntArray
from headstart.foundation.errors import InputError
from headstart.foundation.framing import Framing
from headstart.images import images, manifest
from headstart.models import held_out, models
from headstart.models.description import describe
from headstart.models.held_out import HeldOut
from headstart.models.strategies import STRATEGIES
from headstart.scoring import predictions, results
from headstart.statistics import calibration
from tests.pipeline import CLASSES, IMAGE_SIZE, TEST, Finished, outputs, run, write_params
from tests.trainings import said

pytest_plugins = ["tests.pipeline_fixtures"]

RESULTS = ("metrics", "plots/evaluation")
# What evaluate keeps of what the images showed.
KEPT = Path("data/working/evaluate")


def metrics() -> dict[str, dict[str, Any]]:
    return dict(json.loads(paths.EVALUATION.read_text(encoding="utf-8")))


def predicted(name: str) -> predictions.Predictions:
    return predictions.read(paths.METRICS / name / "predictions.csv")


def test_strategies_stand_in_their_order(finished: Finished) -> None:
    rows = json.loads((finished.folder / paths.EVALUATION).read_text(encoding="utf-8"))
    assert list(rows) == list(STRATEGIES)
    assert len({tuple(row) for row in rows.values()}) == 1, "every strategy has the same metrics"


@pytest.mark.parametrize("name", STRATEGIES)
def test_metrics_are_those_of_the_predictions(pipeline: Path, name: str) -> None:
    drawn, row = predicted(name), metrics()[name]
    assert row["accuracy"] == pytest.approx((drawn.predicted == drawn.labels).mean())
    truth = drawn.probabilities[np.arange(len(drawn.labels)), drawn.labels]
    assert row["log_loss"] == pytest.approx(-np.log(truth).mean(), rel=1e-6)
    described = describe(paths.MODELS / name)
    assert (row["trained_parameters"], row["epochs"]) == (described.trained_parameters, described.epochs)


@pytest.mark.parametrize("name", STRATEGIES)
def test_every_test_image_is_predicted_once_and_in_order(pipeline: Path, name: str) -> None:
    frame = manifest.read(paths.MANIFEST)
    rows = frame[frame["split"] == "test"]
    drawn = predicted(name)
    assert drawn.classes == CLASSES
    assert len(drawn.images) == len(CLASSES) * TEST
    assert list(drawn.images) == rows["path"].tolist()
    assert [CLASSES[label] for label in drawn.labels] == rows["class"].tolist()


def straight(name: str, flip: bool = True) -> FloatArray:
    """Probabilities straight from the images through the saved model, calibrated as its record says."""
    description = describe(paths.MODELS / name)
    frame = manifest.read(paths.MANIFEST)
    files = frame.loc[frame["split"] == "test", "path"]
    pixels = np.stack([images.load(paths.PREPARED / path, Framing(description.image_size)) for path in files])
    both = [pixels, pixels[:, :, ::-1]][: 1 + flip]
    if description.network:
        model = models.load_network(paths.MODELS / name)
    else:
        whole = base.build("vgg16", weights.load(paths.WEIGHTS), IMAGE_SIZE)
        lower = base.between(whole, None, base.cut_before(whole, description.unfreeze))
        both = [np.asarray(lower(base.preprocess("vgg16", seen))) for seen in both]
        model = models.load(paths.MODELS / name, whole)
    raw = np.mean([said(model, values) for values in both], axis=0)
    return calibration.apply_temperature(raw, metrics()[name]["temperature"])


@pytest.mark.parametrize("name", STRATEGIES)
def test_predictions_are_those_of_the_saved_model(pipeline: Path, name: str) -> None:
    np.testing.assert_allclose(predicted(name).probabilities, straight(name), rtol=0.02, atol=1e-4)


@pytest.mark.slow
def test_predictions_of_a_deeply_unfrozen_base_are_its_own(pipeline: Path) -> None:
    """Its trunk is not the pretrained one: the frozen part has to be run on the images."""
    write_params(finetune__unfreeze=8, finetune__epochs=1, finetune__learning_rate=1e-3, evaluate__learning_curve=[])
    run("finetune", "evaluate")
    np.testing.assert_allclose(predicted("finetune").probabilities, straight("finetune"), rtol=0.02, atol=1e-4)


def test_two_runs_give_the_same_bytes(pipeline: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = outputs(*RESULTS)
    run("evaluate")
    assert outputs(*RESULTS) == before
    assert [path.name for path in Path("data/working").iterdir()] == ["evaluate"]
    assert capsys.readouterr().out == f"The best on validation images: {results.winner(metrics())}\n"


def test_what_the_images_say_is_found_out_again_only_for_other_images(pipeline: Path) -> None:
    run("evaluate")
    results = outputs(*RESULTS)
    kept = {path: path.stat().st_mtime_ns for path in KEPT.rglob("result.json")}
    assert sorted(str(path.parent.relative_to(KEPT)) for path in kept) == [
        "learning_curve/augmented",
        "learning_curve/head",
        "review",
    ]
    run("evaluate")
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert outputs(*RESULTS) == results
    spoil(paths.FEATURES / "views.npy")
    run("evaluate")
    again = {path for path, written in kept.items() if path.stat().st_mtime_ns != written}
    assert {path.parent.name for path in again} == {"augmented"}


def spoil(file: Path) -> None:
    """Change a file's last byte. A copy is changed, since the file is a link to another test's."""
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.unlink()
    file.write_bytes(content)


@pytest.mark.parametrize("name", STRATEGIES)
def test_tables_are_those_of_the_predictions(pipeline: Path, name: str) -> None:
    drawn = predicted(name)
    confusion = table("confusion", name)
    assert confusion["actual"].tolist() == [CLASSES[label] for label in drawn.labels]
    assert confusion["predicted"].tolist() == [CLASSES[label] for label in drawn.predicted]
    assert table("roc", name)["true_positive_rate"].between(0, 1).all()
    assert table("reliability", name)["images"].sum() == len(drawn.labels)
    assert table("reliability_uncalibrated", name)["images"].sum() == len(drawn.labels)


def table(kind: str, name: str) -> pd.DataFrame:
    """The rows of one strategy."""
    return results.by_strategy(paths.TABLES / f"{kind}.csv")[name]


@pytest.mark.parametrize("name", STRATEGIES)
def test_what_dvc_shows_is_a_few_of_the_metrics(pipeline: Path, name: str) -> None:
    shown = json.loads((paths.METRICS / name / "metrics.json").read_text(encoding="utf-8"))
    row = metrics()[name]
    assert (shown["accuracy"], shown["low"]) == (round(row["accuracy"], 4), round(row["accuracy_low"], 4))
    assert (shown["log_loss"], shown["ece"]) == (round(row["log_loss"], 4), round(row["calibration_error"], 4))
    assert 5 <= len(shown) <= 9


def test_accuracies_are_those_of_the_metrics(pipeline: Path) -> None:
    table = pd.read_csv("plots/evaluation/accuracy.csv")
    expected = [(name, row["accuracy"]) for name, row in metrics().items()]
    assert list(table.itertuples(index=False, name=None)) == expected


def test_class_names_come_through_as_they_are(pipeline: Path) -> None:
    names = dict(zip(CLASSES, ("=cmd()", "a\rb,\n\"'", "nan"), strict=True))
    frame = manifest.read(paths.MANIFEST)
    manifest.write(frame.assign(**{"class": frame["class"].map(names)}), paths.MANIFEST)
    write_params(evaluate__learning_curve=[])
    run("evaluate", "explain", "report")
    assert predicted("head").classes == tuple(names.values())
    with Path("plots/evaluation/confusion.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["actual"] for row in rows} == set(names.values())
    # The page says them, too, and never as markup of its own.
    assert "=cmd()" in Path("plots/report.html").read_text(encoding="utf-8")
    # A learning curve that nobody asked for is an empty table, which DVC draws as it is.
    curve = pd.read_csv("plots/evaluation/learning_curve.csv")
    assert list(curve.columns) == ["strategy", "images", "accuracy", "accuracy_low", "accuracy_high"]
    assert curve.empty


def test_a_missing_model_is_named(pipeline: Path) -> None:
    (paths.MODELS / "finetune" / held_out.NAME).unlink()
    before = outputs(*RESULTS)
    with pytest.raises(InputError, match=r"^models/finetune/held_out\.npz: no such file: run `dvc repro`"):
        run("evaluate")
    assert outputs(*RESULTS) == before


def in_folds(runs: int = 2, folds: int = 3) -> HeldOut:
    """What a cross-validation of the pictures at hand would leave, by models that recognise most of them."""
    frame = manifest.read(paths.MANIFEST)
    labels, rows = manifest.labels_of(frame, np.arange(len(frame))), np.arange(len(frame))
    source = np.random.default_rng(0)

    def logits(of: IntArray) -> FloatArray:
        return 2.0 * np.eye(len(CLASSES))[labels[of]] + source.normal(size=(len(of), len(CLASSES)))

    numbers = np.stack([source.permutation(len(rows)) % folds for _ in range(runs)])
    validated = [(run, fold, rows[numbers[run] == (fold + 1) % folds]) for run in range(runs) for fold in range(folds)]
    return HeldOut(
        images=rows,
        logits=np.stack([logits(rows) for _ in range(runs)]),
        folds=numbers.astype(np.int16),
        validation_run=np.concatenate([np.full(len(of), run) for run, _, of in validated]).astype(np.int16),
        validation_fold=np.concatenate([np.full(len(of), fold) for _, fold, of in validated]).astype(np.int16),
        validation_image=np.concatenate([of for _, _, of in validated]),
        validation_logits=np.concatenate([logits(of) for _, _, of in validated]),
        kept_image=rows[:9],
        kept_logits=logits(rows[:9]),
        train_sizes=np.full((runs, folds), len(rows) // folds),
    )


def test_a_cross_validation_in_groups_is_judged_on_every_image_and_told_on_the_page(pipeline: Path) -> None:
    frame = manifest.read(paths.MANIFEST)
    groups = [f"burst {number // 2}" for number in range(len(frame))]
    paths.MANIFEST.unlink()
    manifest.write(frame.assign(split=manifest.FOLDS, group=groups), paths.MANIFEST)
    for name in STRATEGIES:
        file = paths.MODELS / name / held_out.NAME
        file.unlink()
        held_out.save(file, in_folds())
    views = paths.FEATURES / "views.npy"
    shape = np.load(views).shape
    views.unlink()
    np.save(views, np.zeros((0, *shape[1:]), np.float16))
    run("evaluate", "explain", "report")
    for name, row in metrics().items():
        assert (row["images"], row["groups"], row["runs"], row["trainings"]) == (42, 21, 2, 6)
        assert row["kept_accuracy"] is None
        assert list(predicted(name).images) == frame["path"].tolist()
        assert predicted(name).groups == tuple(groups)
    pairs = json.loads(results.COMPARISON.read_text(encoding="utf-8"))["pairs"].values()
    assert {(pair["scope"], pair["groups"], pair["runs"]) for pair in pairs} == {("strategies", 21, 6)}
    (curve,) = (table("learning_curve", name) for name in ["head"])
    assert len(curve) == 2
    written = paths.PAGE.read_text(encoding="utf-8")
    assert "42 images, each tested by models that had not seen it" in written
    assert "The images come in 21 groups; intervals and tests count groups, not images." in written
