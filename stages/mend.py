"""Mend what DVC left cut off where it was killed as it wrote.

DVC writes its list of locks (.dvc/tmp/rwlock) and dvc.lock in place. Killed by `kill -9` or a power cut in that very
moment, it refuses to work from then on. Either file can be done without: locks end with their process, and what had
been run comes back from DVC's cache of runs. `make run` does this by itself. Where nothing is broken, nothing changes.
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from headstart.foundation.entry import run

LOCKS = Path(".dvc/tmp/rwlock")
LOCK = Path("dvc.lock")

# Longer than DVC takes to write either file: one that is cut off for so long stays so.
_SECONDS = 0.5


def main() -> int:
    """Remove what is cut off, and say so."""
    argparse.ArgumentParser(
        prog="python -m stages.mend", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    for path in mend(Path()):
        print(f"{path}: cut off, for DVC was killed as it wrote it; removed, nothing is lost")
    return 0


def mend(folder: Path) -> list[Path]:
    """Remove those of DVC's files in a project's folder that are cut off; return which."""
    suspected = [folder / path for path in (LOCKS, LOCK) if not _is_whole(folder / path)]
    if not suspected:
        return []
    time.sleep(_SECONDS)
    mended = [path for path in suspected if not _is_whole(path)]
    for path in mended:
        path.unlink()
    return mended


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


if __name__ == "__main__":
    run(main)
