"""Files that are written whole or not at all."""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from headstart.foundation.rounding import rounded

# Temporary files and folders that are being written.
_UNFINISHED: set[Path] = set()


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; move it there once the block ends without an error.

    The temporary file keeps the suffix of ``path`` because Keras and matplotlib choose a format by
    it. It is flushed to the disk before the move, so that a power cut can't leave an empty file. Its
    name is always the same: what a killed run leaves, the next one overwrites.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}.partial{path.suffix}")
    with unfinished(temporary):
        try:
            yield temporary
            _flush(temporary)
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """Like :func:`replacing`, for a folder: what ``path`` held before is replaced as a whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.partial")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    with unfinished(temporary):
        try:
            yield temporary
            if hasattr(os, "sync"):  # not on Windows
                # For all files at once: one by one, thousands of them would take a hard disk minutes.
                os.sync()
            shutil.rmtree(path, ignore_errors=True)
            os.replace(temporary, path)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def unfinished(path: Path) -> Iterator[None]:
    """Have :func:`discard_unfinished` take ``path`` away as long as the block is at work."""
    _UNFINISHED.add(path)
    try:
        yield
    finally:
        _UNFINISHED.discard(path)


def discard_unfinished() -> None:
    """Take away what is being written, before the process ends without running its ``finally`` blocks."""
    for temporary in tuple(_UNFINISHED):
        if temporary.is_dir():
            shutil.rmtree(temporary, ignore_errors=True)
        else:
            temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write ``text`` as UTF-8 with Unix line ends."""
    with replacing(path) as temporary:
        temporary.write_bytes(text.encode())


def write_json(path: Path, value: Any) -> None:
    """Write ``value`` as indented JSON, floats rounded. NaN and infinity are errors: they are not JSON."""
    write_text(path, json.dumps(rounded(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
