"""What DVC left cut off is removed, so that it works again; nothing else is touched."""

import json
from pathlib import Path

import pytest

from headstart.commands.truncated import LOCK, LOCKS, remove_truncated
from tests import clones, kill_stages

WHOLE = {LOCKS: json.dumps({"read": {}, "write": {}}), LOCK: "schema: '2.0'\nstages: {}\n"}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / LOCKS).parent.mkdir(parents=True)
    for path, content in WHOLE.items():
        (tmp_path / path).write_text(content, encoding="utf-8")
    return tmp_path


def test_whole_files_and_missing_ones_stay_as_they_are(project: Path) -> None:
    assert remove_truncated(project) == []
    assert {path: (project / path).read_text(encoding="utf-8") for path in WHOLE} == WHOLE
    for path in WHOLE:
        (project / path).unlink()
    assert remove_truncated(project) == []


@pytest.mark.parametrize("path", WHOLE, ids=str)
@pytest.mark.parametrize("kept", [0, 1, 12])
def test_a_file_that_is_cut_off_goes(project: Path, path: Path, kept: int) -> None:
    (project / path).write_text(WHOLE[path][:kept], encoding="utf-8")
    assert remove_truncated(project) == [project / path]
    assert not (project / path).exists()
    assert all((project / other).exists() for other in WHOLE if other != path)


def test_dvc_works_again_and_takes_what_it_had_run(tmp_path: Path) -> None:
    folder = kill_stages.make_clone(tmp_path / "clone")
    clones.run(folder, "dvc", "repro", "prepare")
    lock = (folder / LOCK).read_text(encoding="utf-8")
    for path in WHOLE:
        (folder / path).write_text("", encoding="utf-8")
    with pytest.raises(AssertionError):
        clones.run(folder, "dvc", "repro", "prepare")
    told = clones.run(folder, "headstart", "mend")
    assert told.count("removed, nothing is lost") == len(WHOLE)
    assert "cached" in clones.run(folder, "dvc", "repro", "prepare")
    assert (folder / LOCK).read_text(encoding="utf-8") == lock
