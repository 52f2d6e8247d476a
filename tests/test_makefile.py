"""`make` takes the newest Python that works and says what to install where there is none."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

from tests.pipeline import ROOT

NAMES = ("python3.13", "python3.12", "python3.11", "python3")
# As pyenv answers for a version that it has and that is not chosen.
SHIM = "#!/bin/sh\necho 'pyenv: command not found' >&2\nexit 127\n"
WORKS = f'#!/bin/sh\nexec "{sys.executable}" "$@"\n'
# This very Python, but for what it says of itself.
OF_VERSION = """#!/bin/sh
exec "{python}" -c 'import sys; sys.version_info = ({version}, 0, "final", 0); exec(sys.argv.pop(1))' "$2"
"""
WITHOUT_VENV = '#!/bin/sh\nexec "{python}" -c \'import sys; sys.modules["ensurepip"] = None; exec(sys.argv[1])\' "$2"\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What `make setup` needs of the project, and a folder `bin` to search programs in."""
    for name in ("Makefile", "requirements.lock"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "bin").mkdir()
    for tool in ("sh", "echo", "tr"):
        (tmp_path / "bin" / tool).symlink_to(shutil.which(tool) or "")
    return tmp_path


def install(folder: Path, programs: dict[str, str]) -> None:
    for name, content in programs.items():
        program = folder / "bin" / name
        program.write_text(content)
        program.chmod(0o755)


def make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    # Nor the Python that a person named to the make that runs these tests.
    own = ("MAKE", "PYTHON")
    environment = {key: value for key, value in os.environ.items() if not key.startswith(own)}
    return subprocess.run(
        [shutil.which("make") or "make", "--silent", *arguments],
        cwd=folder,
        env={**environment, "PATH": str(folder / "bin")},
        capture_output=True,
        text=True,
        check=False,
    )


def chosen(folder: Path, *arguments: str) -> str:
    return make(folder, "--eval", "show: ; @echo '$(PYTHON)'", "show", *arguments).stdout.strip()


@pytest.mark.parametrize(
    ("programs", "expected"),
    [
        (dict.fromkeys(NAMES, WORKS), "python3.13"),
        ({**dict.fromkeys(NAMES, SHIM), "python3.11": WORKS}, "python3.11"),
        ({"python3.12": WORKS, "python3": WORKS}, "python3.12"),
        ({"python3": WORKS}, "python3"),
        ({"python3": OF_VERSION.format(python=sys.executable, version="3, 14")}, ""),
        ({"python3": OF_VERSION.format(python=sys.executable, version="3, 10")}, ""),
        ({"python3.13": WITHOUT_VENV.format(python=sys.executable), "python3.12": WORKS}, "python3.12"),
        ({}, ""),
    ],
    ids=["all", "shims", "no 3.13", "only python3", "too new", "too old", "no venv", "none"],
)
def test_the_newest_python_that_works_is_taken(folder: Path, programs: dict[str, str], expected: str) -> None:
    install(folder, programs)
    assert chosen(folder) == expected


def test_one_that_is_named_is_taken(folder: Path) -> None:
    install(folder, {"python3.12": WORKS})
    assert chosen(folder, "PYTHON=/opt/python") == "/opt/python"


@pytest.mark.parametrize(
    ("arguments", "found"),
    [((), "found no Python 3.11 to 3.13"), (("PYTHON=python3.10",), "python3.10 is not a Python 3.11 to 3.13")],
)
def test_where_there_is_none_a_line_says_what_to_install(folder: Path, arguments: tuple[str, ...], found: str) -> None:
    install(folder, {"python3.10": SHIM})
    done = make(folder, "setup", *arguments)
    assert done.returncode != 0
    line, _ = done.stderr.splitlines()  # the last is make's own
    assert line.startswith(f"error: {found} with its venv module: run apt install python3-venv (Debian 12, Ubuntu")
    assert "brew install python@3.13 (macOS)" in line
    assert not (folder / ".venv").exists()


def test_the_project_asks_for_the_same_versions() -> None:
    asked = SpecifierSet(
        tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["requires-python"]
    )
    assert [minor for minor in range(8, 20) if asked.contains(f"3.{minor}")] == [11, 12, 13]
