"""Puts an archive under DVC, and DVC's pointer to it under git."""

import os
import subprocess
import sys
from pathlib import Path

from headstart.foundation.errors import InputError

_IN_GIT = ["git", "rev-parse", "--is-inside-work-tree"]
_CHANGED = ["git", "diff", "--cached", "--quiet", "--"]


def track(target: Path) -> str | None:
    """Have DVC track ``target``, and stage in git the two files by which DVC will find it.

    Queued experiments see only what git knows. Nothing else is staged, what is staged already stays so, and nothing
    is committed: that is for the user to do, before `dvc exp run` unstages everything.

    Returns:
        The command that commits the two files; None where there is nothing to commit, or no git.

    Raises:
        InputError: DVC or git refuses.
    """
    _call(target, "dvc add", [sys.executable, "-m", "dvc", "add", str(target)])
    if not _in_git():
        return None
    # Without spaces: names of sources are portable.
    pointers = [target.with_name(f"{target.name}.dvc").as_posix(), target.with_name(".gitignore").as_posix()]
    _call(target, "git add", ["git", "add", "--", *pointers])
    if subprocess.run([*_CHANGED, *pointers], check=False).returncode == 0:
        return None
    return f"git commit --message 'Add {target.stem}' -- {' '.join(pointers)}"


def _in_git() -> bool:
    try:
        asked = subprocess.run(_IN_GIT, capture_output=True, check=False)
    except FileNotFoundError:
        return False
    return asked.returncode == 0


def _call(target: Path, name: str, command: list[str]) -> None:
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        reason = done.stderr.strip().splitlines() or ["no reason given"]
        raise InputError(f"{target} is written, but `{name}` failed ({reason[0]}): fix that and run it again")
