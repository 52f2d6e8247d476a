"""Writes docs/parameters.md from the schema of params.yaml: `python -m docs.parameters`.

A test fails when the page no longer says what the schema says.
"""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import yaml
from annotated_types import Ge, Gt, Le, Lt
from pydantic.fields import FieldInfo

from headstart.settings.params import load
from headstart.settings.schema import Count, LayerNames, Section, Unfreeze

PAGE = Path("docs/parameters.md")
QUICK = Path("presets/quick.yaml")

_INTRODUCTION = """\
# Parameters

Every setting stands in `params.yaml`, and nothing else decides what a run gives. Change one there and run
`dvc repro`, or try it as an experiment of its own:

    dvc exp run -S finetune.unfreeze=8

DVC runs again just the stages that read what has changed. An unknown name, a wrong type or a value out of range
stops a run before it computes anything; all the faults of the file are told at once.

The default is what `params.yaml` starts with, the preset [`quick.yaml`](../presets/quick.yaml). Every parameter
must be given: none has a value that can't be seen there.

<!-- Written by `python -m docs.parameters` from headstart/settings/schema.py: change that, not this page. -->
"""

# What the numbers count or are parts of.
UNITS = {
    "repeats": "trainings",
    "train": "images per class",
    "validation": "images per class",
    "test": "images per class",
    "image_size": "pixels",
    "batch_size": "images",
    "views": "views",
    "rotation": "full turns",
    "zoom": "image sides",
    "shift_horizontal": "image widths",
    "shift_vertical": "image heights",
    "shear": "tangent",
    "brightness": "of 0 to 255",
    "contrast": "of the distance",
    "randaugment": "operations",
    "randaugment_magnitude": "tenths",
    "epochs": "epochs",
    "patience": "epochs",
    "warmup": "epochs",
    "weight_decay": "of the weights",
    "label_smoothing": "of the labels",
    "average": "of the average",
    "mixup": "α",
    "cutmix": "α",
    "units": "units",
    "dropout": "of the values",
    "unfreeze": "layers",
    "rate_decay": "of the rate",
    "gradual": "epochs",
    "gallery": "images",
    "suspects": "images",
    "learning_curve": "of the images",
    "curve_repeats": "draws",
    "channels": "channels",
    "filters": "filters",
    "steps": "steps",
    "rate": "grey levels",
    "answers": "answers",
}

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
    kind = type(members[0][1])
    defaults = [f"Default of `{name}`" if len(members) > 1 else "Default" for name, _ in members]
    rows = [["Parameter", "Meaning", "Values", "Unit", *defaults]]
    rows.append(["---"] * len(rows[0]))
    for name, entry in kind.model_fields.items():
        if isinstance(getattr(members[0][1], name), Section):
            continue
        values = [f"`{_written(getattr(section, name))}`" for _, section in members]
        rows.append([f"`{name}`", entry.description or "", _values(entry), UNITS.get(name, ""), *values])
    lines = [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows]
    return "\n\n".join(filter(None, [f"## {title}", introduction, "\n".join(lines)])) + "\n"


def _values(entry: FieldInfo) -> str:
    """What may stand there, in words."""
    annotation = entry.annotation
    if annotation == get_args(Count)[0]:
        return "whole number, 1 or more; or fraction, above 0.0 and up to 1.0"
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
