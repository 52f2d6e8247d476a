"""Where a command works: in the project's folder, with paths as they are seen from where the user is."""

import os
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from headstart.foundation.errors import InputError

# What every project has, and nothing else is likely to have both of.
_MARKS = ("dvc.yaml", ".dvc")
_TRACEBACK = "HEADSTART_TRACEBACK"


@dataclass(frozen=True)
class Place:
    """Where the user is."""

    below: Path  # the path from the project's folder to there; "." in the project's folder itself

    def inside(self, path: Path) -> Path:
        """A path that the user gave, as it is from the project's folder."""
        return self.below / path

    def shown(self, path: str | Path) -> str:
        """A path as it is from the project's folder, as it is for the user."""
        if self.below == Path() or Path(path).is_absolute():
            return str(path)
        # What the user gave comes back as it was given, whatever links and dots are in it.
        prefix = f"{self.below}{os.sep}"
        return str(path).removeprefix(prefix) if str(path).startswith(prefix) else os.path.relpath(path, self.below)


def enter() -> Place:
    """Make the project's folder the current one.

    Raises:
        InputError: the user is in no project.
    """
    here = Path.cwd()
    for folder in (here, *here.parents):
        if all((folder / mark).exists() for mark in _MARKS):
            os.chdir(folder)
            return Place(here.relative_to(folder))
    raise InputError(f"{here}: not inside a Headstart project: run this in the folder of your clone or below it")


def run(work: Callable[[Place], int], failed: int = 1) -> NoReturn:
    """Do the work of a command in the project's folder and exit with the code that it returns.

    See :func:`headstart.foundation.entry.run`. If that lets a bug of ours through, the user gets one line.
    """
    from headstart.foundation import entry

    try:
        entry.run(lambda: work(enter()), failed)
    except Exception as error:
        if os.environ.get(_TRACEBACK):
            raise
        place = traceback.extract_tb(error.__traceback__)[-1]
        what = " ".join(f"{type(error).__name__}: {error}".split())
        print(
            f"error: a bug in Headstart: {what} ({Path(place.filename).name}, line {place.lineno}): "
            f"please report it with the output of {_TRACEBACK}=1",
            file=sys.stderr,
        )
        sys.exit(failed)
