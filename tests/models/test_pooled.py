"""A classifier that averages gives the same in two parts, the first of them computed beforehand."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headstart.models import classifier, inference, models, pooled
from headstart.models.samples import Samples, Stored
from headstart.settings import params
from tests.pipeline import ROOT

pytest_plugins = ["tests.pipeline_fixtures"]
pytestmark = pytest.mark.usefixtures("tensorflow")

MAPS = np.random.default_rng(0).normal(0, 3, (2, 70, 4, 4, 8)).astype(np.float16)


def head(scaling: str, seed: int = 3) -> Any:
    settings = params.load(ROOT / "presets" / "photos.yaml").train_head.model_copy(update={"scaling": scaling})
    return classifier.build(settings, (4, 4, 8), 2.5, 3, seed)


def logits(model: Any, values: np.ndarray[Any, Any]) -> Any:
    return inference.compile_logits(model, values.dtype)(Samples(values[None], np.zeros(len(values), np.int64)))


@pytest.mark.parametrize("scaling", ["none", "linear", "log"])
def test_both_parts_together_are_the_whole(scaling: str, tmp_path: Path) -> None:
    whole = head(scaling)
    stem, top = pooled.divide(whole)
    assert not stem.variables
    means = pooled.prepare(stem, Stored(MAPS, 5), tmp_path / "means.npy")
    assert (means.values.shape, means.values.dtype.name, means.first) == ((2, 70, 8), "float32", 5)
    for view in (0, 1):
        np.testing.assert_array_equal(logits(top, means.values[view]), logits(whole, MAPS[view]))


def test_they_share_weights_and_dropout() -> None:
    whole = head("log")
    top = pooled.divide(whole).top
    models.become(whole, head("log", seed=4))
    alone = pooled.divide(head("log", seed=4)).top
    assert len(top.variables) == len(whole.variables)
    values = np.random.default_rng(1).normal(size=(6, 8)).astype(np.float32)
    for _ in range(2):  # dropout goes on from call to call
        np.testing.assert_array_equal(top(values, training=True), alone(values, training=True))


def test_what_an_interrupted_run_has_left_is_not_computed_again(tmp_path: Path) -> None:
    stem = pooled.divide(head("log")).stem
    first = pooled.prepare(stem, Stored(MAPS), tmp_path / "means.npy").values.copy()
    again = pooled.prepare(stem, Stored(np.zeros_like(MAPS)), tmp_path / "means.npy").values
    np.testing.assert_array_equal(again, first)
    assert [file.name for file in tmp_path.iterdir()] == ["means.npy"]
