"""Times are known for the very model they were measured on, and for no other."""

from pathlib import Path

import pytest

from headstart.models.timing import (
    TIMINGS,
    record_training,
    training_seconds,
)

ONE, OTHER = "a" * 64, "b" * 64


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_time_is_remembered() -> None:
    record_training("head", 1.23456, ONE)
    assert training_seconds("head", ONE) == 1.23


def test_another_model_has_no_time() -> None:
    record_training("head", 1.0, ONE)
    assert training_seconds("head", OTHER) is None
    assert training_seconds("augmented", ONE) is None


def test_strategies_do_not_disturb_each_other() -> None:
    record_training("head", 1.0, ONE)
    record_training("augmented", 2.0, OTHER)
    record_training("head", 3.0, OTHER)
    assert (training_seconds("head", OTHER), training_seconds("augmented", OTHER), training_seconds("head", ONE)) == (
        3.0,
        2.0,
        None,
    )


def test_the_file_reads_the_same_whatever_the_order() -> None:
    for order in (("head", "augmented"), ("augmented", "head")):
        TIMINGS.unlink(missing_ok=True)
        for name in order:
            record_training(name, 1.5, ONE)
        assert TIMINGS.read_text() == (
            '{\n  "augmented": {\n    "train_seconds": 1.5,\n    "model": "aaaaaaaaaaaa"\n  },\n'
            '  "head": {\n    "train_seconds": 1.5,\n    "model": "aaaaaaaaaaaa"\n  }\n}\n'
        )


@pytest.mark.parametrize("content", ["", "{", "not json"])
def test_a_broken_file_costs_the_times_and_nothing_else(content: str) -> None:
    TIMINGS.parent.mkdir()
    TIMINGS.write_text(content)
    assert training_seconds("head", ONE) is None
    record_training("head", 1.0, ONE)
    assert training_seconds("head", ONE) == 1.0
