"""The stage trains a classifier on clean features and leaves a model that says what it is."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from headstart.base import base
from headstart.foundation import paths
from headstart.foundation.errors import InputError
from headstart.models import models, timing
from headstart.models.description import describe, weights_digest
from headstart.settings import params
from tests.pipeline import CLASSES, IMAGE_SIZE, Finished, outputs, run, write_params
from tests.trainings import Interrupted, interrupt

pytest_plugins = ["tests.pipeline_fixtures"]

RESULTS = ("models/head", "metrics/head")


def test_the_model_says_what_it_is(finished: Finished) -> None:
    described = describe(finished.folder / "models" / "head")
    assert described.strategy == "head"
    assert described.classes == list(CLASSES)
    assert described.unfreeze == 0
    assert described.trained_parameters == 512 * 8 + 8 + 8 * 3 + 3
    assert described.classifier
    layers = described.classifier.model_dump()
    assert layers.items() <= params.load(finished.folder / "params.yaml").train_head.model_dump().items()
    assert layers["units"] == 8
    assert described.image_size == IMAGE_SIZE


def test_nothing_of_other_features_is_taken_up(pipeline: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        interrupt(patch, saves=2)
        with pytest.raises(Interrupted):
            run("train_head")
    values = np.load("data/features/images.npy")
    Path("data/features/images.npy").unlink()  # it is a hard link to what other tests use
    np.save("data/features/images.npy", values * np.float16(1.5))
    run("train_head")
    found = outputs(*RESULTS)
    run("train_head")
    assert outputs(*RESULTS) == found


def test_each_repeat_has_a_seed_of_its_own(pipeline: Path, capsys: pytest.CaptureFixture[str]) -> None:
    once = weights_digest(paths.MODELS / "head")
    history = Path("metrics/head/history.csv").read_bytes()
    write_params(repeats=3)
    run("train_head")
    repeats = pd.read_csv("metrics/head/repeats.csv")
    assert list(repeats.columns) == ["repeat", "fold", "seed", "best_epoch", "val_loss", "val_accuracy"]
    assert repeats["fold"].tolist() == [0, 0, 0]
    assert repeats["repeat"].tolist() == [1, 2, 3]
    assert repeats["seed"].iloc[0] == 42
    assert repeats["seed"].nunique() == repeats["val_loss"].nunique() == 3
    # The best of them is kept, and its history; the first one is that of a single training.
    kept = pd.read_csv("metrics/head/history.csv")["val_loss"].min()
    assert kept == repeats["val_loss"].min()
    if repeats["val_loss"].argmin() == 0:
        assert weights_digest(paths.MODELS / "head") == once
        assert Path("metrics/head/history.csv").read_bytes() == history
    low, high = repeats["val_accuracy"].min(), repeats["val_accuracy"].max()
    assert f"head: 3 trainings reach {low:.4f} to {high:.4f}\n" in capsys.readouterr().out


def test_the_time_is_that_of_this_model(pipeline: Path) -> None:
    run("train_head")
    seconds = timing.training_seconds("head", weights_digest(paths.MODELS / "head"))
    assert seconds is not None
    assert 0 < seconds < 60


def test_another_classifier(pipeline: Path) -> None:
    write_params(train_head__units=0, train_head__dropout=0, train_head__pooling="average", train_head__optimizer="sgd")
    run("train_head")
    described = describe(paths.MODELS / "head")
    assert described.trained_parameters == 512 * 3 + 3
    models.load(paths.MODELS / "head", base.build("vgg16", {}, IMAGE_SIZE))


def test_a_fault_in_params_stops_it_before_any_work(pipeline: Path) -> None:
    before = outputs(*RESULTS)
    write_params(finetune__epochs=0)
    with pytest.raises(InputError, match=r"^params\.yaml: finetune\.epochs: found 0"):
        run("train_head")
    assert outputs(*RESULTS) == before


def test_the_description_can_be_read_without_the_project(finished: Finished) -> None:
    described = json.loads((finished.folder / "models" / "head" / "model.json").read_text(encoding="utf-8"))
    assert described["classes"] == list(CLASSES)
