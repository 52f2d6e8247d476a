"""The whole pipeline on a base whose layers do not stand in one line: EfficientNet-Lite0, tiny grey images."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from headstart.base import base, weights
from headstart.foundation import paths
from headstart.foundation.errors import InputError
from headstart.models import models
from headstart.models.description import describe
from tests.pictures import encode
from tests.pipeline import STAGES, outputs, run, write_params

pytest_plugins = ["tests.pipeline_fixtures"]
pytestmark = pytest.mark.slow

SIZE = 32
LAST_BLOCK = 43
CHANGES: dict[str, Any] = {
    "explain__layers": "auto",
    "backbone__name": "efficientnet_lite0",
    "extract_features__image_size": SIZE,
    "finetune__unfreeze": "last_block",
    "finetune__learning_rate": 1e-3,
}


def write_grey_source(folder: Path) -> None:
    """Three classes of 28 × 28 grey pictures, each of a brightness of its own."""
    random = np.random.default_rng(seed=0)
    for place, name in enumerate(("cat", "dog", "emu")):
        (folder / name).mkdir(parents=True)
        for number in range(14):
            picture = random.integers(80 * place, 80 * place + 60, (28, 28), np.uint8)
            (folder / name / f"{number}.png").write_bytes(encode(picture, "PNG"))


@pytest.fixture(scope="module")
def made(tensorflow: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("another_base")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        write_grey_source(Path("source"))
        write_params(**CHANGES)
        run(*STAGES)
    return folder


@pytest.fixture
def project(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, and the current folder."""
    folder = tmp_path / "project"
    shutil.copytree(made, folder)
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.usefixtures("project")
def test_what_is_kept_is_of_that_base() -> None:
    record = json.loads(paths.EXTRACTION.read_text())
    assert (record["origin"]["base"], record["image_size"], record["blocks"][0]) == (
        "efficientnet_lite0",
        SIZE,
        LAST_BLOCK,
    )
    assert json.loads((paths.TRUNK / "trunk.json").read_text()) == {"layer": "block5c_add"}
    assert np.load(paths.FEATURES / "images.npy").shape == (42, 1, 1, 1280)
    assert np.load(paths.TRUNK / "views.npy").shape == (2, 18, 2, 2, 112)


@pytest.mark.usefixtures("project")
def test_exactly_the_last_block_was_trained_and_no_statistics_changed() -> None:
    described = describe(paths.MODELS / "finetune")
    assert described.unfreeze == LAST_BLOCK
    whole = base.build("efficientnet_lite0", weights.load(paths.WEIGHTS), SIZE)
    before = base.digests(whole)
    models.load(paths.MODELS / "finetune", whole)
    after = base.digests(whole)
    changed = [name for name in before if before[name] != after[name]]
    last = {layer.name for layer in whole.layers[-LAST_BLOCK:]}
    assert changed == [name for name in before if name.partition("/")[0] in last and "moving" not in name]


@pytest.mark.usefixtures("project")
def test_every_strategy_was_scored() -> None:
    metrics = json.loads(paths.EVALUATION.read_text())
    assert all(len(pd.read_csv(f"metrics/{name}/predictions.csv")) == 12 for name in metrics)
    # Brightness tells the classes apart, and passes through any network.
    assert metrics["head"]["accuracy"] > 0.5
    assert (paths.PLOTS / "report.html").stat().st_size > 0


@pytest.mark.usefixtures("project")
def test_two_runs_give_the_same_bytes() -> None:
    before = outputs("models")
    run("finetune")
    assert outputs("models") == before


@pytest.mark.usefixtures("project")
def test_a_layer_that_it_has_not_is_told_before_any_work() -> None:
    before = outputs("models")
    write_params(**CHANGES | {"finetune__unfreeze": "block5_conv1"})
    with pytest.raises(
        InputError, match=r"^params\.yaml: finetune\.unfreeze: efficientnet_lite0 has no layer 'block5_conv1'; "
    ):
        run("finetune")
    assert outputs("models") == before
