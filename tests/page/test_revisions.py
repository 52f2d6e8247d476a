"""Predictions of other revisions, from a repository that DVC and git really keep."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from headstart.foundation import paths
from headstart.foundation.errors import InputError
from headstart.page.revisions import Revision
from headstart.scoring import predictions
from headstart.scoring.predictions import Predictions

LABELS = np.array([0, 1, 0, 1])


def said(classes: list[int]) -> Predictions:
    return Predictions(tuple("abcd"), ("cat", "dog"), LABELS, 0.8 * np.eye(2)[classes] + 0.1)


def call(*command: str) -> None:
    environment = {**os.environ, "GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@example.org"}
    environment |= {"GIT_COMMITTER_NAME": "A", "GIT_COMMITTER_EMAIL": "a@example.org"}
    subprocess.run(command, check=True, capture_output=True, env=environment)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two commits, tagged one and two: in the first head is wrong about c, in the second augmented is new."""
    folder = tmp_path_factory.mktemp("repository")
    with contextlib.chdir(folder):
        call("git", "init", "--quiet")
        call("dvc", "init", "--quiet")
        for tag, classes in (("one", [0, 1, 1, 1]), ("two", [0, 1, 0, 1])):
            predictions.write(paths.METRICS / "head" / "predictions.csv", said(classes))
            if tag == "two":
                predictions.write(paths.METRICS / "augmented" / "predictions.csv", said(classes))
            call("dvc", "add", "--quiet", *map(str, paths.METRICS.glob("*/predictions.csv")))
            call("git", "add", ".")
            call("git", "commit", "--quiet", "--no-gpg-sign", "-m", tag)
            call("git", "tag", tag)
        predictions.write(paths.METRICS / "head" / "predictions.csv", said([1, 1, 0, 1]))
    return folder


@pytest.fixture(autouse=True)
def _inside(repository: Path) -> Iterator[None]:
    with contextlib.chdir(repository):
        yield


@pytest.mark.parametrize(("revision", "classes"), [("one", [0, 1, 1, 1]), ("HEAD", [0, 1, 0, 1]), (None, [1, 1, 0, 1])])
def test_each_revision_has_its_own(revision: str | None, classes: list[int]) -> None:
    found = Revision(revision).predictions("head")
    assert found is not None
    assert found.predicted.tolist() == classes


def test_a_strategy_that_a_revision_lacks_is_none() -> None:
    assert Revision("one").predictions("augmented") is None
    assert Revision("two").predictions("augmented") is not None
    assert Revision(None).predictions("finetune") is None


@pytest.mark.parametrize("revision", ["nonsense", "HEAD~9", "-x"])
def test_what_is_no_revision_is_told_in_one_line(revision: str) -> None:
    with pytest.raises(
        InputError, match=f"^{revision}: unknown Git revision '{revision}': name a commit, a branch"
    ) as e:
        Revision(revision).predictions("head")
    assert "\n" not in str(e.value)


def test_outside_a_repository_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(InputError, match=r"^HEAD: .* is not a git repository: run this in the project's folder"):
        Revision("HEAD").predictions("head")


def test_a_file_that_is_no_predictions_is_named_with_its_revision(tmp_path: Path) -> None:
    shutil.copytree(".", tmp_path / "copy", symlinks=True)
    with contextlib.chdir(tmp_path / "copy"):
        (paths.METRICS / "head" / "predictions.csv").write_text("a,b\n1,2\n", encoding="utf-8")
        call("dvc", "commit", "--quiet", "--force", "metrics/head/predictions.csv.dvc")
        call("git", "commit", "--quiet", "--no-gpg-sign", "-a", "-m", "three")
        with pytest.raises(InputError, match=r"^metrics/head/predictions\.csv of HEAD: not a file of predictions"):
            Revision("HEAD").predictions("head")


def test_content_that_the_cache_lost_is_none(tmp_path: Path) -> None:
    shutil.copytree(".", tmp_path / "copy", symlinks=True)
    with contextlib.chdir(tmp_path / "copy"):
        shutil.rmtree(".dvc/cache")
        assert Revision("one").predictions("head") is None
