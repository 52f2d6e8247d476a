"""The command `headstart` as a user runs it: a process of its own, this checkout's code, some folder."""

import os
import subprocess
import sys
from pathlib import Path

from tests.pictures import fill
from tests.pipeline import ROOT

# The least that a command takes for a project: without git, and without stages.
PROJECT = {"dvc.yaml": b"stages: {}\n", ".dvc/config": b"[core]\n    no_scm = true\n"}


def make_project(folder: Path) -> Path:
    """Make a project in a folder that is there; return its own."""
    return fill(folder / "project", PROJECT)


def headstart(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a folder, with further environment variables."""
    return subprocess.run(
        [Path(sys.executable).parent / "headstart", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **variables},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
