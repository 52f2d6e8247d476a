"""The stages train networks of their own from the images alone, as they are or augmented."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from headstart.foundation import paths
from headstart.foundation.errors import InputError
from headstart.foundation.framing import Framing
from headstart.foundation.resume import Resumable
from headstart.images import images, manifest
from headstart.models import models, samples
from headstart.models.description import describe
from headstart.models.samples import Samples
from headstart.settings import params
from headstart.training import training
from tests.pictures import encode
from tests.pipeline import CLASSES, SCRATCH_SIZE, TRAIN, Finished, outputs, run, write_params
from tests.policies import needs_bfloat16
from tests.trainings import Interrupted, interrupt, said

pytest_plugins = ["tests.pipeline_fixtures"]

STAGES = {"train_scratch": "scratch", "train_scratch_augmented": "scratch_augmented"}
SMALL = 3 * 3 * 3 * 32 + 32 + 3 * 3 * 32 * 64 + 64 + 3 * 3 * 64 * 128 + 128
# 20 pixels: 18, 9, 7, 3, 1.
WEIGHTS = SMALL + 128 * 3 + 3

both = pytest.mark.parametrize("stage", STAGES)


def results(stage: str) -> tuple[str, str]:
    return f"models/{STAGES[stage]}", f"metrics/{STAGES[stage]}"


@both
def test_the_model_says_what_it_is(finished: Finished, stage: str) -> None:
    described = describe(finished.folder / "models" / STAGES[stage])
    settings = getattr(params.load(finished.folder / "params.yaml"), stage)
    assert (described.strategy, described.classes) == (STAGES[stage], list(CLASSES))
    assert (described.extraction, described.classifier, described.unfreeze) == (None, None, 0)
    assert described.network
    assert described.network.architecture == settings.architecture == "convnet_small"
    assert described.network.dropout == settings.dropout
    assert described.network.channels == 3
    assert (described.image_size, described.policy) == (SCRATCH_SIZE, "float32")
    assert described.trained_parameters == WEIGHTS
    history = pd.read_csv(finished.folder / "metrics" / STAGES[stage] / "history.csv")
    assert described.epochs == len(history) == 3
    assert described.best_epoch == history["epoch"].iloc[history["val_loss"].argmin()]


@both
def test_the_saved_model_has_the_best_validation_loss(pipeline: Path, stage: str) -> None:
    """Measured on the images as they are: validation is never augmented."""
    frame = manifest.read(paths.MANIFEST)
    rows = frame.loc[frame["split"] == "validation", "path"]
    values = np.stack([images.load(paths.PREPARED / path, Framing(SCRATCH_SIZE)) for path in rows])
    probabilities = said(models.load_network(paths.MODELS / STAGES[stage]), values)
    truth = probabilities[np.arange(len(rows)), manifest.labels(frame, "validation")]
    best = pd.read_csv(f"metrics/{STAGES[stage]}/history.csv")["val_loss"].min()
    assert -np.log(truth).mean() == pytest.approx(best, rel=1e-4)


def test_it_needs_no_base_and_goes_on_without_decoding_an_image_again(
    pipeline: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = outputs(*results("train_scratch_augmented"))
    for folder in ("data/weights", "data/features", "data/trunk", "data/flipped"):
        shutil.rmtree(folder)
    with pytest.MonkeyPatch.context() as patch:
        interrupt(patch, saves=2)
        with pytest.raises(Interrupted):
            run("train_scratch_augmented")

    def unreadable(*arguments: object) -> None:
        raise AssertionError("an image was decoded again")

    monkeypatch.setattr(images, "load", unreadable)
    run("train_scratch_augmented")
    assert outputs(*results("train_scratch_augmented")) == before
    assert list(Path("data/working").iterdir()) == []
    assert capsys.readouterr().out.startswith("convnet_small at 20 × 20 pixels, colour, float32, as params.yaml says\n")


def epochs_seen(patch: pytest.MonkeyPatch) -> list[list[samples.Batch]]:
    """A list that fills with the batches of each epoch."""
    seen: list[list[samples.Batch]] = []
    original = samples.epoch_batches

    def noting(given: Samples, *arguments: int) -> list[samples.Batch]:
        seen.append(list(original(given, *arguments)))
        return seen[-1]

    patch.setattr(training, "epoch_batches", noting)
    return seen


@pytest.mark.parametrize(("stage", "plain"), [("train_scratch", True), ("train_scratch_augmented", False)])
def test_images_change_from_epoch_to_epoch_where_it_is_asked_for(
    pipeline: Path, stage: str, plain: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_params(**{f"{stage}__epochs": 2})
    seen = epochs_seen(monkeypatch)
    run(stage)
    first, second = ({picture.tobytes() for values, _ in epoch for picture in values} for epoch in seen)
    assert len(first) == len(second) == len(CLASSES) * TRAIN
    assert (first == second) == plain
    assert bool(first & second) == plain


def test_each_repeat_has_weights_and_views_of_its_own(pipeline: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    history = Path("metrics/scratch_augmented/history.csv").read_bytes()
    write_params(repeats=2, repeats_of_networks=2)
    seen = epochs_seen(monkeypatch)
    run("train_scratch_augmented")
    repeats = pd.read_csv("metrics/scratch_augmented/repeats.csv")
    assert repeats["seed"].nunique() == repeats["val_loss"].nunique() == 2
    # The first repeat is the single training.
    if repeats["val_loss"].argmin() == 0:
        assert Path("metrics/scratch_augmented/history.csv").read_bytes() == history
    first, second = ({picture.tobytes() for values, _ in seen[epoch] for picture in values} for epoch in (0, 3))
    assert not first & second


@both
def test_images_too_small_for_the_architecture_stop_it_before_any_work(
    pipeline: Path, stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = outputs(*results(stage))
    write_params(**{f"{stage}__architecture": "convnet"})
    monkeypatch.setattr(Resumable, "__init__", lambda *arguments: pytest.fail("work began"))
    message = (
        rf"^params\.yaml: {stage}\.image_size: found {SCRATCH_SIZE}, but convnet needs 78 pixels or more: raise it, "
        rf"or choose another {stage}\.architecture$"
    )
    with pytest.raises(InputError, match=message):
        run(stage)
    assert outputs(*results(stage)) == before


@needs_bfloat16
def test_grey_images_are_seen_by_one_channel_in_the_precision_asked_for(pipeline: Path) -> None:
    frame = manifest.read(paths.MANIFEST)
    for path in frame["path"]:
        file = paths.PREPARED / path
        picture = images.decode(file.read_bytes())
        file.unlink()
        file.write_bytes(encode(np.repeat(picture[..., :1], 3, axis=-1), "PNG"))
    write_params(precision="bfloat16", train_scratch__epochs=1)
    run("train_scratch")
    described = describe(paths.MODELS / "scratch")
    assert described.network
    assert (described.network.channels, described.policy) == (1, "mixed_bfloat16")
    assert described.trained_parameters == WEIGHTS - 2 * 3 * 3 * 32
