"""The comparison can be had again at any time, and between any two revisions."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from headstart.foundation import paths
from headstart.foundation.atomic import write_json
from headstart.foundation.errors import InputError
from headstart.models.strategies import STRATEGIES
from headstart.page import console
from headstart.scoring import predictions
from headstart.scoring.predictions import Predictions
from tests.command import PROJECT, headstart
from tests.pictures import fill
from tests.pipeline import run

pytest_plugins = ["tests.pipeline_fixtures"]


def changes(capsys: pytest.CaptureFixture[str], before: str, after: str | None = None, only: str | None = None) -> str:
    """What is printed of two revisions."""
    capsys.readouterr()
    console.show_revisions(before, after, only, every_image=False)
    return capsys.readouterr().out


def test_it_needs_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"^metrics/evaluation\.json: no such file: run `dvc repro` first$"):
        console.show_strategies()


def test_it_is_had_again_from_a_folder_below(pipeline: Path, capfd: pytest.CaptureFixture[str]) -> None:
    run("report")
    printed = capfd.readouterr().out
    done = headstart(fill(pipeline, PROJECT) / "models", "compare")
    assert all(f"\n {name} " in done.stdout for name in STRATEGIES)
    assert done.stdout == printed.replace("The page: plots/", "The page: ../plots/")


def test_times_of_other_models_are_not_told(pipeline: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A model that DVC brought back from its cache took no time that could be told."""
    console.show_strategies()
    assert "not timed" not in capsys.readouterr().out
    Path("metrics/timings.json").unlink()
    console.show_strategies()
    assert capsys.readouterr().out.count("not timed") == len(STRATEGIES)


def write(right: int) -> None:
    """Predictions of forty images, so many of them right."""
    labels = np.arange(40) % 2
    said = np.where(np.arange(40) < right, labels, 1 - labels)
    for name in ("head", "augmented"):
        predictions.write(
            paths.METRICS / name / "predictions.csv",
            Predictions(tuple(f"test/{number}.png" for number in range(40)), ("cat", "dog"), labels, np.eye(2)[said]),
        )


def describe(policy: str) -> None:
    """What the plain head was made with; of the other strategy that is not known."""
    write_json(paths.MODELS / "head" / "model.json", {"extraction": {"policy": policy}})


@pytest.fixture
def history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository of two commits and a change that is in none."""
    monkeypatch.chdir(tmp_path)
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{name}_NAME", "test")
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "test@example.org")
    git("init", "--quiet")
    subprocess.run([sys.executable, "-m", "dvc", "init", "--quiet"], check=True)
    for right in (20, 40):
        write(right)
        describe(policy="float32" if right == 20 else "mixed_bfloat16")
        git("add", "--all")
        git("commit", "--quiet", "--message", f"{right} right")
    write(39)
    return tmp_path


def git(*arguments: str) -> None:
    subprocess.run(["git", *arguments], check=True)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["HEAD~1"], "19 fixed, 0 broken: better by 47.5 points"),
        (["HEAD"], "0 fixed, 1 broken: no significant difference"),
        (["HEAD~1", "HEAD"], "20 fixed, 0 broken: better by 50.0 points"),
        (["HEAD", "HEAD~1"], "0 fixed, 20 broken: worse by 50.0 points"),
    ],
)
def test_two_revisions_are_compared_image_by_image(
    history: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], expected: str
) -> None:
    printed = changes(capsys, *arguments)
    assert f"head: {expected}" in printed
    assert f"augmented: {expected}" in printed
    assert "finetune" not in printed
    note = (
        "made under different conditions, which may affect the comparison: precision float32 (HEAD~1), mixed_bfloat16 ("
    )
    assert printed.count("made under different conditions") == ("HEAD~1" in arguments)
    assert (note in printed) == (arguments[0] == "HEAD~1")
    assert "augmented" not in changes(capsys, arguments[0], dict(enumerate(arguments)).get(1), only="head")


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_a_revision_that_is_none_is_told(history: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(InputError, match=r"^nowhere: .+: name a commit, a branch, a tag or an experiment$"):
        changes(capsys, "nowhere")
    with pytest.raises(InputError, match=r"^HEAD and the files as they are: no predictions of finetune in both: "):
        changes(capsys, "HEAD", only="finetune")


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_as_a_command(history: Path) -> None:
    fill(history, PROJECT)
    done = headstart(history / "metrics", "compare", "HEAD~1", "HEAD", "--strategy", "head", "--all")
    assert done.returncode == 0, done.stderr
    assert "head: 20 fixed, 0 broken: better by 50.0 points" in done.stdout
    assert "test/39.png" in done.stdout
    assert "augmented" not in done.stdout
