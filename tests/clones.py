"""Clones of the project in which DVC runs the real pipeline: what git would give, with params and pictures to suit."""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

from tests.pipeline import ROOT

# Variables of tools that may have started these tests: `make test`, a git hook.
_OTHERS = ("GIT_", "DVC_", "MAKE", "MFLAGS")

# Far more than two small experiments take.
_SECONDS = 600


def make(folder: Path) -> Path:
    """Fill a folder with the project's files as they are now, without what was run; return it.

    Nothing is committed yet: change what is to be changed, then :func:`commit`.
    """
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    files = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, files.split("\0")):
        if (ROOT / name).is_file() and name != "dvc.lock":
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    run(folder, "git", "init", "--quiet")
    return folder


def environment(folder: Path) -> dict[str, str]:
    """The variables of the clone's activated environment, or these tests', without those of git, DVC and make.

    Its home folder is the one that the clone lies in.
    """
    own = folder / ".venv" / "bin"
    binaries = own if own.exists() else Path(sys.executable).parent
    identity = {
        f"GIT_{role}_{what}": "test@example.org" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(_OTHERS)},
        **identity,
        "PATH": os.pathsep.join([str(binaries), os.environ["PATH"]]),
        # The command is installed for the checkout that the tests are of.
        "PYTHONPATH": str(folder),
        "DVC_TEST": "true",
        "HOME": str(folder.parent),
        "DVC_SITE_CACHE_DIR": str(folder / ".dvc" / "tmp" / "site"),
    }


def run(folder: Path, *command: str, **variables: str) -> str:
    """Run a command in a clone, with further environment variables; return what it printed. It must succeed."""
    surroundings = {**environment(folder), **variables}
    done = subprocess.run(command, cwd=folder, env=surroundings, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def commit(folder: Path) -> None:
    """Commit everything as it is."""
    run(folder, "git", "add", "--all")
    run(folder, "git", "commit", "--quiet", "--message", "as it is")


def experiments_at_once(folder: Path, changes: dict[str, str], **variables: str) -> None:
    """Run experiments from DVC's queue, two at a time, to their end.

    Args:
        folder: a clone.
        changes: of the parameters, by the experiment's name.
        variables: of the environment.
    """
    for name, change in changes.items():
        run(folder, "dvc", "exp", "run", "--queue", "--name", name, "--set-param", change)
    run(folder, "dvc", "queue", "start", "--jobs", "2", **variables)
    deadline = time.monotonic() + _SECONDS
    while re.search("Queued|Running", status := run(folder, "dvc", "queue", "status")):
        assert time.monotonic() < deadline, status
        time.sleep(1)
    assert status.count("Success") == len(changes), status


def ran(output: str) -> list[str]:
    """The stages that DVC ran, in their order."""
    return re.findall(r"^Running stage '(.+)':$", output, re.MULTILINE)
