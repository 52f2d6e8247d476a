"""Whatever happens while a file is written, what is there afterwards is whole."""

import errno
import fcntl
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from headstart.foundation.arrays import ArrayFile, create_array
from headstart.foundation.atomic import replacing, replacing_folder, write_json, write_text
from tests.pipeline import ROOT
from tests.steps import is_killed


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_appears_once_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "a.json"
    with replacing(path) as temporary:
        assert temporary.parent == path.parent
        assert temporary.suffix == ".json"
        temporary.write_text("whole")
        assert not path.exists()
    assert path.read_text() == "whole"
    assert names(path.parent) == ["a.json"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_an_error_leaves_what_was_there(tmp_path: Path, error: type[BaseException]) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")

    def write() -> None:
        with replacing(path) as temporary:
            temporary.write_text("half")
            raise error

    with pytest.raises(error):
        write()
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_error_leaves_the_folder_that_was_there(tmp_path: Path, error: type[BaseException]) -> None:
    path = tmp_path / "model"
    path.mkdir()
    (path / "old").write_text("old")

    def write() -> None:
        with replacing_folder(path) as temporary:
            (temporary / "new").write_text("half")
            raise error

    with pytest.raises(error):
        write()
    assert names(tmp_path) == ["model"]
    assert names(path) == ["old"]


def test_a_folder_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "models" / "head"
    for name in ("one", "two"):
        with replacing_folder(path) as temporary:
            (temporary / name).write_text(name)
        assert names(path) == [name]
    assert names(path.parent) == ["head"]


def test_what_a_killed_run_left_is_overwritten(tmp_path: Path) -> None:
    """Nothing of the killed run's half file or folder may come into the next one."""
    code = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from headstart.foundation.atomic import replacing, replacing_folder\n"
        "with replacing(Path(sys.argv[1], 'a.txt')) as file, replacing_folder(Path(sys.argv[1], 'b')) as folder:\n"
        "    file.write_text('half' * 1000)\n"
        "    (folder / 'half').write_text('half')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert names(tmp_path) == [".a.partial.txt", ".b.partial"]
    write_text(tmp_path / "a.txt", "whole")
    with replacing_folder(tmp_path / "b") as folder:
        (folder / "whole").write_text("whole")
    assert names(tmp_path) == ["a.txt", "b"]
    assert (tmp_path / "a.txt").read_text() == "whole"
    assert names(tmp_path / "b") == ["whole"]


def test_text_is_utf_8_with_unix_line_ends(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "é\n×\n")
    assert (tmp_path / "a.txt").read_bytes() == "é\n×\n".encode()


def test_json_is_for_people_too(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"zebra": 1, "äpfel": [0.5, None]})
    assert (tmp_path / "a.json").read_text(encoding="utf-8") == (
        '{\n  "zebra": 1,\n  "äpfel": [\n    0.5,\n    null\n  ]\n}\n'
    )


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_what_is_no_json_is_refused(tmp_path: Path, value: float) -> None:
    write_json(tmp_path / "a.json", {"a": 1.0})
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "a.json", {"a": value})
    assert json.loads((tmp_path / "a.json").read_text()) == {"a": 1.0}
    assert names(tmp_path) == ["a.json"]


def test_a_block_that_writes_nothing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), replacing(tmp_path / "a.txt"):
        pass
    assert names(tmp_path) == []


def test_file_rights_are_those_of_any_new_file(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "a")
    (tmp_path / "b.txt").write_text("b")
    assert os.stat(tmp_path / "a.txt").st_mode == os.stat(tmp_path / "b.txt").st_mode


REPLACE = """
import sys
from pathlib import Path
from headstart.foundation.atomic import replacing_folder
# steps
with replacing_folder(Path(sys.argv[1])) as folder:
    (folder / "one").write_text("new")
    (folder / "two").write_text("new")
"""
OLD, NEW, NEWEST = {"one": "old", "three": "old"}, {"one": "new", "two": "new"}, {"four": "newest"}


def contents(folder: Path) -> dict[str, str] | None:
    return {path.name: path.read_text() for path in folder.iterdir()} if folder.exists() else None


def fill(folder: Path, files: dict[str, str] | None) -> None:
    if files is not None:
        for name, text in files.items():
            (folder / name).write_text(text)


def fail_to_replace(folder: Path) -> None:
    """What the next run does to a folder at the least."""
    with pytest.raises(ZeroDivisionError), replacing_folder(folder):
        raise ZeroDivisionError


@pytest.mark.parametrize("old", [OLD, None])
def test_a_folder_stays_whole_wherever_its_replacement_is_killed(tmp_path: Path, old: dict[str, str] | None) -> None:
    found = []
    for step in itertools.count(1):
        folder = tmp_path / str(step) / "model"
        folder.parent.mkdir()
        if old:
            folder.mkdir()
            fill(folder, old)
        killed = is_killed(REPLACE, step, str(folder))
        fail_to_replace(folder)
        assert names(folder.parent) in ([], ["model"]), "nothing is left beside it"
        found.append(contents(folder))
        if not killed:
            break
        with replacing_folder(folder) as newest:
            fill(newest, NEWEST)
        assert contents(folder) == NEWEST
        assert names(folder.parent) == ["model"]
    switched = found.index(NEW)
    assert found == [old] * switched + [NEW] * (len(found) - switched)
    assert switched > 3, "it was killed while it wrote"
    assert len(found) - switched > (3 if old else 1), "and while it deleted"


def test_a_folder_stays_whole_where_its_recovery_is_killed(tmp_path: Path) -> None:
    """Every kill finds what the one before has left; DVC takes away what is in place, as it does before a stage."""
    folder = tmp_path / "model"
    folder.mkdir()
    fill(folder, OLD)
    for step in itertools.chain(range(1, 15), range(15, 0, -2)):
        is_killed(REPLACE, step, str(folder))
        if step % 3 == 0 and folder.exists():
            shutil.rmtree(folder)
        aside = folder.with_name(".model.partial-old")
        assert [whole for whole in (contents(folder), contents(aside)) if whole not in (None, OLD, NEW)] == []
    assert not is_killed(REPLACE, 100, str(folder))
    assert contents(folder) == NEW
    assert names(tmp_path) == ["model"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_folder_stays_whole_where_a_command_is_asked_to_end(tmp_path: Path, number: signal.Signals) -> None:
    """Between the two moves, where neither is in place; `finally` blocks are not run then."""
    folder = tmp_path / "model"
    folder.mkdir()
    fill(folder, OLD)
    code = f"""
import os, sys
from pathlib import Path
from headstart.foundation.atomic import replacing_folder
from headstart.foundation.entry import run

moves = []

def end(event, arguments):
    if event == "os.rename":
        moves.append(arguments)
        if len(moves) == 2:
            os.kill(os.getpid(), {number})

def main():
    sys.addaudithook(end)
    with replacing_folder(Path(sys.argv[1])) as folder:
        (folder / "one").write_text("new")
    return 0

run(main)
"""
    ended = subprocess.run([sys.executable, "-c", code, str(folder)], cwd=ROOT, check=False, capture_output=True)
    assert ended.returncode == 128 + number
    assert contents(folder) == OLD
    assert names(tmp_path) == ["model"]


def test_a_folder_takes_the_place_of_what_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "model").write_text("a file")
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    for name in ("model", "link"):
        with replacing_folder(tmp_path / name) as folder:
            fill(folder, NEW)
        assert contents(tmp_path / name) == NEW
    assert (tmp_path / "link").is_symlink()
    assert names(tmp_path) == ["link", "model", "real"]


@pytest.mark.parametrize("links", [["link"], ["link", "second/link", "third"]])
@pytest.mark.parametrize("old", ["old", None])
def test_what_a_link_leads_to_is_written(tmp_path: Path, links: list[str], old: str | None) -> None:
    """Also where it leads to nothing yet, over other links, in folders of their own."""
    target = tmp_path / "elsewhere" / "target.txt"
    if old:
        target.parent.mkdir()
        target.write_text(old)
    for link, next_one in itertools.pairwise([*(tmp_path / name for name in links), target]):
        link.parent.mkdir(exist_ok=True)
        link.symlink_to(os.path.relpath(next_one, link.parent))
    with replacing(tmp_path / links[0]) as temporary:
        temporary.write_text("new")
        assert target.exists() is bool(old)
    assert target.read_text() == "new"
    assert all((tmp_path / name).is_symlink() for name in links)
    assert names(target.parent) == ["target.txt"]


@pytest.mark.parametrize("links", [{"a": "a"}, {"a": "b", "b": "a"}, {"a": "b", "b": "b"}])
def test_links_that_lead_nowhere_are_left_alone(tmp_path: Path, links: dict[str, str]) -> None:
    for name, target in links.items():
        (tmp_path / name).symlink_to(target)
    with pytest.raises(OSError) as caught, replacing(tmp_path / "a") as temporary:  # noqa: PT011 - its number counts
        temporary.write_text("new")
    assert caught.value.errno == errno.ELOOP
    assert {name: str((tmp_path / name).readlink()) for name in names(tmp_path)} == links


def test_the_cache_of_dvc_is_never_written_through_a_link(tmp_path: Path) -> None:
    """DVC can put links to its cache in the place of outputs: `dvc config cache.type symlink`."""
    (tmp_path / "model.txt").write_text("tracked")
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc" / "config").write_text("[core]\n    no_scm = true\n[cache]\n    type = symlink\n")
    subprocess.run(["dvc", "add", "--quiet", "model.txt"], cwd=tmp_path, check=True, capture_output=True)
    cached = (tmp_path / "model.txt").resolve()
    assert cached.is_relative_to(tmp_path / ".dvc" / "cache")
    write_text(tmp_path / "model.txt", "changed")
    assert (tmp_path / "model.txt").read_text() == "changed"
    assert not (tmp_path / "model.txt").is_symlink()
    assert cached.read_text() == "tracked"


def test_no_file_is_flushed_that_is_open_for_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows refuses that."""
    flushed = []

    def fsync(descriptor: int) -> None:
        access = fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE
        flushed.append(access)
        if access == os.O_RDONLY:
            raise OSError(errno.EBADF, "Bad file descriptor")

    monkeypatch.setattr(os, "fsync", fsync)
    write_text(tmp_path / "a.txt", "a")
    create_array(tmp_path / "a.npy", (2,), np.float16)
    with closing(ArrayFile(tmp_path / "a.npy")):
        pass
    assert len(flushed) == 3
