"""Files that are written whole or not at all."""

import json
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from headstart.foundation.rounding import rounded

# Files and folders that are being written, to be removed if the process has to end at once.
_UNFINISHED: set[Path] = set()
# Folders that are being replaced, which may have been moved aside.
_REPLACED: set[Path] = set()


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; move it there once the block ends without an error.

    The temporary file keeps the suffix of ``path`` because Keras and matplotlib choose a format by
    it. It is flushed to the disk before the move, so that a power cut can't leave an empty file. Its
    name is always the same: what a killed run leaves, the next one overwrites.

    Where ``path`` is a symbolic link, the file that it leads to is replaced or made and the link stays, except a link
    to a write-protected file: DVC's cache may be linked like that, and must never be written to.

    Raises:
        OSError: among others ``ELOOP``, for a link that leads to itself.
    """
    target = _linked(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.stem}.partial{target.suffix}")
    with unfinished(temporary):
        try:
            yield temporary
            _flush(temporary)
            os.replace(temporary, target)
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """Like :func:`replacing`, for a folder: what ``path`` held before is replaced as a whole.

    No system replaces a full folder in one step. The old folder is moved aside, the new one moved in, then the old one
    deleted. A process that is killed between the two moves leaves the old folder aside, from where the next call for
    the same ``path`` brings it back before it does anything else.
    """
    target = _linked(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    _settle(target)
    temporary = _partial(target)
    temporary.mkdir()
    _REPLACED.add(target)
    try:
        yield temporary
        if hasattr(os, "sync"):  # not on Windows
            # For all files at once: one by one, thousands of them would take a hard disk minutes.
            os.sync()
        if os.path.lexists(target):
            os.replace(target, _aside(target))
        os.replace(temporary, target)
    finally:
        _settle(target)
        _REPLACED.discard(target)


@contextmanager
def unfinished(path: Path) -> Iterator[None]:
    """Have :func:`discard_unfinished` delete ``path`` as long as the block runs."""
    _UNFINISHED.add(path)
    try:
        yield
    finally:
        _UNFINISHED.discard(path)


def discard_unfinished() -> None:
    """Delete what is being written, before the process ends without running its ``finally`` blocks."""
    for temporary in tuple(_UNFINISHED):
        _remove(temporary)
    for folder in tuple(_REPLACED):
        _settle(folder)


def write_text(path: Path, text: str) -> None:
    """Write ``text`` as UTF-8 with Unix line ends."""
    with replacing(path) as temporary:
        temporary.write_bytes(text.encode())


def write_json(path: Path, value: Any) -> None:
    """Write ``value`` as indented JSON, floats rounded. NaN and infinity are errors: they are not JSON."""
    write_text(path, json.dumps(rounded(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def _flush(path: Path) -> None:
    # Opened for writing: Windows flushes no file that is open for reading.
    with path.open("r+b") as file:
        os.fsync(file.fileno())


def _linked(path: Path) -> Path:
    """Return what a symbolic link leads to, which need not exist, and any other path as it is."""
    if not path.is_symlink():
        return path
    try:
        target = Path(os.path.realpath(path, strict=True))
    except FileNotFoundError:
        return Path(os.path.realpath(path))
    mode = target.stat().st_mode
    is_protected = stat.S_ISREG(mode) and not mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH)
    return path if is_protected else target


def _partial(folder: Path) -> Path:
    """Where a folder is written; what an earlier run left there is garbage."""
    return folder.with_name(f".{folder.name}.partial")


def _aside(folder: Path) -> Path:
    """Where the old folder waits for its replacement; what an earlier run left there is complete."""
    return folder.with_name(f".{folder.name}.partial-old")


def _settle(folder: Path) -> None:
    """Restore the folder that was moved aside if nothing has replaced it, and delete garbage."""
    partial, aside = _partial(folder), _aside(folder)
    _remove(partial)
    if not os.path.lexists(aside):
        return
    if os.path.lexists(folder):
        # Not deleted where it is: half of it could be taken for all of it.
        os.replace(aside, partial)
        _remove(partial)
    else:
        os.replace(aside, folder)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
