"""Which of the project's modules a module runs: itself, and all it imports, directly or not.

`python -m tests.imports` writes them into dvc.yaml, as the `deps` of every stage.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

_CODE = ("stages", "headstart")


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
            yield from (alias.name for alias in node.names if alias.name.startswith(_CODE))
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(_CODE):
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def with_modules(pipeline: str) -> str:
    """Return the text of dvc.yaml with every stage's modules as they are imported now; the rest stays as it is."""

    def stage(match: re.Match[str]) -> str:
        files = re.findall(r"^      - (.+)\n", match["deps"], re.MULTILINE)
        kept = [name for name in files if not (name.startswith(_CODE) and name.endswith(".py"))]
        mine = sorted([name for name in kept if name.startswith(_CODE)] + closure(match["module"]))
        deps = [name for name in kept if not name.startswith(_CODE)] + mine
        return match["head"] + "".join(f"      - {name}\n" for name in deps)

    pattern = (
        r"(?P<head>    cmd: python -m (?P<module>[\w.]+)\n(?:    (?!deps:).*\n)*    deps:\n)(?P<deps>(?:      - .+\n)+)"
    )
    return re.sub(pattern, stage, pipeline)


if __name__ == "__main__":
    file = Path("dvc.yaml")
    file.write_text(with_modules(file.read_text(encoding="utf-8")), encoding="utf-8")
