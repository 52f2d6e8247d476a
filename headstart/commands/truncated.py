"""Removes files of DVC's that are truncated, since it was killed while writing them."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

LOCKS = Path(".dvc/tmp/rwlock")
LOCK = Path("dvc.lock")

# Longer than DVC takes to write either file: one that is cut off for so long stays so.
_SECONDS = 0.5


def remove_truncated(folder: Path) -> list[Path]:
    """Remove those of DVC's files in a project's folder that are truncated; return which."""
    suspected = [folder / path for path in (LOCKS, LOCK) if not _is_whole(folder / path)]
    if not suspected:
        return []
    time.sleep(_SECONDS)
    truncated = [path for path in suspected if not _is_whole(path)]
    for path in truncated:
        path.unlink()
    return truncated


def _is_whole(path: Path) -> bool:
    """Whether DVC can read a file, or need not since it is not there."""
    read: Callable[[str], Any] = yaml.safe_load if path.name == LOCK.name else json.loads
    try:
        content = read(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return True
    except (ValueError, yaml.YAMLError):
        return False
    return isinstance(content, dict) and (path.name != LOCK.name or "schema" in content)
