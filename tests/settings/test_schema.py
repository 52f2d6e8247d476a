"""The schema explains every parameter and gives none away unchecked."""

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from docs.parameters import meaning
from headstart.settings import params
from headstart.settings.schema import Params, Section
from tests.pipeline import ROOT

QUICK = params.load(ROOT / "presets" / "quick.yaml")


def sections(section: Section = QUICK, name: str = "params") -> Iterator[tuple[str, Section]]:
    yield name, section
    for inner, value in section:
        if isinstance(value, Section):
            yield from sections(value, inner)


SECTIONS = dict(sections())


@pytest.mark.parametrize("name", SECTIONS)
def test_every_parameter_is_explained(name: str) -> None:
    section = type(SECTIONS[name])
    assert section.__doc__
    for parameter in section.model_fields:
        if not isinstance(getattr(SECTIONS[name], parameter), Section):
            assert meaning(section, parameter).endswith("."), parameter


@pytest.mark.parametrize("name", SECTIONS)
def test_every_parameter_must_be_given(name: str) -> None:
    """A default in the code would be a value that params.yaml does not show and DVC does not track."""
    assert all(entry.is_required() for entry in type(SECTIONS[name]).model_fields.values())


@pytest.mark.parametrize("name", SECTIONS)
def test_values_never_change(name: str) -> None:
    parameter = next(iter(type(SECTIONS[name]).model_fields))
    with pytest.raises(ValidationError, match="frozen"):
        setattr(SECTIONS[name], parameter, 1)


@pytest.mark.parametrize("name", SECTIONS)
def test_unknown_names_are_refused(name: str) -> None:
    values: dict[str, Any] = SECTIONS[name].model_dump() | {"unknown": 1}
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        type(SECTIONS[name]).model_validate(values)


def test_whole_numbers_stand_for_rates() -> None:
    values = QUICK.model_dump()
    values["train_head"]["learning_rate"] = 1
    values["train_head"]["dropout"] = 0
    assert Params.model_validate(values).train_head.learning_rate == 1
