"""`headstart plan` says what a run would take, and `make run` begins with a line of it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests import clones
from tests.command import PROJECT, headstart
from tests.pictures import fill
from tests.pipeline import ROOT, write_params, write_source

STAGE = b"stages:\n  prepare:\n    cmd: echo 1 > one\n    outs: [one]\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with the pictures and settings of the pipeline in small, whose only stage is a quick one."""
    folder = fill(tmp_path / "project", {**PROJECT, "dvc.yaml": STAGE})
    monkeypatch.chdir(folder)
    write_source(Path("source"))
    write_params()
    shutil.copyfile(ROOT / "Makefile", "Makefile")
    return folder


def make_run(project: Path) -> subprocess.CompletedProcess[str]:
    """Run `make run` as in an environment that is set up."""
    return subprocess.run(
        ["make", "--old-file=setup", "run"],
        cwd=project,
        env={**clones.environment(project), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def rows(project: Path, *arguments: str) -> dict[str, list[str]]:
    """The words of the table's rows by their first one."""
    done = headstart(project, "plan", *arguments)
    assert done.returncode == 0, done.stderr
    return {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines()}


def test_a_plan_is_a_table_of_the_stages_that_would_run(project: Path) -> None:
    (project / "stages").symlink_to(ROOT / "stages")
    found = rows(project)
    assert list(found) == ["stage", "prepare", "total", "for", "disk:"]
    assert found["prepare"][1] == "seconds"
    assert " ".join(found["for"]) == "42 images of 3 classes: 18 train, 12 validation, 12 test"
    subprocess.run([sys.executable, "-m", "dvc", "repro", "--quiet"], cwd=project, check=True)
    assert rows(project)["prepare"] == ["up", "to", "date"]
    assert rows(project, "--all")["prepare"][1] == "seconds"


def test_make_run_says_first_what_it_takes(project: Path) -> None:
    done = make_run(project)
    assert done.returncode == 0, done.stderr
    first, *others = done.stdout.splitlines()
    assert first == "a few minutes; `headstart plan` measures this machine and says what each stage takes"
    assert "Running stage 'prepare':" in others
    # Everything is up to date now, so that there is nothing to plan.
    again = make_run(project)
    assert again.stdout == ""
    assert again.stderr.startswith("error: metrics/evaluation.json: no such file")


def test_a_source_that_is_wrong_is_told_by_its_stage_alone(project: Path) -> None:
    shutil.rmtree(project / "source")
    done = make_run(project)
    assert done.returncode == 0, done.stderr
    assert "Running stage 'prepare':" in done.stdout.splitlines()
    assert "error" not in done.stderr
    done = headstart(project, "plan")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: source: no such file or folder")
