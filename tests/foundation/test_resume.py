"""Continuing state counts for the very same work, and is thrown away for any other."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from headstart.foundation import code
from headstart.foundation.resume import Resumable
from headstart.settings.params import load
from tests.pipeline import write_params
from tests.steps import is_killed

INPUT = Path("input.bin")


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    INPUT.write_bytes(b"content")


def begun(settings: Any = ("seed", 1)) -> Resumable:
    state = Resumable("stage", settings, [INPUT])
    state.write({"steps": 3})
    (state.path / "work.npy").write_bytes(b"work")
    return state


def test_new_work_starts_from_nothing() -> None:
    state = Resumable("stage", (), [INPUT])
    assert state.read() == {}
    assert state.path == Path("data/working/stage")


def test_the_same_work_goes_on() -> None:
    begun()
    again = Resumable("stage", ("seed", 1), [INPUT])
    assert again.read() == {"steps": 3}
    assert (again.path / "work.npy").read_bytes() == b"work"


def _other_settings() -> Resumable:
    return Resumable("stage", ("seed", 2), [INPUT])


def _other_content() -> Resumable:
    INPUT.write_bytes(b"other")
    return Resumable("stage", ("seed", 1), [INPUT])


def _other_files() -> Resumable:
    Path("second.bin").write_bytes(b"")
    return Resumable("stage", ("seed", 1), [INPUT, Path("second.bin")])


def _other_code() -> Resumable:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(code, "digest", lambda stage: f"other code of {stage}")
        return Resumable("stage", ("seed", 1), [INPUT])


def _key_lost() -> Resumable:
    Path("data/working/stage/key").unlink()
    return Resumable("stage", ("seed", 1), [INPUT])


@pytest.mark.parametrize("again", [_other_settings, _other_content, _other_files, _other_code, _key_lost])
def test_other_work_throws_the_state_away(again: Callable[[], Resumable]) -> None:
    begun()
    state = again()
    assert state.read() == {}
    assert [path.name for path in state.path.iterdir()] == ["key"]


def test_a_part_depends_on_the_code_of_its_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(code, "digest", lambda stage: f"code of {stage}")
    keys = [Resumable(name, (), []).key for name in ("evaluate", "evaluate/head", "finetune")]
    assert keys[0] == keys[1] != keys[2]


THROW_AWAY = """
import sys
from headstart.foundation.resume import Resumable
# steps
state = Resumable("stage", ("seed", int(sys.argv[1])), [])
if sys.argv[2] == "finished":
    state.discard()
"""


@pytest.mark.parametrize(("seed", "work"), [(1, "finished"), (2, "begun")])
def test_state_that_was_half_thrown_away_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int, work: str
) -> None:
    """Killed while it is thrown away, once finished or for other work, at every step of that."""
    left = []
    for step in itertools.count(1):
        folder = tmp_path / str(step)
        folder.mkdir()
        monkeypatch.chdir(folder)
        state = Resumable("stage", ("seed", 1), [])
        state.write({"done": True})
        for name in ("a.npy", "z.npy"):
            (state.path / name).write_text("work")
        killed = is_killed(THROW_AWAY, step, str(seed), work, folder=folder)
        again = Resumable("stage", ("seed", 1), [])
        whole = sorted(path.name for path in again.path.iterdir()) == ["a.npy", "key", "state.json", "z.npy"]
        assert again.read() == ({"done": True} if whole else {}), "half of it was taken for all of it"
        left.append(whole)
        if not killed:
            break
    assert left[0]
    assert left.count(False) > 4


def test_the_order_of_inputs_counts() -> None:
    Path("second.bin").write_bytes(b"second")
    files = [INPUT, Path("second.bin")]
    assert Resumable("stage", (), files).key != Resumable("stage", (), files[::-1]).key


def test_every_setting_of_a_section_counts() -> None:
    write_params()
    before = Resumable("stage", load().train_head, [INPUT]).key
    for name, value in {"units": 9, "dropout": 0.25, "learning_rate": 0.5, "patience": 1}.items():
        write_params(**{f"train_head__{name}": value})
        assert Resumable("stage", load().train_head, [INPUT]).key != before


def test_stages_have_states_of_their_own() -> None:
    begun()
    other = Resumable("other", ("seed", 1), [INPUT])
    assert other.read() == {}
    assert Resumable("stage", ("seed", 1), [INPUT]).read() == {"steps": 3}


def test_a_part_goes_with_the_whole() -> None:
    whole = begun()
    part = Resumable("stage/part", whole.key, [])
    part.write({"steps": 1})
    assert Resumable("stage/part", whole.key, []).read() == {"steps": 1}
    whole.discard()
    assert not part.path.exists()


def test_done_work_leaves_nothing() -> None:
    begun().discard()
    assert list(Path("data/working").iterdir()) == []


def test_a_missing_input_is_named() -> None:
    with pytest.raises(FileNotFoundError, match=r"none\.bin"):
        Resumable("stage", (), [Path("none.bin")])
