"""The page of parameters says what the schema says."""

import re
from collections.abc import Iterator

import pytest

from docs.parameters import PAGE, page, unit
from headstart.settings import params
from headstart.settings.schema import Section
from tests.pipeline import ROOT

QUICK = params.load(ROOT / "presets" / "quick.yaml")


def parameters(section: Section, prefix: str = "") -> Iterator[str]:
    """Dotted names of every parameter that is no section."""
    for name, value in section:
        if isinstance(value, Section):
            yield from parameters(value, f"{prefix}{name}.")
        else:
            yield prefix + name


def test_the_page_is_current(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert PAGE.read_text(encoding="utf-8") == page(), "run `python -m docs.parameters`"


@pytest.mark.parametrize("name", list(parameters(QUICK)))
def test_every_parameter_is_listed_under_its_section(name: str) -> None:
    text = (ROOT / PAGE).read_text(encoding="utf-8")
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    tables = dict(zip(parts[1::2], parts[2::2], strict=True))
    section, _, parameter = name.partition(".")
    heading = next(title for title in tables if f"`{section}`" in title) if parameter else "The whole run"
    assert f"\n| `{parameter or section}` | " in tables[heading]


def test_every_number_but_two_has_a_unit() -> None:
    without = set()
    for name in parameters(QUICK):
        *sections, last = name.split(".")
        holder = QUICK
        for section in sections:
            holder = getattr(holder, section)
        # To Python a truth value is a number.
        number = type(getattr(holder, last)) in (int, float, list)
        assert number or not unit(type(holder).model_fields[last]), name
        if number and not unit(type(holder).model_fields[last]):
            without.add(last)
    assert without == {"seed", "learning_rate"}
