"""Which stages a run would start: those that DVC finds changed, and those after them."""

import json
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from headstart.foundation.errors import InputError

PIPELINE = Path("dvc.yaml")


def status() -> dict[str, Any]:
    """Return what `dvc status` says.

    Raises:
        InputError: DVC can't say.
    """
    command = [sys.executable, "-m", "dvc", "status", "--json"]
    ended = subprocess.run(command, check=False, capture_output=True, text=True, encoding="utf-8")
    if ended.returncode:
        raise InputError(f"`dvc status` failed: {ended.stderr.strip().splitlines()[-1:]}: run it to see why")
    return parse(ended.stdout)


def parse(text: str) -> dict[str, Any]:
    """Return what the text of `dvc status --json` says.

    Raises:
        InputError: it is something else.
    """
    try:
        return dict(json.loads(text))
    except ValueError:
        raise InputError("expected what `dvc status --json` prints: run `dvc status` to see what is wrong") from None


def stages(pipeline: Path = PIPELINE) -> dict[str, Any]:
    """Return the stages of dvc.yaml in their order, as written there."""
    return dict(yaml.safe_load(pipeline.read_text(encoding="utf-8"))["stages"])


def pending(definition: Mapping[str, Any], changed: Iterable[str]) -> list[str]:
    """Return the stages that a run would start, in the order of dvc.yaml.

    A stage that depends on one of them may turn out to be as it was. It is counted. Names in ``changed`` that are no
    stages' are passed over.
    """
    made = {path: name for name, stage in definition.items() for path in _outputs(stage)}
    inside: dict[PurePosixPath, set[str]] = {}  # the stages that write something below a folder
    for path, name in made.items():
        for folder in path.parents:
            inside.setdefault(folder, set()).add(name)
    needed = {
        name: {
            maker
            for path in _paths(stage.get("deps"))
            for maker in (inside.get(path, set()) | {made[part] for part in (path, *path.parents) if part in made})
        }
        for name, stage in definition.items()
    }
    found = set(changed) & set(definition)
    while more := {name for name in definition if name not in found and needed[name] & found}:
        found |= more
    return [name for name in definition if name in found]


def _outputs(stage: Mapping[str, Any]) -> Iterable[PurePosixPath]:
    for kind in ("outs", "metrics", "plots"):
        yield from _paths(stage.get(kind))


def _paths(items: Iterable[Any] | None) -> list[PurePosixPath]:
    """The paths of a list of dvc.yaml, whose items are paths or mappings of a path to its options."""
    return [PurePosixPath(path) for item in items or () for path in ([item] if isinstance(item, str) else item)]
