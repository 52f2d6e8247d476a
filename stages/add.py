"""Make images of your own a source: check them, pack them into one archive, have DVC track it.

Accepted are a folder or a zip or tar archive, with a sub-folder for each class, with Kaggle's flat names
(cat.0.jpg), or with either below train/, validation/ and test/. What is dropped is listed, with reasons,
in data/sources/NAME.dropped.csv. The images themselves are stored in data/sources/NAME.zip as they are.
"""

import argparse
import hashlib
import os
import re
import shlex
import subprocess
import sys
from collections import Counter
from pathlib import Path

import yaml

from headstart.foundation.atomic import replacing
from headstart.foundation.entry import run
from headstart.foundation.errors import InputError
from headstart.images import names
from headstart.sources import dropped
from headstart.sources.packing import pack
from headstart.sources.reading import DEFAULT, Reading
from headstart.sources.source import Source
from headstart.sources.sources import open_files

SOURCES = Path("data/sources")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_CLASSES_SHOWN = 10
_CHUNK = 1 << 20


def main() -> int:
    """Read the command line, add the source, say how to use it."""
    parser = argparse.ArgumentParser(
        prog="python -m stages.add",
        description=__doc__,
        epilog="Example: python -m stages.add ~/pictures/birds --name birds",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("path", metavar="FOLDER_OR_ARCHIVE", type=Path, help="where the images are")
    parser.add_argument("--name", help="what to call the source; by default it is called as the folder or archive is")
    arguments = parser.parse_args()
    _check_place()
    name = default_name(arguments.path) if arguments.name is None else _checked(arguments.name)
    target = SOURCES / f"{name}.zip"
    packed = add(arguments.path, target)
    _track(target)
    print("\n".join(report(packed, target)))
    return 0


def default_name(path: Path) -> str:
    """The name of a source that is made of ``path``: its own, without an archive's extension, made portable."""
    # Resolved, since the folder may have been called "." or "..".
    stem = path.resolve().name
    if path.is_file():
        stem = re.sub(r"(\.tar)?\.[A-Za-z0-9]+$", "", stem)
    (name,) = names.portable([stem])
    return name.lstrip("_") or "images"


def add(path: Path, target: Path, reading: Reading = DEFAULT) -> Source:
    """Pack the images at ``path`` into ``target``, and list beside it what was dropped.

    Returns:
        The images packed and everything that was dropped.

    Raises:
        InputError: there are no usable images of two classes, or ``target`` is already there and holds others.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with open_files(path, reading) as source, replacing(target) as temporary:
        packed = pack(source, temporary)
        recorded = _recorded(target)
        if recorded not in (None, _md5(temporary)):
            raise InputError(
                f"{target}: there already, with other images: choose another name with --name, "
                f"or first take it away with `dvc remove {shlex.quote(str(target))}.dvc` and delete it"
            )
    listed = _dropped_list(target)
    if packed.dropped:
        dropped.write(packed.dropped, listed)
    else:
        listed.unlink(missing_ok=True)
    return packed


def report(packed: Source, target: Path) -> list[str]:
    """What a person is told of a source that was added, and of how to use it."""
    classes = Counter(image.class_name for image in packed.images)
    shown = ", ".join(f"{name!r} {count:,}" for name, count in sorted(classes.items())[:_CLASSES_SHOWN])
    more = f" and {len(classes) - _CLASSES_SHOWN:,} more" if len(classes) > _CLASSES_SHOWN else ""
    lines = [f"{target}: {len(packed.images):,} images of {len(classes):,} classes: {shown}{more}"]
    lines += packed.notes
    if packed.dropped:
        lines.append(f"dropped {len(packed.dropped):,} files, listed in {_dropped_list(target)}:")
        lines += [f"  {line}" for line in dropped.summary(packed.dropped)]
    setting = shlex.quote(f"prepare.source={target.as_posix()}")
    return [*lines, "use it with:", f"  dvc exp run -S {setting}"]


def _check_place() -> None:
    """Find out before the images are packed whether DVC could track them."""
    here = Path.cwd()
    if not any((folder / ".dvc").is_dir() for folder in (here, *here.parents)):
        raise InputError(f"{here}: not a project of DVC's: run this from the project's folder")


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise InputError(
            f"--name: found {name!r}, expected letters, digits, dots, hyphens and underscores, such as birds-2024"
        )
    return name


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
        raise InputError(f"{pointer}: not a file of DVC's: mend or delete it") from None


def _md5(path: Path) -> str:
    """The MD5 of a file, in hexadecimal: what DVC knows it by."""
    digest = hashlib.md5(usedforsecurity=False)
    with path.open("rb") as file:
        while piece := file.read(_CHUNK):
            digest.update(piece)
    return digest.hexdigest()


def _track(target: Path) -> None:
    """Have DVC track ``target``.

    Raises:
        InputError: DVC refuses.
    """
    command = [sys.executable, "-m", "dvc", "add", str(target)]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONWARNINGS": "ignore"})
    if done.returncode:
        told = done.stderr.strip().splitlines() or ["no reason given"]
        raise InputError(f"{target} is written, but `dvc add` failed ({told[0]}): mend that and run it again")


if __name__ == "__main__":
    run(main)
