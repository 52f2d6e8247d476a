"""Which of the project's modules a module runs, and in which rooms of ``headstart`` they are."""

import ast
from collections.abc import Iterator
from pathlib import Path

_CODE = ("stages", "headstart")
# Checks params.yaml and never changes a value: no stage's results depend on it, and what it imports it only asks.
SETTINGS = "headstart/settings"


def closure(module: str) -> list[str]:
    """Return the files of every project module that importing ``module`` may run, sorted.

    Imports inside functions count: they run as well. Packages whose ``__init__`` holds no code are left out, since
    nothing in them can change a result, and so are the settings with what they alone import.
    """
    found: set[Path] = set()
    waiting = [module]
    while waiting:
        path = _file(waiting.pop())
        if path is None or path in found or str(path).startswith(SETTINGS):
            continue
        found.add(path)
        waiting += imported(path)
    return sorted(str(path) for path in found if path.name != "__init__.py")


def rooms(module: str) -> list[str]:
    """Return the folders of ``headstart`` that hold what ``module`` runs, sorted."""
    return sorted({str(Path(file).parent) for file in closure(module) if file.startswith("headstart/")})


def imported(path: Path) -> Iterator[str]:
    """The project's modules that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith(_CODE))
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(_CODE):
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _file(module: str) -> Path | None:
    path = Path(*module.split("."))
    for candidate in (path.with_suffix(".py"), path / "__init__.py"):
        if candidate.exists():
            return candidate
    return None
