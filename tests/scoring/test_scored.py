"""What trainings left is put beside the labels, calibrated training by training, and nothing is mixed up."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from headstart.foundation import paths
from headstart.foundation.array_types import FloatArray, IntArray
from headstart.foundation.errors import InputError
from headstart.images import manifest
from headstart.models import held_out
from headstart.models.held_out import HeldOut
from headstart.scoring import scored
from headstart.statistics import calibration, scoring

CLASSES = ("cat", "dog")


def frame(split: list[str], group: list[str] | None = None) -> pd.DataFrame:
    """A manifest in which classes alternate."""
    rows = len(split)
    return pd.DataFrame(
        {
            "path": [f"{number}.png" for number in range(rows)],
            "class": [CLASSES[number % 2] for number in range(rows)],
            "group": group or [""] * rows,
            "split": split,
            "sha256": "",
            "width": 1,
            "height": 1,
        }
    )[list(manifest.COLUMNS)]


def logits(labels: IntArray, right: float, sharpness: float, seed: int) -> FloatArray:
    """Logits that are right on about such a share of the images, and this sure throughout."""
    source = np.random.default_rng(seed)
    said = np.where(source.random(len(labels)) < right, labels, 1 - labels)
    found: FloatArray = sharpness * np.eye(2)[said]
    return found


def left(images: IntArray, folds: IntArray, sharpness: list[float], kept_run: int | None, rows: int) -> HeldOut:
    """What a strategy leaves whose runs are more and less sure; every training validates on the first 40 images."""
    labels = np.arange(rows) % 2
    runs, trainings = len(folds), np.unique(folds).size
    validated = np.arange(40)
    parts = [
        logits(labels[validated], 0.8, sharpness[run], 10 * run + fold)
        for run in range(runs)
        for fold in range(trainings)
    ]
    return HeldOut(
        images=images,
        logits=np.stack([logits(labels[images], 0.9, sharpness[run], 100 + run) for run in range(runs)]),
        folds=folds.astype(np.int16),
        validation_run=np.repeat(np.arange(runs), trainings * 40).astype(np.int16),
        validation_fold=np.tile(np.repeat(np.arange(trainings), 40), runs).astype(np.int16),
        validation_image=np.tile(validated, runs * trainings),
        validation_logits=np.concatenate(parts),
        kept_image=validated,
        kept_logits=logits(labels[validated], 0.8, 5.0, 99) if kept_run is None else parts[kept_run],
        train_sizes=np.full((runs, trainings), 60),
    )


SPLIT = ["train"] * 60 + ["validation"] * 40 + ["test"] * 100
TESTED = np.arange(100, 200)


def test_labels_and_names_are_those_of_the_rows() -> None:
    found = scored.score(left(TESTED, np.zeros((1, 100), int), [3.0], 0, 200), frame(SPLIT))
    assert found.raw.labels.tolist() == [number % 2 for number in range(100, 200)]
    assert found.names.images == tuple(f"{number}.png" for number in range(100, 200))
    assert (found.names.classes, found.names.groups) == (CLASSES, None)
    assert (found.raw.folds, found.raw.groups, found.raw.left_out) == (None, None, 0.0)
    np.testing.assert_allclose(found.raw.probabilities.sum(axis=2), 1)
    assert found.raw.right.mean() == pytest.approx(0.9, abs=0.08)


def test_every_training_is_calibrated_on_its_own_validation_images() -> None:
    held = left(TESTED, np.zeros((2, 100), int), [8.0, 0.5], 1, 200)
    found = scored.score(held, frame(SPLIT))
    labels = np.arange(40) % 2
    for run in range(2):
        said = held_out.probabilities(held.validation(run, 0)[1])
        temperature = calibration.fit_temperature(labels, said, calibration.PRIOR_DEVIATION).value
        expected = calibration.apply_temperature(found.raw.probabilities[run], temperature)
        np.testing.assert_allclose(found.calibrated.probabilities[run], expected)
        np.testing.assert_array_equal(found.calibrated.predicted, found.raw.predicted)
    assert found.shown == 1, "the run that is kept"
    assert found.temperature == temperature, "and its temperature"
    assert found.predictions.probabilities is not None
    np.testing.assert_array_equal(found.predictions.probabilities, found.calibrated.probabilities[1])
    np.testing.assert_array_equal(found.raw_predictions.probabilities, found.raw.probabilities[1])


def test_with_folds_every_image_has_the_temperature_of_the_training_that_tested_it() -> None:
    images = np.arange(200)
    folds = np.stack([images % 2, images // 100])
    held = left(images, folds, [8.0, 0.5], None, 200)
    found = scored.score(held, frame([manifest.FOLDS] * 200))
    assert len(found.validated) == 4
    assert found.shown == 0
    np.testing.assert_array_equal(found.raw.folds, folds)
    number = 0
    for run in range(2):
        for fold in range(2):
            said = held_out.probabilities(held.validation(run, fold)[1])
            temperature = scored.fitted(np.arange(40) % 2, said)
            tested = folds[run] == fold
            expected = calibration.apply_temperature(found.raw.probabilities[run, tested], temperature)
            np.testing.assert_allclose(found.calibrated.probabilities[run, tested], expected)
            np.testing.assert_allclose(found.validated[number].raw, said)
            number += 1
    assert found.temperature == scored.fitted(np.arange(40) % 2, held_out.probabilities(held.kept_logits))
    assert len(found.validation.labels) == 4 * 40
    assert scored.trained_on(frame([manifest.FOLDS] * 200)).size == 200
    assert scored.trained_on(frame(SPLIT)).size == 60


def test_few_validation_images_choose_by_the_raw_loss_and_many_by_the_calibrated_one() -> None:
    labels = np.arange(400) % 2
    said = held_out.probabilities(logits(labels, 0.8, 6.0, 0))
    calibrated = calibration.apply_temperature(said, scored.fitted(labels, said))
    many = scored.Validated(labels, said, calibrated)
    few = scored.Validated(labels[:199], said[:199], calibrated[:199])
    assert scored.validation_loss([many], balanced=False) == scoring.log_loss(labels, calibrated)
    assert scored.validation_loss([few], balanced=False) == scoring.log_loss(few.labels, few.raw)
    mean = (scoring.log_loss(labels, calibrated) + scoring.log_loss(few.labels, few.raw)) / 2
    assert scored.validation_loss([many, few], balanced=False) == pytest.approx(mean)
    assert scored.validation_accuracy([many]) == pytest.approx((said.argmax(axis=1) == labels).mean())


def test_the_balanced_loss_counts_a_rare_class_as_much_as_a_common_one() -> None:
    labels = np.array([0] * 180 + [1] * 20)
    blind, fair = np.tile([0.9, 0.1], (200, 1)), np.tile([0.6, 0.4], (200, 1))
    losses = {
        name: [scored.validation_loss([scored.Validated(labels, rows, rows)], balanced) for balanced in (False, True)]
        for name, rows in (("blind", blind), ("fair", fair))
    }
    assert losses["blind"][0] < losses["fair"][0]
    assert losses["blind"][1] > losses["fair"][1]
    assert losses["blind"][1] == pytest.approx(-(np.log(0.9) + np.log(0.1)) / 2)


def test_images_without_a_group_are_groups_of_their_own() -> None:
    groups = ["a", "a", "", ""] * 50
    found = scored.score(left(TESTED, np.zeros((1, 100), int), [3.0], 0, 200), frame(SPLIT, groups))
    assert found.raw.groups is not None
    assert np.unique(found.raw.groups).size == 1 + 50
    assert found.predictions.answers.groups is not None


def test_what_is_of_other_images_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = paths.MODELS / "head" / held_out.NAME
    path.parent.mkdir(parents=True)
    held_out.save(path, left(TESTED, np.zeros((1, 100), int), [3.0], 0, 200))
    assert scored.read("head", frame(SPLIT)).temperature > 0
    with pytest.raises(
        InputError, match=r"^models/head/held_out\.npz: not of the images of data/prepared/manifest\.csv"
    ):
        scored.read("head", frame(SPLIT[:150]))
    with pytest.raises(InputError, match=r"^models/finetune/held_out\.npz: no such file"):
        scored.read("finetune", frame(SPLIT))
