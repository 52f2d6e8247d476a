"""Turns the user's images into a source: one archive in data/sources, and a list of what was dropped beside it."""

import hashlib
import re
import shlex
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import yaml

from headstart.foundation.atomic import replacing
from headstart.foundation.errors import InputError
from headstart.images import names
from headstart.sources import dropped
from headstart.sources.packing import pack
from headstart.sources.reading import DEFAULT, Reading
from headstart.sources.source import Source, SourceImage
from headstart.sources.sources import open_files

SOURCES = Path("data/sources")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_CLASSES_SHOWN = 10
_CHUNK = 1 << 20


def default_name(path: Path) -> str:
    """The name of a source that is made of ``path``: its own, without an archive's extension, made portable."""
    # Resolved, since the folder may have been called "." or "..".
    stem = path.resolve().name
    if path.is_file():
        stem = re.sub(r"(\.tar)?\.[A-Za-z0-9]+$", "", stem)
    (name,) = names.portable([stem])
    return name.lstrip("_") or "images"


def checked(name: str) -> str:
    """Return the name that was asked for.

    Raises:
        InputError: it would not do as the name of a file on every system.
    """
    if not _NAME.fullmatch(name):
        raise InputError(
            f"--name: found {name!r}, expected letters, digits, dots, hyphens and underscores, such as birds-2024"
        )
    return name


def add(
    path: Path,
    target: Path,
    reading: Reading = DEFAULT,
    check: Callable[[Sequence[SourceImage]], object] = len,
) -> Source:
    """Pack the images of a folder or an archive into ``target``, and list beside it what was dropped.

    Nothing is written where ``check`` raises InputError, because the images won't do.

    Returns:
        The images packed and everything that was dropped.

    Raises:
        InputError: there are no usable images of two classes, or ``target`` is already there and holds others.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with open_files(path, reading) as source, replacing(target) as temporary:
        packed = pack(source, temporary)
        check(packed.images)
        recorded = _recorded(target)
        if recorded not in (None, _md5(temporary)):
            raise InputError(
                f"{target}: already exists with different images: choose another name with --name, or first "
                f"remove it with `dvc remove {shlex.quote(str(target))}.dvc` and delete the archive"
            )
    listed = _dropped_list(target)
    if packed.dropped:
        dropped.write(packed.dropped, listed)
    else:
        listed.unlink(missing_ok=True)
    return packed


def report(packed: Source, target: Path) -> list[str]:
    """Lines about the images that were added and dropped."""
    classes = Counter(image.class_name for image in packed.images)
    shown = ", ".join(f"{name!r} {count:,}" for name, count in sorted(classes.items())[:_CLASSES_SHOWN])
    more = f" and {len(classes) - _CLASSES_SHOWN:,} more" if len(classes) > _CLASSES_SHOWN else ""
    lines = [f"{target}: {len(packed.images):,} images of {len(classes):,} classes: {shown}{more}"]
    lines += packed.notes
    if packed.dropped:
        lines.append(f"dropped {len(packed.dropped):,} files, listed in {_dropped_list(target)}:")
        lines += [f"  {line}" for line in dropped.summary(packed.dropped)]
    return lines


def _dropped_list(target: Path) -> Path:
    return target.with_suffix(".dropped.csv")


def _recorded(target: Path) -> str | None:
    """The MD5 of what ``target`` holds, or held when DVC last tracked it; None if there is neither."""
    if target.exists():
        return _md5(target)
    pointer = target.with_name(f"{target.name}.dvc")
    if not pointer.exists():
        return None
    try:
        return str(yaml.safe_load(pointer.read_text(encoding="utf-8"))["outs"][0]["md5"])
    except (yaml.YAMLError, UnicodeDecodeError, LookupError, TypeError):
        raise InputError(f"{pointer}: not a DVC file: fix or delete it") from None


def _md5(path: Path) -> str:
    """The MD5 of a file, in hexadecimal: what DVC knows it by."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
