"""How to run the same again: from git, from DVC's record, and where neither is there."""

import hashlib
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from headstart.foundation import paths, versions
from headstart.page import reproduction
from headstart.settings import params


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with params.yaml and a manifest, and with a name that must be nobody's business."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    write({"seed": 1, "prepare": {"source": "a.zip", "train": 30}, "evaluate": {"gallery": 6}})
    paths.PREPARED.mkdir(parents=True)
    paths.MANIFEST.write_bytes(b"manifest")
    return tmp_path


def write(values: dict[str, Any]) -> None:
    params.PARAMS.write_text(yaml.safe_dump(values), encoding="utf-8")


def git(*arguments: str) -> str:
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    return subprocess.run(["git", *identity, *arguments], check=True, capture_output=True, encoding="utf-8").stdout


def lock(**stages: dict[str, Any]) -> None:
    recorded = {name: {"cmd": "x", "params": {"params.yaml": values}} for name, values in stages.items()}
    reproduction.LOCK.write_text(yaml.safe_dump({"schema": "2.0", "stages": recorded}), encoding="utf-8")


def test_data_and_versions(project: Path) -> None:
    found = reproduction.collect()
    assert found.data == hashlib.sha256(b"manifest").hexdigest()
    assert set(found.versions) == {"python", *versions.PACKAGES}
    assert found.settings["prepare"]["source"] == "a.zip"


def test_outside_git_there_is_no_commit(project: Path) -> None:
    found = reproduction.collect()
    assert (found.commit, found.changed) == ("", [])


def test_without_git_there_is_no_commit(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert reproduction.collect().commit == ""


def test_the_commit_and_what_was_changed_since(project: Path) -> None:
    git("init", "--quiet")
    for name in ("old name.txt", "b.txt", "new.txt"):
        (project / name).write_text(f"the content of {name} is long enough to be recognised", encoding="utf-8")
    git("add", "old name.txt", "b.txt")
    git("commit", "--quiet", "-m", "one")
    assert reproduction.collect().changed == []
    git("mv", "old name.txt", "päth.txt")
    (project / "b.txt").write_text("changed", encoding="utf-8")
    found = reproduction.collect()
    assert git("rev-parse", "HEAD").startswith(found.commit)
    assert len(found.commit) == 12
    assert found.changed == ["b.txt", "päth.txt"]


def test_what_dvc_recorded_goes_before_what_params_yaml_says_now(project: Path) -> None:
    lock(prepare={"seed": 7, "prepare": {"source": "b.zip", "train": 10}}, backbone={"backbone.name": "vgg16"})
    settings = reproduction.params_as_run()
    assert settings["seed"] == 7
    assert settings["prepare"] == {"source": "b.zip", "train": 10}
    assert settings["backbone"] == {"name": "vgg16"}


@pytest.mark.parametrize("stage", ["evaluate", "explain"])
def test_a_stage_that_writes_the_page_has_no_record_of_its_own_yet(project: Path, stage: str) -> None:
    write({"seed": 1, stage: {"gallery": 6}})
    lock(**{stage: {"seed": 9, stage: {"gallery": 99}}})
    assert reproduction.params_as_run()[stage] == {"gallery": 6}


def test_stages_without_parameters_are_no_error(project: Path) -> None:
    reproduction.LOCK.write_text("schema: '2.0'\nstages:\n  a:\n    cmd: x\n", encoding="utf-8")
    assert reproduction.params_as_run()["seed"] == 1
