"""Times count for the very model that they were measured on, one training at a time."""

from pathlib import Path

import pytest

from headstart.foundation import paths
from headstart.models import timing
from headstart.models.description import weights_digest
from headstart.scoring import cost


@pytest.fixture
def head(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A folder with the files of a model called head; returns their digest."""
    monkeypatch.chdir(tmp_path)
    (paths.MODELS / "head").mkdir(parents=True)
    (paths.MODELS / "head" / "model.weights.h5").write_bytes(b"weights")
    (paths.MODELS / "head" / "model.json").write_bytes(b"{}")
    return weights_digest(paths.MODELS / "head")


def test_times_count_for_the_model_that_they_were_measured_on(head: str) -> None:
    assert cost.training_seconds("head") is None
    timing.record_training("head", 12.5, head)
    assert cost.training_seconds("head") == 12.5
    (paths.MODELS / "head" / "model.weights.h5").write_bytes(b"others")
    assert cost.training_seconds("head") is None


def test_a_broken_file_of_times_tells_none(head: str) -> None:
    timing.TIMINGS.parent.mkdir()
    timing.TIMINGS.write_text("{ broken", encoding="utf-8")
    assert cost.training_seconds("head") is None


def test_the_times_of_several_trainings_are_shared_out(head: str) -> None:
    timing.record_training("head", 12.0, head)
    (paths.METRICS / "head").mkdir(parents=True)
    (paths.METRICS / "head" / "repeats.csv").write_text("repeat,seed\n1,5\n2,6\n3,7\n", encoding="utf-8")
    assert cost.training_seconds("head") == 4.0


def test_every_file_of_a_model_takes_its_bytes(head: str) -> None:
    assert cost.bytes_on_disk(paths.MODELS / "head") == len(b"weights") + len(b"{}")
