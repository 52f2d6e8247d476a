"""What git leaves out and what DVC sees: two libraries read .gitignore, and must read it alike."""

import shutil
import subprocess
from pathlib import Path

import pytest
from dulwich.ignore import IgnoreFilterManager
from dulwich.repo import Repo

from tests.clones import commit, make, run
from tests.pictures import fill
from tests.pipeline import ROOT


@pytest.mark.parametrize(
    ("path", "ignored"),
    [
        ("data/sources/birds.zip.dvc", False),
        ("data/sources/.gitignore", False),
        ("data/sources/birds.dropped.csv", True),
        ("data/catalog/mnist.yaml", False),
        ("data/weights.pins.json", False),
        ("data/prepared/", True),
        ("data/prepared/manifest.csv", True),
        ("data/weights/", True),
        ("headstart.egg-info/", True),
        ("headstart/foundation/__pycache__/", True),
        ("headstart/sources/", False),
    ],
)
def test_git_and_the_library_inside_dvc_ignore_alike(tmp_path: Path, path: str, ignored: bool) -> None:
    shutil.copy(ROOT / ".gitignore", tmp_path)
    run(tmp_path, "git", "init", "--quiet")
    fill(tmp_path, {path + "file" * path.endswith("/"): b""})
    asked = subprocess.run(["git", "check-ignore", "--quiet", path], cwd=tmp_path, check=False)
    assert (asked.returncode == 0) == ignored
    # DVC asks of each folder on the way, and leaves out everything below one that is ignored.
    with Repo(str(tmp_path)) as repository:
        manager = IgnoreFilterManager.from_repo(repository)
        parents = [f"{folder.as_posix()}/" for folder in Path(path).parents if folder.name]
        assert any(manager.is_ignored(part) for part in (*parents, path)) == ignored


def test_dvc_pushes_and_keeps_what_it_tracks_under_data(tmp_path: Path) -> None:
    clone = make(tmp_path / "clone")
    commit(clone)
    archive = clone / "data/sources/birds.zip"
    fill(clone, {"data/sources/birds.zip": b"pictures"})
    run(clone, "dvc", "add", "data/sources/birds.zip")
    run(clone, "dvc", "remote", "add", "--default", "store", str(tmp_path / "store"))
    assert "1 file pushed" in run(clone, "dvc", "push")
    run(clone, "dvc", "gc", "--workspace", "--force")
    archive.unlink()
    shutil.rmtree(tmp_path / "store")
    run(clone, "dvc", "checkout", "data/sources/birds.zip")
    assert archive.read_bytes() == b"pictures"
