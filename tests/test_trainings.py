"""What every training stage promises, whatever it trains, on splits and in folds."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from headstart.base import base, weights
from headstart.foundation import paths
from headstart.images import assignments, manifest
from headstart.images.assignments import KEPT, Assignment
from headstart.models import held_out, inference, models
from headstart.models.description import describe
from headstart.models.held_out import HeldOut
from headstart.models.samples import Stored
from headstart.models.strategies import HEADS, STRATEGIES, stage_of
from headstart.settings import params
from headstart.training import context, training
from tests.pipeline import CLASSES, IMAGE_SIZE, IN_FOLDS, TEST, TRAIN, VALIDATION, Finished, outputs, run, write_params
from tests.trainings import Interrupted, interrupt

pytest_plugins = ["tests.pipeline_fixtures"]

each = pytest.mark.parametrize("strategy", STRATEGIES)
# The probe has no epochs: it is interrupted between trainings, see test_train_probe.py.
each_in_epochs = pytest.mark.parametrize("strategy", [name for name in STRATEGIES if name != "probe"])
IMAGES = len(CLASSES) * (TRAIN + VALIDATION + TEST)


def results(strategy: str) -> tuple[str, str]:
    return f"models/{strategy}", f"metrics/{strategy}"


def read(folder: Path, strategy: str) -> HeldOut:
    return held_out.load(folder / "models" / strategy / held_out.NAME)


def assigned(folder: Path, strategy: str) -> list[Assignment]:
    settings = params.load(folder / "params.yaml")
    repeats = settings.repeats if strategy in HEADS else settings.repeats_of_networks
    frame = manifest.read(folder / paths.MANIFEST)
    prepare = settings.prepare
    return assignments.assign(frame, prepare.folds, float(prepare.validation), repeats, settings.seed)


@each
def test_the_model_says_what_it_is(finished: Finished, strategy: str) -> None:
    described = describe(finished.folder / "models" / strategy)
    assert (described.strategy, described.classes) == (strategy, list(CLASSES))
    history = pd.read_csv(finished.folder / "metrics" / strategy / "history.csv")
    own = ["strength"] if strategy == "probe" else []
    assert list(history.columns) == ["strategy", *training.HISTORY_COLUMNS, *own]
    assert set(history["strategy"]) == {strategy}
    assert history["epoch"].tolist() == list(range(1, described.epochs + 1))
    assert described.best_epoch == history["epoch"].iloc[history["val_loss"].argmin()]


@each_in_epochs
def test_it_goes_on_after_an_interruption_whatever_the_labels_of_test_images(
    pipeline: Path, strategy: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """It gives the same bytes: the same models, which say the same of the test images."""
    before = outputs(*results(strategy))
    frame = manifest.read(paths.MANIFEST)
    test = frame["split"] == "test"
    frame.loc[test, "class"] = frame.loc[test, "class"].to_numpy()[::-1]
    paths.MANIFEST.unlink()
    manifest.write(frame, paths.MANIFEST)
    with pytest.MonkeyPatch.context() as patch:
        interrupt(patch, saves=1)
        with pytest.raises(Interrupted):
            run(stage_of(strategy))
    run(stage_of(strategy))
    assert outputs(*results(strategy)) == before
    assert list(Path("data/working").iterdir()) == []
    history = pd.read_csv(f"metrics/{strategy}/history.csv")
    best = history.iloc[history["val_loss"].argmin()]
    assert (
        f"{strategy}: best of {len(history)} epochs is {int(best['epoch'])}, validation accuracy "
        f"{best['val_accuracy']:.4f}, loss {best['val_loss']:.4f}; "
    ) in capsys.readouterr().out


@each
def test_without_folds_the_test_split_is_held_out(finished: Finished, strategy: str) -> None:
    found = read(finished.folder, strategy)
    frame = manifest.read(finished.folder / paths.MANIFEST)
    assert found.images.tolist() == manifest.rows_of(frame, "test").tolist()
    assert found.logits.shape == (1, len(CLASSES) * TEST, len(CLASSES))
    assert not found.folds.any()
    np.testing.assert_array_equal(found.validation_image, manifest.rows_of(frame, "validation"))
    np.testing.assert_array_equal(found.kept_image, found.validation_image)
    np.testing.assert_array_equal(found.kept_logits, found.validation_logits)
    assert found.train_sizes.tolist() == [[len(CLASSES) * TRAIN]]


@each
def test_with_folds_every_image_is_held_out_once_in_each_run(trained_in_folds: Path, strategy: str) -> None:
    found, *trainings = read(trained_in_folds, strategy), *assigned(trained_in_folds, strategy)
    kept = trainings.pop()
    assert found.images.tolist() == list(range(IMAGES))
    assert found.logits.shape == (len(trainings) // 2, IMAGES, len(CLASSES))
    assert np.isfinite(found.logits).all()
    for one in trainings:
        assert np.flatnonzero(found.folds[one.run] == one.fold).tolist() == one.test.tolist()
        assert found.validation(one.run, one.fold)[0].tolist() == one.validation.tolist()
        assert found.train_sizes[one.run, one.fold] == len(one.train)
    assert kept.fold == KEPT
    assert found.kept_image.tolist() == kept.validation.tolist()


@each
def test_the_kept_model_is_that_of_its_validation_loss(trained_in_folds: Path, strategy: str) -> None:
    """What is kept of folds is the training on all images: its history, its seed, and what it says."""
    found = read(trained_in_folds, strategy)
    labels = manifest.labels_of(manifest.read(trained_in_folds / paths.MANIFEST), found.kept_image)
    truth = held_out.probabilities(found.kept_logits)[np.arange(len(labels)), labels]
    history = pd.read_csv(trained_in_folds / "metrics" / strategy / "history.csv")
    assert -np.log(truth).mean() == pytest.approx(history["val_loss"].min(), rel=1e-4)
    repeats = pd.read_csv(trained_in_folds / "metrics" / strategy / "repeats.csv")
    assert repeats[["repeat", "fold"]].to_numpy().tolist()[-1] == [0, 0]
    assert repeats["val_loss"].iloc[-1] == history["val_loss"].min()
    assert len(repeats) == len(assigned(trained_in_folds, strategy)) == repeats["seed"].nunique()


def test_what_is_said_of_an_image_is_said_by_the_model_that_never_saw_it(folds: Path) -> None:
    found = read(folds, "augmented")
    whole = base.build("vgg16", weights.load(paths.WEIGHTS), IMAGE_SIZE)
    features = Stored(np.load("data/features/images.npy")[np.newaxis])
    for one in assigned(folds, "augmented")[:-1]:
        file = models.weights_of(paths.MODELS / "augmented", one)
        model = models.load(paths.MODELS / "augmented", whole, file)
        logits = inference.compile_logits(model, np.float16)(features.samples(one.test, one.test))
        np.testing.assert_array_equal(found.logits[one.run, one.test], logits)


@pytest.mark.parametrize("strategy", ["head", "augmented"])
def test_maps_that_were_averaged_once_train_the_model_that_is_kept(pipeline: Path, strategy: str) -> None:
    """What it said of them is what it says of whole maps, to the last digit."""
    stage = stage_of(strategy)
    write_params(test_time_flip=False, **{f"{stage}__pooling": "average", f"{stage}__scaling": "log"})
    run(stage)
    found = read(pipeline, strategy)
    model = models.load(paths.MODELS / strategy, base.build("vgg16", weights.load(paths.WEIGHTS), IMAGE_SIZE))
    features = Stored(np.load("data/features/images.npy")[np.newaxis])
    logits = inference.compile_logits(model, np.float16)(features.samples(found.images, found.images))
    np.testing.assert_array_equal(found.logits[0], logits)
    assert list(Path("data/working").iterdir()) == []


def test_fine_tuning_starts_from_the_classifier_of_the_same_fold(folds: Path) -> None:
    """At a rate that moves nothing it says what that classifier says; those of other folds say something else."""
    write_params(**{**IN_FOLDS, "finetune__unfreeze": 1, "finetune__learning_rate": 1e-12})
    run("finetune")
    start, found = read(folds, "augmented"), read(folds, "finetune")
    np.testing.assert_allclose(found.logits[0], start.logits[0], rtol=1e-3, atol=1e-3)
    assert np.abs(start.logits[1] - start.logits[0]).max() > 0.01


@each
def test_a_training_asks_for_labels_of_its_own_images_alone(trained_in_folds: Path, strategy: str) -> None:
    asked = json.loads((trained_in_folds / "asked.json").read_text(encoding="utf-8"))[stage_of(strategy)]
    own = [rows.tolist() for one in assigned(trained_in_folds, strategy) for rows in (one.train, one.validation)]
    assert asked == own


@each_in_epochs
def test_it_goes_on_with_the_fold_that_it_was_interrupted_in(
    folds: Path, strategy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was trained before in the same process makes no difference."""
    before = outputs(*results(strategy))
    trainings = assigned(folds, strategy)
    # One an epoch, and one when a training is through: the first of the last training but one is too many.
    saves = 1 + getattr(params.load(Path("params.yaml")), stage_of(strategy)).epochs
    with pytest.MonkeyPatch.context() as patch:
        interrupt(patch, saves=saves * (len(trainings) - 2))
        with pytest.raises(Interrupted):
            run(stage_of(strategy))
    titles: list[str] = []
    original: Callable[..., Any] = training.Trainer.fit

    def fit(*arguments: Any) -> Any:
        titles.append(arguments[-1])
        return original(*arguments)

    monkeypatch.setattr(training.Trainer, "fit", fit)
    run(stage_of(strategy))
    assert titles == [one.title for one in trainings[-2:]]
    assert outputs(*results(strategy)) == before
    assert list(Path("data/working").iterdir()) == []


def test_more_repeats_leave_the_first_as_they_are(folds: Path) -> None:
    before = read(folds, "head")
    write_params(**{**IN_FOLDS, "repeats": 3})
    run("train_head")
    found = read(folds, "head")
    assert len(found.logits) == 3
    np.testing.assert_array_equal(found.logits[:2], before.logits)
    np.testing.assert_array_equal(found.kept_logits, before.kept_logits)


def test_only_what_a_training_depends_on_is_its_key(folds: Path) -> None:
    """What is already trained counts however many repeats are asked for, and not for another division."""
    keys = {}
    variants: dict[str, dict[str, Any]] = {
        "as it is": {},
        "more repeats": {"repeats": 5},
        "another validation share": {"prepare__validation": 0.4},
        "another weight": {"train_head__class_weight": "balanced"},
    }
    for name, changes in variants.items():
        write_params(**{**IN_FOLDS, **changes})
        keys[name] = context.begin("head", params.load(), []).state.key
    assert keys["as it is"] == keys["more repeats"]
    assert len(set(keys.values())) == 3
