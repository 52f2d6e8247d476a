"""The stage fits a probe and leaves it as a classifier on the base, like any other."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from headstart.base import base
from headstart.foundation import paths
from headstart.images import manifest
from headstart.models import held_out, inference, models, pooling
from headstart.models.description import describe, weights_digest
from headstart.models.samples import Stored
from headstart.training import probe
from tests.pipeline import IMAGE_SIZE, Finished, outputs, run, write_params
from tests.trainings import Interrupted

pytest_plugins = ["tests.pipeline_fixtures"]

RESULTS = ("models/probe", "metrics/probe")


def test_the_model_is_one_layer_on_pooled_features(finished: Finished) -> None:
    described = describe(finished.folder / "models" / "probe")
    assert described.trained_parameters == 512 * 3 + 3
    assert described.classifier
    assert (described.classifier.pooling, described.classifier.scaling, described.classifier.units) == (
        "average",
        "none",
        0,
    )
    history = pd.read_csv(finished.folder / "metrics" / "probe" / "history.csv")
    assert history["strength"].tolist() == [100.0, 10.0, 1.0]


def test_the_kept_model_says_what_the_probe_says(pipeline: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In float32 on feature maps what it was in float64 on pooled and standardised features."""
    fitted: list[probe.Weights] = []
    original = probe.fit

    def fit(*arguments: Any) -> Any:
        found = original(*arguments)
        fitted.append(found[0])
        return found

    monkeypatch.setattr(probe, "fit", fit)
    run("train_probe")
    (weights,) = fitted
    maps = np.load(paths.FEATURES / "images.npy")
    model = models.load(paths.MODELS / "probe", base.build("vgg16", {}, IMAGE_SIZE))
    logits = inference.compile_logits(model, np.float16)(Stored(maps[np.newaxis]).samples(*[np.arange(len(maps))] * 2))
    np.testing.assert_allclose(logits, pooling.average(maps) @ weights.kernel + weights.bias, rtol=1e-3, atol=1e-3)


def test_what_the_best_strength_is_said(pipeline: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = outputs(*RESULTS)
    run("train_probe")
    assert outputs(*RESULTS) == before
    history = pd.read_csv("metrics/probe/history.csv")
    best = history.iloc[history["val_loss"].argmin()]
    assert (
        f"probe: best of 3 strengths is {best['strength']:g}, validation accuracy {best['val_accuracy']:.4f}, "
    ) in capsys.readouterr().out


@pytest.mark.parametrize(
    ("best", "strengths", "words"),
    [
        (10.0, [1.0, 10.0, 100.0], None),
        (10.0, [10.0], None),
        (1.0, [1.0, 10.0], ("weakest", "weaker")),
        (30.0, [1.0, 30.0], ("strongest", "stronger")),
    ],
)
def test_a_best_strength_at_an_end_is_told(best: float, strengths: list[float], words: tuple[str, str] | None) -> None:
    remark = "probe: that is the {} penalty that was tried: add {} ones to train_probe.strengths"
    assert probe.at_the_end(best, strengths) == (remark.format(*words) if words else None)


def test_the_stage_tells_it(pipeline: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_params(train_probe__strengths=[1e6, 1e5])
    run("train_probe")
    assert "probe: that is the weakest penalty that was tried" in capsys.readouterr().out


def test_repeats_on_the_same_images_are_the_same(pipeline: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And take no time."""
    once = weights_digest(paths.MODELS / "probe")
    write_params(repeats=3)
    calls: list[Any] = []
    original = probe.fit

    def fit(*given: Any) -> Any:
        calls.append(given)
        return original(*given)

    monkeypatch.setattr(probe, "fit", fit)
    run("train_probe")
    assert len(calls) == 1
    assert weights_digest(paths.MODELS / "probe") == once
    found = held_out.load(paths.MODELS / "probe" / held_out.NAME)
    assert len(found.logits) == 3
    np.testing.assert_array_equal(found.logits[1:], found.logits[:2])
    assert pd.read_csv("metrics/probe/repeats.csv")["val_loss"].nunique() == 1


def test_it_goes_on_with_the_fold_that_it_was_interrupted_in(folds: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = outputs(*RESULTS)
    titles: list[str] = []
    original = probe.fit

    def fit(*arguments: Any) -> Any:
        titles.append(arguments[-1])
        if len(titles) == 3:
            raise Interrupted
        return original(*arguments)

    monkeypatch.setattr(probe, "fit", fit)
    with pytest.raises(Interrupted):
        run("train_probe")
    run("train_probe")
    assert titles[2] == titles[3] == "train train_probe, fold 1 of 2, repeat 2 of 2"
    assert titles[4:] == ["train train_probe, fold 2 of 2, repeat 2 of 2", "train train_probe, all images"]
    assert outputs(*RESULTS) == before
    assert list(Path("data/working").iterdir()) == []


def test_labels_of_test_images_make_no_difference(pipeline: Path) -> None:
    before = outputs(*RESULTS)
    frame = manifest.read(paths.MANIFEST)
    test = frame["split"] == "test"
    frame.loc[test, "class"] = frame.loc[test, "class"].to_numpy()[::-1]
    paths.MANIFEST.unlink()
    manifest.write(frame, paths.MANIFEST)
    run("train_probe")
    assert outputs(*RESULTS) == before
