"""The code and the libraries that a stage's results depend on."""

import functools
import hashlib
from collections.abc import Iterator
from pathlib import Path

import yaml

from headstart.foundation import versions

_PROJECT = Path(__file__).resolve().parents[2]
_PACKAGE = "headstart"
_STAGES = "stages"


@functools.cache
def digest(stage: str) -> str:
    """Return a digest, hexadecimal, that changes when the code of a stage does, or a library's version.

    A stage's code is what dvc.yaml names as its dependencies, so that work is thrown away just where DVC would do it
    anew; for a name that is no stage's, all of the package counts. It is read once: what a process computes comes from
    the code that it began with.
    """
    found = hashlib.sha256(repr(versions.installed(versions.PACKAGES)).encode())
    for file in files(stage):
        found.update(hashlib.sha256(file.relative_to(_PROJECT).as_posix().encode()).digest())
        found.update(hashlib.sha256(file.read_bytes()).digest())
    return found.hexdigest()


def files(stage: str) -> list[Path]:
    """Return the files of a stage's code, sorted."""
    return sorted({file for place in _places(stage) for file in _within(_PROJECT / place)})


def _places(stage: str) -> list[str]:
    """Files and folders of code, as dvc.yaml names them."""
    stages = yaml.safe_load((_PROJECT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    if stage not in stages:
        return [_PACKAGE]
    return [place for place in stages[stage]["deps"] if Path(place).parts[0] in (_PACKAGE, _STAGES)]


def _within(place: Path) -> Iterator[Path]:
    if place.is_file():
        yield place
    # Not Python's bytecode, which .dvcignore leaves out, too.
    yield from (file for file in place.rglob("*") if file.is_file() and file.parent.name != "__pycache__")
