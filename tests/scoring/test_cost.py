"""Times count for the very model that they were measured on, one training at a time."""

from pathlib import Path

import pytest

from headstart.foundation import paths
from headstart.models import timing
from headstart.models.description import weights_digest
from headstart.scoring import cost
from headstart.scoring.cost import Cost

ROW = {"trained_parameters": 1234, "bytes": 5678}


@pytest.fixture
def head(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A folder with the files of a model called head; returns their digest."""
    monkeypatch.chdir(tmp_path)
    (paths.MODELS / "head").mkdir(parents=True)
    (paths.MODELS / "head" / "model.weights.h5").write_bytes(b"weights")
    (paths.MODELS / "head" / "model.json").write_bytes(b"{}")
    return weights_digest(paths.MODELS / "head")


def test_what_was_measured_on_this_model_is_its_cost(head: str) -> None:
    timing.record_training("head", 12.5, head)
    timing.record_prediction("head", 0.0123456, head)
    assert cost.of("head", ROW) == Cost(12.5, 0.01235, 1234, 5678)


def test_times_of_another_model_do_not_count(head: str) -> None:
    timing.record_training("head", 12.5, "another")
    timing.record_prediction("head", 0.1, head)
    (paths.MODELS / "head" / "model.weights.h5").write_bytes(b"others")
    assert cost.of("head", ROW) == Cost(None, None, 1234, 5678)


def test_without_any_times_there_are_none(head: str) -> None:
    assert cost.of("head", ROW) == Cost(None, None, 1234, 5678)
    timing.TIMINGS.parent.mkdir()
    timing.TIMINGS.write_text("{ broken", encoding="utf-8")
    assert cost.of("head", ROW) == Cost(None, None, 1234, 5678)


def test_the_times_of_several_trainings_are_shared_out(head: str) -> None:
    timing.record_training("head", 12.0, head)
    (paths.METRICS / "head").mkdir(parents=True)
    (paths.METRICS / "head" / "repeats.csv").write_text("repeat,seed\n1,5\n2,6\n3,7\n", encoding="utf-8")
    assert cost.of("head", ROW).train_seconds == 4.0


def test_every_file_of_a_model_takes_its_bytes(head: str) -> None:
    assert cost.bytes_on_disk(paths.MODELS / "head") == len(b"weights") + len(b"{}")
