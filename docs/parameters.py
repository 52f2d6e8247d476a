"""Writes docs/parameters.md from the schema of params.yaml: `python -m docs.parameters`.

A test fails when the page no longer says what the schema says.
"""

import ast
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import yaml
from annotated_types import Ge, Gt, Le, Lt
from pydantic.fields import FieldInfo

from headstart.settings import schema
from headstart.settings.params import load
from headstart.settings.schema import Count, LayerNames, Params, Section, Unfreeze

PAGE = Path("docs/parameters.md")
QUICK = Path("presets/quick.yaml")

_INTRODUCTION = """\
# Parameters

Every setting is in `params.yaml`, and nothing else decides what a run gives. Change one there and run
`dvc repro`, or try it as an experiment of its own, as in `dvc exp run -S train_head.dropout=0.3`. DVC re-runs only
the stages that read what has changed. An unknown name, a wrong type or a value out of range
stops a run before it computes anything; all errors of the file are reported together.

The default is what `params.yaml` starts with, the preset [`quick.yaml`](../presets/quick.yaml). Every parameter
must be given: none has a value that can't be seen there.

<!-- Written by `python -m docs.parameters` from headstart/settings/schema.py: change that, not this page. -->
"""


_NAMES = {int: "whole number", float: "number", str: "text", bool: "true or false"}


def page() -> str:
    """Return the whole page, Markdown."""
    quick = load(QUICK)
    tables = [_table("The whole run", "", [("", quick)])]
    sections = [(name, value) for name, value in quick if isinstance(value, Section)]
    # Sections of one kind stand side by side in one table.
    for kind, alike in groupby(sections, key=lambda entry: type(entry[1])):
        members = list(alike)
        title = " and ".join(f"`{name}`" for name, _ in members)
        tables.append(_table(title, (kind.__doc__ or "").strip(), members))
    return "\n".join([_INTRODUCTION, *tables])


def _table(title: str, introduction: str, members: list[tuple[str, Section]]) -> str:
    """Return one heading with the table of the sections ``members``, which are all of one kind."""
    defaults = [f"Default of `{name}`" if len(members) > 1 else "Default" for name, _ in members]
    header = ["Parameter", "Meaning", "Values", "Unit", *defaults]
    rows = [header, ["---"] * len(header), *_rows("", [section for _, section in members])]
    lines = [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows]
    return "\n\n".join(filter(None, [f"## {title}", introduction, "\n".join(lines)])) + "\n"


def _rows(prefix: str, members: Sequence[Section]) -> Iterator[list[str]]:
    """Yield a row for each parameter; those of a section within the section have its name in front."""
    for name, entry in type(members[0]).model_fields.items():
        values = [getattr(section, name) for section in members]
        if isinstance(values[0], Section):
            if prefix or not isinstance(members[0], Params):
                yield from _rows(f"{name}.", values)
            continue
        written = [f"`{_written(value)}`" for value in values]
        yield [f"`{prefix}{name}`", meaning(type(members[0]), name), _values(entry), unit(entry), *written]


def meaning(kind: type[Section], name: str) -> str:
    """The text below a parameter of a kind of section, or of the kind that it has it from.

    Pydantic could collect these texts as well, but does it whenever the schema is imported, and takes a third of a
    second for it where TensorFlow is loaded.
    """
    texts = _texts()
    found = next((texts[base.__name__, name] for base in kind.__mro__ if (base.__name__, name) in texts), "")
    return " ".join(found.split())


@cache
def _texts() -> dict[tuple[str, str], str]:
    """The text below each parameter, by class and name."""
    found = {}
    module = ast.parse(Path(schema.__file__).read_text(encoding="utf-8"))
    for kind in (item for item in module.body if isinstance(item, ast.ClassDef)):
        for parameter, below in pairwise(kind.body):
            match parameter, below:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                    found[kind.name, name] = text
    return found


def unit(entry: FieldInfo) -> str:
    """What a parameter counts or is a part of; "" where it does neither."""
    return str(entry.json_schema_extra["unit"]) if isinstance(entry.json_schema_extra, dict) else ""


def _values(entry: FieldInfo) -> str:
    """What may stand there, in words."""
    annotation = entry.annotation
    if annotation == get_args(Count)[0]:
        return "whole number, 1 or more; fraction, above 0.0 and up to 1.0; or `auto`"
    if annotation == get_args(Unfreeze)[0]:
        return "whole number, 0 or more; or text"
    if annotation == get_args(LayerNames)[0]:
        return "`auto`, or list of names"
    if get_origin(annotation) is Literal:
        return ", ".join(f"`{choice}`" for choice in get_args(annotation))
    if get_origin(annotation) is list:
        inner, *limits = get_args(get_args(annotation)[0])
        return f"list of {_NAMES[inner]}s" + _range([part for limit in limits for part in limit.metadata])
    assert isinstance(annotation, type)
    return _NAMES[annotation] + ("" if annotation in (str, bool) else _range(entry.metadata))


def _range(limits: list[Any]) -> str:
    parts = list(_parts(limits))
    return f", {' and '.join(parts)}" if parts else ""


def _parts(limits: list[Any]) -> Iterator[str]:
    lowest = next((limit.ge for limit in limits if isinstance(limit, Ge)), None)
    highest = next((limit.le for limit in limits if isinstance(limit, Le)), None)
    if lowest is not None and highest is not None:
        yield f"{lowest:,} to {highest:,}"
    elif lowest is not None:
        yield f"{lowest:,} or more"
    for limit in limits:
        if isinstance(limit, Gt):
            yield f"above {limit.gt:,}"
        elif isinstance(limit, Lt):
            yield f"below {limit.lt:,}"
        elif isinstance(limit, Le) and lowest is None:
            yield f"up to {limit.le:,}"


def _written(value: Any) -> str:
    """A value as it would stand in params.yaml."""
    if isinstance(value, float):
        return f"{value:.6f}".rstrip("0") if 0 < value < 1e-3 else str(value)
    return yaml.safe_dump(value, default_flow_style=True).removesuffix("\n").removesuffix("\n...")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
