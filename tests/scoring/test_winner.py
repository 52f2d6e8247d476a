"""The winner is complete in itself, and every model is found, or missed in one line."""

import json
import shutil
from pathlib import Path

import pytest

from headstart.foundation import paths
from headstart.foundation.atomic import write_json
from headstart.foundation.errors import InputError
from headstart.models.description import Inference, describe
from headstart.models.strategies import FROM_SCRATCH, STRATEGIES
from headstart.scoring import results, winner
from tests.pipeline import SMALL, write_params

pytest_plugins = ["tests.pipeline_fixtures"]

INFERENCE = Inference(temperature=1.5, flip=True)


def test_it_is_the_strategy_with_the_lowest_validation_log_loss_and_the_first_of_equals(pipeline: Path) -> None:
    metrics = results.read()
    losses = [metrics[name]["validation_log_loss"] for name in STRATEGIES]
    best = STRATEGIES[losses.index(min(losses))]
    described = describe(paths.WINNER)
    assert described.strategy == best
    assert described.inference == Inference(temperature=metrics[best]["temperature"], flip=SMALL["test_time_flip"])
    assert described.model_copy(update={"inference": None}) == describe(paths.MODELS / best)


@pytest.mark.parametrize("name", STRATEGIES)
def test_its_weights_are_byte_for_byte_those_that_dvc_has_already(pipeline: Path, name: str) -> None:
    """It takes the place of the winner before, which had a base or none."""
    winner.write(name, INFERENCE)
    base = {} if name in FROM_SCRATCH else {"base.npz": paths.WEIGHTS.read_bytes()}
    weights = {"model.weights.h5": (paths.MODELS / name / "model.weights.h5").read_bytes()}
    found = {path.name: path.read_bytes() for path in paths.WINNER.iterdir()}
    assert json.loads(found.pop("model.json"))["strategy"] == name
    assert found == base | weights
    assert winner.find(None) == (paths.WINNER, paths.WINNER / "base.npz", INFERENCE)
    assert not list(paths.MODELS.glob(".*partial*"))


def test_a_model_is_found_with_what_it_was_evaluated_with(pipeline: Path) -> None:
    """Whatever params.yaml says by now: the temperature was fitted to the mean over both mirror images."""
    assert SMALL["test_time_flip"]
    write_params(test_time_flip=False)
    for name in STRATEGIES:
        inference = Inference(temperature=results.read()[name]["temperature"], flip=True)
        assert winner.find(name) == (paths.MODELS / name, paths.WEIGHTS, inference)
    for path in (paths.MODELS / "head", paths.WEIGHTS.parent, paths.METRICS):
        shutil.rmtree(path)
    assert winner.find(None)[:2] == (paths.WINNER, paths.WINNER / "base.npz"), "it needs no other file"


@pytest.mark.parametrize(("strategy", "folder"), [(None, "models/winner"), ("head", "models/head")])
def test_a_model_that_is_not_there_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, strategy: str | None, folder: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as caught:
        winner.find(strategy)
    assert str(caught.value) == f"{folder}: no model there: run `dvc repro`, or `dvc pull {folder}`"


def test_a_model_that_was_not_evaluated_is_told(pipeline: Path) -> None:
    paths.EVALUATION.unlink()
    with pytest.raises(InputError, match=r"^metrics/evaluation\.json: no such file: run `dvc repro` first$"):
        winner.find("head")


@pytest.mark.parametrize("lost", ["temperature", "flip", "head"])
def test_an_evaluation_that_does_not_say_how_a_model_predicts_is_told(pipeline: Path, lost: str) -> None:
    metrics = results.read()
    (metrics if lost == "head" else metrics["head"]).pop(lost)
    write_json(paths.EVALUATION, metrics)
    with pytest.raises(
        InputError, match=r"^metrics/evaluation\.json: does not say how head predicts: run `dvc repro evaluate`$"
    ):
        winner.find("head")
