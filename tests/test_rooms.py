"""The rooms of headstart stand one on another: what each may import is what lies below it."""

import ast
from collections import defaultdict
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.imports import imported
from tests.pipeline import ROOT

# From the ground up. A room imports from those before it, never from those after it.
ORDER = (
    "foundation",
    "fetching",
    "images",
    "sources",
    "base",
    "pretrained",
    "settings",
    "features",
    "statistics",
    "models",
    "training",
    "drawing",
    "scoring",
    "explaining",
    "page",
    "deploying",
    "planning",
    "adding",
    "commands",
)
HOUSE = ROOT / "headstart"


def room(module: str) -> str:
    return module.split(".")[1]


def walls() -> dict[str, set[str]]:
    """The rooms that each room imports from."""
    found: dict[str, set[str]] = defaultdict(set)
    for file in HOUSE.glob("*/**/*.py"):
        inside = file.relative_to(HOUSE).parts[0]
        found[inside] |= {room(name) for name in imported(file) if name.count(".")} - {inside}
    return found


def test_every_room_has_its_place_and_says_what_it_is_for() -> None:
    folders = {path.parent.name for path in HOUSE.glob("*/__init__.py")}
    assert folders == set(ORDER)
    for folder in folders:
        assert ast.get_docstring(ast.parse((HOUSE / folder / "__init__.py").read_text(encoding="utf-8")))


@pytest.mark.parametrize("name", ORDER)
def test_no_room_imports_from_a_room_above_it(name: str) -> None:
    above = set(ORDER[ORDER.index(name) + 1 :])
    assert not walls()[name] & above


def test_there_is_no_circle_between_rooms() -> None:
    assert list(TopologicalSorter(walls()).static_order())


def test_the_rooms_know_nothing_of_the_stages() -> None:
    for file in HOUSE.rglob("*.py"):
        assert not [name for name in imported(file) if name.startswith("stages")], file


@pytest.mark.parametrize("file", sorted(Path(HOUSE).glob("*/*.py")), ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_a_module_holds_one_idea(file: Path) -> None:
    """No room is a drawer for what has no place."""
    assert file.stem not in {"utils", "util", "helpers", "misc", "common"}
