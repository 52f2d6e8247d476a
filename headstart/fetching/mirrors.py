"""The kinds of places that a file may come from: this machine and web servers; packages have a module of their own.

HTTP is spoken by ``requests``: it is installed with DVC anyway, checks TLS certificates against a bundle of
its own on every system, and follows redirects and proxy settings.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import requests
import urllib3
from tqdm import tqdm
from urllib3.exceptions import NameResolutionError

from headstart.foundation.progress import bar

# Bytes that are read and written at once.
CHUNK = 1 << 18


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
                        byte_bar(f"Downloading from {host}", declared) as progress,
                    ):
                        received = 0
                        # read1 returns what has come so far; read would wait for a whole chunk, and a
                        # server that trickles could hold it for ever.
                        while piece := answer.raw.read1(CHUNK):
                            received += len(piece)
                            check_pace(received, limit, started, patience)
                            out.write(piece)
                            progress.update(len(piece))
        except (requests.ConnectionError, requests.Timeout) as error:
            failure = MirrorError(_explain(error, patience))
            session.outcomes[host] = failure
            raise failure from None
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            raise MirrorError(_explain(error, patience)) from None
        return target


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


def byte_bar(what: str, total: int | None) -> "tqdm[Any]":
    """A progress bar in bytes; ``total`` is None where it isn't known."""
    progress = bar(what, total, "B")
    progress.unit_scale = True  # 58.9MB, not 58858752B
    return progress


def check_pace(received: int, limit: int, started: float, patience: Patience) -> None:
    """Check that a transfer is neither too large nor too slow.

    Raises:
        MirrorError: it is.
    """
    if received > limit:
        raise MirrorError(f"more than the expected {limit:,} bytes")
    seconds = time.monotonic() - started
    if seconds > patience.grace + received / patience.slowest:
        raise MirrorError(f"too slow: {received:,} bytes in {seconds:.0f} s")


def _declared_length(answer: requests.Response, limit: int) -> int | None:
    declared = answer.headers.get("Content-Length")
    if declared is None or not declared.isdecimal():
        return None
    if int(declared) > limit:
        raise MirrorError(f"{int(declared):,} bytes, expected at most {limit:,}")
    return int(declared)


def _explain(error: Exception, patience: Patience) -> str:
    # requests wraps urllib3's errors, and urllib3 its own: the innermost says what happened.
    cause = error.args[0] if error.args else None
    if isinstance(getattr(cause, "reason", None), NameResolutionError):
        return "host not found"
    reasons: dict[type[Exception] | tuple[type[Exception], ...], str] = {
        requests.exceptions.SSLError: "TLS failed (certificate or handshake)",
        requests.exceptions.ProxyError: "the proxy did not answer",
        requests.ConnectTimeout: f"no connection within {patience.connect:g} s",
        (requests.ReadTimeout, urllib3.exceptions.ReadTimeoutError): f"no data for {patience.read:g} s",
        requests.TooManyRedirects: "too many redirects",
        requests.ConnectionError: "no connection",
        urllib3.exceptions.HTTPError: "the connection broke off",
    }
    return next((text for kind, text in reasons.items() if isinstance(error, kind)), "not a usable address")
