"""Points params.yaml at a source, unless its settings are the user's own."""

import re
from pathlib import Path
from typing import Any

import yaml

from headstart.adding import choice
from headstart.adding.choice import Division, Preset
from headstart.foundation.atomic import write_text
from headstart.foundation.errors import InputError
from headstart.settings import params
from headstart.sources.sources import open_archive

_PRESETS = Path("presets")
_HEADER = re.compile(r"\A(?:#.*\n)*?(?=# Every parameter is explained)")
_COLUMN = 20  # of the comments in the presets


def text_of(preset: str, source: Path, division: Division) -> str:
    """Return a preset's text for a source: other comments and settings as they stand there."""
    path = _PRESETS / f"{preset}.yaml"
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError(f"{path}: no such file: restore it with `git checkout {path.as_posix()}`") from None
    header = f"# presets/{preset}.yaml for {source.as_posix()}, written by `headstart add`.\n"
    text = _HEADER.sub(lambda _: header, text)
    comments = {"order": "shuffled by the seed", "folds": "every image is tested once"}
    if not division["folds"]:
        comments |= {"folds": "0: the splits below", "train": "of each class, or of the source's own split"}
    values: dict[str, str | int | float] = {"source": source.as_posix(), "order": "random", **division}
    section = "".join(_line(name, value, comments.get(name)) for name, value in values.items())
    return re.sub(rf"(?m)^prepare:.*\n(?:  (?:{'|'.join(values)}): .*\n)+", f"prepare:\n{section}", text)


def preset_of(text: str) -> str | None:
    """Return the preset that a text of params.yaml is, as it is or as :func:`text_of` wrote it.

    None where it is neither: somebody has changed it.
    """
    for path in sorted(_PRESETS.glob("*.yaml")):
        if text == path.read_text(encoding="utf-8"):
            return path.stem
    source = source_of(text)
    if source is None or not source.is_file():
        return None
    try:
        with open_archive(source) as archive:
            division = choice.division(archive.images)
    except InputError:
        return None
    names = (path.stem for path in sorted(_PRESETS.glob("*.yaml")))
    return next((name for name in names if text == text_of(name, source, division)), None)


def source_of(text: str) -> Path | None:
    """Return the source that a text of params.yaml names; None if it can't be read."""
    try:
        values: Any = params.parse(text)
        return Path(values["prepare"]["source"])
    except (yaml.YAMLError, LookupError, TypeError):
        return None


def point(fitting: Preset, source: Path, division: Division) -> str | None:
    """Write params.yaml for a source, and return the preset that it now is.

    Someone who has put another preset in its place meant it: that one's settings stay. None where params.yaml is left
    alone, being the user's own or pointing at the source already.
    """
    text = _read()
    if text is not None and source_of(text) == source:
        return None
    now = preset_of(text) if text is not None else choice.QUICK
    if now is None:
        return None
    wanted = fitting.name if now in (choice.QUICK, choice.PHOTOS) else now
    write_text(params.PARAMS, text_of(wanted, source, division))
    return wanted


def points_at(source: Path) -> bool:
    """Whether params.yaml names a source."""
    text = _read()
    return text is not None and source_of(text) == source


def experiment(source: Path, division: Division) -> str:
    """Return the command that runs the present settings on a source."""
    values = {"source": source.as_posix(), "order": "random", **division}
    return " ".join(["dvc exp run", *(f"-S prepare.{name}={value}" for name, value in values.items())])


def _read() -> str | None:
    try:
        return params.PARAMS.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        return ""


def _line(name: str, value: str | float, comment: str | None) -> str:
    line = f"  {name}: {value}"
    return f"{line:<{_COLUMN}}# {comment}\n" if comment else f"{line}\n"
