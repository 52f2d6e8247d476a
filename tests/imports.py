"""Which of the project's modules a module runs: itself, and all it imports, directly or not.

`python -m tests.imports stages.train_head` prints them, for the `deps` of a stage in dvc.yaml.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path


def closure(module: str) -> list[str]:
    """Return the files of every project module that importing ``module`` may run, sorted.

    Imports inside functions count: they run as well. Packages whose ``__init__`` holds no code are
    left out, since nothing in them can change a result.
    """
    found: set[Path] = set()
    waiting = [module]
    while waiting:
        path = _file(waiting.pop())
        if path is None or path in found:
            continue
        found.add(path)
        waiting += _imported(path)
    return sorted(str(path) for path in found if path.name != "__init__.py")


def _file(module: str) -> Path | None:
    path = Path(*module.split("."))
    for candidate in (path.with_suffix(".py"), path / "__init__.py"):
        if candidate.exists():
            return candidate
    return None


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("stages"))
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("stages"):
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


if __name__ == "__main__":
    print("\n".join(closure(sys.argv[1])))
