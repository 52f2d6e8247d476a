"""What is needed to run the same again: the code's commit, the parameters, the data's digest, the versions."""

import hashlib
import platform
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from headstart.foundation import paths, versions
from headstart.settings import params

LOCK = Path("dvc.lock")

_WRITE_THE_PAGE = ("evaluate", "explain")

_SHORT = 12


class Reproduction(NamedTuple):
    """How to run the same again.

    Attributes:
        commit: the code's, shortened; "" outside git.
        changed: tracked files that differ from the commit.
        settings: the parameters, section by section.
        data: SHA-256 of the manifest, which holds that of every image.
        versions: of Python and of the libraries that results depend on, by name.
    """

    commit: str
    changed: list[str]
    settings: dict[str, Any]
    data: str
    versions: dict[str, str]


def collect() -> Reproduction:
    """Find out how to run the same again."""
    status = _git("status", "--porcelain", "--untracked-files=no", "-z")
    return Reproduction(
        commit=_git("rev-parse", "HEAD").strip()[:_SHORT],
        changed=sorted(_changed(status)),
        settings=params_as_run(),
        data=hashlib.sha256(paths.MANIFEST.read_bytes()).hexdigest(),
        versions={"python": platform.python_version(), **versions.installed(versions.PACKAGES)},
    )


def params_as_run() -> dict[str, Any]:
    """Return the parameters that the results come from, in the order of params.yaml.

    What DVC recorded at each stage's run goes before what params.yaml says now. Only the stages that write the page
    are taken from params.yaml: while they run their record is that of the run before.
    """
    values = params.read(params.PARAMS)
    if LOCK.exists():
        stages = yaml.safe_load(LOCK.read_text(encoding="utf-8")).get("stages", {})
        for name, stage in stages.items():
            if name not in _WRITE_THE_PAGE:
                for key, value in stage.get("params", {}).get(params.PARAMS.name, {}).items():
                    _put(values, key, value)
    return values


def _put(values: dict[str, Any], key: str, value: Any) -> None:
    """Set a parameter, or a whole section, that DVC names with dots."""
    *sections, last = key.split(".")
    for section in sections:
        values = values.setdefault(section, {})
    values[last] = value


def _git(*arguments: str) -> str:
    """What a git command prints; "" where git or the repository is missing."""
    command = ["git", *arguments]
    try:
        return subprocess.run(command, capture_output=True, check=True, encoding="utf-8", errors="replace").stdout
    except (FileNotFoundError, subprocess.CalledProcessError):
        return ""


def _changed(status: str) -> Iterator[str]:
    """The files named by ``git status --porcelain -z``: two letters, a space, the path; renamed ones with their old."""
    entries = iter(status.split("\0"))
    for entry in entries:
        if entry:
            yield entry[3:]
            if entry[0] in "RC":
                next(entries)
