"""Results that a stage keeps from one run to the next, as JSON."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter

from headstart.foundation.atomic import write_text
from headstart.foundation.resume import Resumable

T = TypeVar("T")


def recall(name: str, settings: Any, inputs: Iterable[Path], kind: type[T], compute: Callable[[], T]) -> T:
    """Return what ``compute`` gives, or gave for the very same settings, inputs and code.

    Args:
        name: what it is kept under in data/working.
        settings: every setting that the result depends on; anything with a plain ``repr``.
        inputs: every file that it depends on.
        kind: of the result; lists, dictionaries, dataclasses and named tuples of plain values. Floats come back as
            they were.
        compute: computes it.
    """
    adapter = TypeAdapter(kind)
    file = Resumable(name, settings, inputs).path / "result.json"
    if not file.exists():
        write_text(file, adapter.dump_json(compute()).decode())
    return adapter.validate_json(file.read_bytes())
