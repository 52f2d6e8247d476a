"""Files from the outside world: taken from the first mirror that gives the right bytes.

No mirror is trusted. What one gives lands in a scratch folder, is checked by digest there, and only then
moves to its place; what fails the check is deleted and the next mirror is asked. So a mirror may be plain
http, a package, or a file that somebody copied by hand.
"""

import hashlib
import os
import platform
import re
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

from headstart.fetching.digests import Accept
from headstart.fetching.mirrors import LocalFile, Mirror, MirrorError, Patience, Session
from headstart.foundation.atomic import replacing, unfinished
from headstart.foundation.errors import InputError

# Of other computers only a folder's age is known; no download of the catalog takes longer than this.
_STALE_SECONDS = 86_400
# This computer, in the name of its scratch folders: its own name may hold what a file's name must not.
_COMPUTER = hashlib.sha256(platform.node().encode()).hexdigest()[:8]
_SCRATCH_NAME = re.compile(r"\.partial-(?P<computer>[0-9a-f]{8})-(?P<process>[0-9]+)-.*")


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
        InputError: it could not be downloaded. It says what was tried, why each failed, and where to put the file.
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
    reasons = f"Tried: {'; '.join(tried)}" if tried else "No mirror is known"
    raise InputError(f"{what}: could not be downloaded. {reasons}. Put the file at {by_hand} and run this again")


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
