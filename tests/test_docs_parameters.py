"""The page of parameters says what the schema says."""

import re

import pytest

from docs.parameters import PAGE, UNITS, page
from headstart.settings import params
from headstart.settings.schema import Section
from tests.pipeline import ROOT

QUICK = params.load(ROOT / "presets" / "quick.yaml")
PARAMETERS = [
    (section, name)
    for section, value in QUICK
    for name in (type(value).model_fields if isinstance(value, Section) else [None])
]


def test_the_page_is_current(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert PAGE.read_text(encoding="utf-8") == page(), "run `python -m docs.parameters`"


@pytest.mark.parametrize(("section", "name"), PARAMETERS)
def test_every_parameter_stands_under_its_section(section: str, name: str | None) -> None:
    text = (ROOT / PAGE).read_text(encoding="utf-8")
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    tables = dict(zip(parts[1::2], parts[2::2], strict=True))
    heading = "The whole run" if name is None else next(title for title in tables if f"`{section}`" in title)
    assert f"\n| `{name or section}` | " in tables[heading]


def test_every_number_but_two_has_a_unit() -> None:
    numbers = {
        name or section
        for section, name in PARAMETERS
        # To Python a truth value is a number.
        if type(getattr(getattr(QUICK, section), name) if name else getattr(QUICK, section)) in (int, float, list)
    }
    assert numbers - set(UNITS) == {"seed", "learning_rate"}
    assert set(UNITS) <= numbers
