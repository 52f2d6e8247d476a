"""What is locked is what requirements.txt asks for, with digests, and installs from wheels on every system."""

import json
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.pipeline import ROOT

LOCK = ROOT / "requirements.lock"
# Of each system, the wheels that it takes, and what the markers of requirements ask of it.
SYSTEMS: dict[str, tuple[list[str], dict[str, str]]] = {
    "Linux": (
        [f"manylinux_2_{minor}_x86_64" for minor in range(34, 4, -1)] + ["manylinux2014_x86_64", "linux_x86_64"],
        {"sys_platform": "linux", "platform_system": "Linux", "platform_machine": "x86_64", "os_name": "posix"},
    ),
    "macOS": (
        ["macosx_14_0_arm64", "macosx_12_0_arm64"],
        {"sys_platform": "darwin", "platform_system": "Darwin", "platform_machine": "arm64", "os_name": "posix"},
    ),
    "Windows": (
        ["win_amd64"],
        {"sys_platform": "win32", "platform_system": "Windows", "platform_machine": "AMD64", "os_name": "nt"},
    ),
}
# Tell only what would be installed, whatever is, and of files made for this Python alone.
OPTIONS = (
    *("--dry-run", "--ignore-installed", "--no-deps", "--only-binary=:all:"),
    *("--target=nowhere", "--quiet", "--requirement=asked.txt", "--report=report.json"),
)
# Pure Python that is published as source only.
AS_SOURCE = {"antlr4-python3-runtime"}


class Locked(NamedTuple):
    """One package: its version, SHA-256 digests of its files, and where it is needed."""

    version: str
    digests: list[str]
    marker: Marker | None


def locked() -> dict[str, Locked]:
    """Every package of the lock, by name."""
    found = {}
    for entry in re.split(r"\n(?=\S)", LOCK.read_text(encoding="utf-8")):
        if match := re.match(r"([\w.-]+)==([^\s;]+)(?: ; (.+?))? \\", entry):
            digests = re.findall(r"--hash=sha256:([0-9a-f]{64})\b", entry)
            found[match[1]] = Locked(match[2], digests, Marker(match[3]) if match[3] else None)
    return found


def test_every_package_has_digests() -> None:
    assert len(locked()) > 100
    assert [name for name, entry in locked().items() if not entry.digests] == []
    lines = LOCK.read_text(encoding="utf-8").splitlines()
    # Nothing but packages, digests and remarks: no address that could lead elsewhere.
    assert [line for line in lines if not re.match(r"[\w.-]+==|    --hash=sha256:|\s*#", line)] == []


def test_every_python_gets_the_same_versions() -> None:
    """Else results, and what mypy finds in the libraries' stubs, would differ."""
    lines = LOCK.read_text(encoding="utf-8").splitlines()
    assert [
        line for line in lines if re.match(r"[\w.-]+==[^;]+; .*python_", line) and "implementation" not in line
    ] == []
    names = [line.partition("==")[0] for line in lines if re.match(r"[\w.-]+==", line)]
    assert len(names) == len(set(names))


def test_what_is_asked_for_is_locked_and_installed() -> None:
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    asked = [Requirement(line.partition("#")[0]) for line in lines if line.partition("#")[0].strip()]
    for requirement in asked:
        assert str(requirement.specifier).startswith("=="), f"{requirement.name} is not pinned"
        found = locked()[canonicalize_name(requirement.name)].version
        assert requirement.specifier.contains(found)
        assert version(requirement.name) == found


@pytest.mark.slow
@pytest.mark.registry
@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
@pytest.mark.parametrize("system", SYSTEMS)
def test_it_installs_from_wheels_on_every_system(tmp_path: Path, system: str, python: str) -> None:
    """What pip would take there, by the index's own digests, is what was locked. Nothing is installed."""
    tags, variables = SYSTEMS[system]
    environment = {"python_full_version": f"{python}.0", "python_version": python, "extra": "", **variables}
    environment |= {"implementation_name": "cpython", "platform_python_implementation": "CPython"}
    packages = {
        name: entry
        for name, entry in locked().items()
        if name not in AS_SOURCE and (entry.marker is None or entry.marker.evaluate(environment))
    }
    (tmp_path / "asked.txt").write_text("".join(f"{name}=={entry.version}\n" for name, entry in packages.items()))
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "install",
            *OPTIONS,
            f"--python-version={python}",
            *(f"--platform={tag}" for tag in tags),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    chosen = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["install"]
    assert {canonicalize_name(item["metadata"]["name"]) for item in chosen} == set(packages)
    for item in chosen:
        name = canonicalize_name(item["metadata"]["name"])
        assert item["download_info"]["archive_info"]["hashes"]["sha256"] in packages[name].digests, name
    (tensorflow,) = [item for item in chosen if item["metadata"]["name"] == "tensorflow"]
    assert any(tag in tensorflow["download_info"]["url"] for tag in tags)
