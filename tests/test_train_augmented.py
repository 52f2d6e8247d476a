"""The stage trains the same classifier on augmented views, kept ones or fresh ones."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from headstart.features import features
from headstart.models import samples
from headstart.models.description import describe
from headstart.models.samples import Samples
from headstart.training import training
from tests.pipeline import CLASSES, Finished, outputs, run, write_params
from tests.trainings import Interrupted, interrupt

pytest_plugins = ["tests.pipeline_fixtures"]

RESULTS = ("models/augmented", "metrics/augmented")


def seen_values(patch: pytest.MonkeyPatch) -> list[Samples]:
    """A list that fills with each epoch's training examples."""
    seen: list[Samples] = []
    original = samples.epoch_batches

    def noting(given: Samples, *arguments: int) -> object:
        seen.append(Samples(np.array(given.values), given.labels))
        return original(given, *arguments)

    patch.setattr(training, "epoch_batches", noting)
    return seen


def test_the_model_says_what_it_is(finished: Finished) -> None:
    described = describe(finished.folder / "models" / "augmented")
    assert (described.strategy, described.classes, described.unfreeze) == ("augmented", list(CLASSES), 0)
    assert described.trained_parameters == 512 * 8 + 8 + 8 * 3 + 3


def test_it_trains_on_the_views_and_validates_on_clean_images(pipeline: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = seen_values(monkeypatch)
    run("train_augmented")
    assert len(seen) == 4
    for given in seen:
        np.testing.assert_array_equal(given.values, np.load("data/features/views.npy"))


def test_the_views_make_the_difference(finished: Finished) -> None:
    one, other = (pd.read_csv(finished.folder / "metrics" / name / "history.csv") for name in ("head", "augmented"))
    assert (one["loss"] != other["loss"]).all()


def test_without_kept_views_an_interrupted_run_goes_on(pipeline: Path) -> None:
    write_params(extract_features__views=0, train_augmented__epochs=2)
    run("train_augmented")
    before = outputs(*RESULTS)
    with pytest.MonkeyPatch.context() as patch:
        interrupt(patch, saves=1)
        with pytest.raises(Interrupted):
            run("train_augmented")
    run("train_augmented")
    assert outputs(*RESULTS) == before
    assert list(Path("data/working").iterdir()) == []


def test_without_kept_views_every_epoch_augments_anew(pipeline: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = np.load("data/features/views.npy")
    write_params(extract_features__views=0, train_augmented__epochs=3)
    seen = seen_values(monkeypatch)
    run("train_augmented")
    assert [given.values.shape[:2] for given in seen] == [(1, 18)] * 3
    for view in (0, 1):
        np.testing.assert_allclose(seen[view].values[0], kept[view], rtol=1e-3, atol=1e-3)
    for one, other in pairwise(seen):
        assert (one.values != other.values).any()


def test_an_interruption_within_an_epoch_goes_on(pipeline: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fresh views take long: what of an epoch is computed already is not computed again."""
    write_params(extract_features__views=0, train_augmented__epochs=2)
    run("train_augmented")
    before = outputs(*RESULTS)
    monkeypatch.setattr(features, "_BATCHES_A_BLOCK", 2)
    monkeypatch.setattr(training, "_SAVE_INTERVAL", 0.0)
    calls: list[object] = []

    def forward(limit: int | None) -> None:
        calls.clear()

        def compiled(*arguments: object) -> object:
            original = compile_forward(*arguments)  # type: ignore[arg-type]

            def counted(*inputs: object) -> object:
                calls.append(inputs)
                if len(calls) == limit:
                    raise Interrupted
                return original(*inputs)  # type: ignore[arg-type]

            return counted

        monkeypatch.setattr(features, "compile_forward", compiled)

    compile_forward = features.compile_forward
    forward(limit=4 + 3)  # four batches an epoch: the third of the second epoch
    with pytest.raises(Interrupted):
        run("train_augmented")
    forward(limit=None)
    run("train_augmented")
    assert len(calls) == 2
    assert outputs(*RESULTS) == before
