"""Reading params.yaml: checked against its schema, all errors reported together."""

import difflib
import re
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from headstart.base import bases
from headstart.foundation.errors import InputError
from headstart.settings.schema import Params, Section

PARAMS = Path("params.yaml")


def load(path: Path = PARAMS) -> Params:
    """Return the whole params file, checked: one error anywhere stops every stage before it computes.

    Raises:
        InputError: with every error that was found.
    """
    values = read(path)
    params = check(values, Params, path)
    # Of the raw values: a test holds what each stage reads of its parameters against what dvc.yaml says of it.
    image_size = values["extract_features"]["image_size"]
    bases.check_size(values["backbone"]["name"], image_size, f"{path}: extract_features.image_size")
    return params


S = TypeVar("S", bound=Section)

# What pydantic says before it says what it expects.
_PREFIX = re.compile(r"^(Value error, |Input should be |String should have )")


def check(values: Any, schema: type[S], path: Path) -> S:
    """Return ``values``, the content of the file ``path``, as ``schema``.

    Raises:
        InputError: with every error that was found.
    """
    try:
        return schema.model_validate(values)
    except ValidationError as error:
        errors = [_explain(item, schema) for item in error.errors()]
        raise InputError(f"{path}: " + "; ".join(errors)) from None


def read(path: Path) -> dict[str, Any]:
    """Return the params file as nested dictionaries, unchecked.

    Raises:
        InputError: the file is missing or is not a YAML mapping.
    """
    try:
        values = parse(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path}: no such file: run this from the project's folder") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not readable as YAML: {error}") from None
    if not isinstance(values, dict):
        raise InputError(f"{path}: found no settings, expected sections: copy presets/quick.yaml")
    return values


def parse(text: str) -> Any:
    """Return what a text of YAML means in params.yaml.

    Raises:
        yaml.YAMLError: it means nothing.
    """
    return yaml.load(text, Loader=_Loader)  # noqa: S506


def _explain(item: ErrorDetails, schema: type[Section]) -> str:
    where = ".".join(str(place) for place in item["loc"])
    if item["type"] in ("extra_forbidden", "invalid_key"):
        known = _names_beside(schema, item["loc"])
        near = difflib.get_close_matches(str(item["loc"][-1]), known, n=1)
        return f"{where}: unknown parameter, " + (
            f"did you mean `{near[0]}`?" if near else f"known here: {', '.join(known)}"
        )
    if item["type"] == "missing":
        return f"{where}: missing, copy it from presets/quick.yaml"
    if item["type"] == "model_type":
        return f"{where}: found {item['input']!r}, expected a section of settings: copy it from presets/quick.yaml"
    expected = _PREFIX.sub("", item["msg"])
    if isinstance(item["input"], dict):  # too long to repeat
        return f"{where}: expected {expected}"
    return f"{where}: found {item['input']!r}, expected {expected}"


def _names_beside(schema: type[BaseModel], loc: tuple[int | str, ...]) -> list[str]:
    for part in loc[:-1]:
        inner = schema.model_fields[str(part)].annotation
        assert isinstance(inner, type)
        assert issubclass(inner, BaseModel)
        schema = inner
    return sorted(schema.model_fields)


class _Loader(yaml.SafeLoader):
    """Reads as YAML 1.2 and DVC do: `1e-5` is a number, and no name may appear twice in a section."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Construct a mapping; PyYAML alone would keep the last of two values in silence."""
        names = [key.value for key, _ in node.value]
        for name in names:
            if names.count(name) > 1:
                raise yaml.MarkedYAMLError(problem=f"`{name}` appears twice", problem_mark=node.start_mark)
        return super().construct_mapping(node, deep)


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)[eE][-+]?[0-9]+$"),
    list("-+0123456789."),
)
