"""What takes long to make is made once in a run of the tests, by the worker that needs it first."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """Return a folder that ``make`` has filled, in this process or in another worker of the same run.

    Whoever reads it must leave it as it is.

    Args:
        factory: gives the folder of the run.
        name: of the folder.
        make: fills it, an existing empty one.
    """
    place = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        place = place.parent  # above the folders of the workers
    folder, finished = place / name, place / f"{name}.finished"
    with FileLock(place / f"{name}.lock"):
        if not finished.exists():
            shutil.rmtree(folder, ignore_errors=True)  # of a worker that failed
            folder.mkdir()
            make(folder)
            finished.touch()
    return folder
