"""One stage at a time in a project's folder, and none that outlives the DVC that started it.

DVC runs one stage at a time, but where DVC itself is killed, the stage that it started goes on, and the next
`dvc repro` would start the same one beside it.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout

LOCK = Path("working/lock")
# From <sys/prctl.h>: a signal to get once the parent has ended.
_PR_SET_PDEATHSIG = 1


def end_with_dvc() -> None:
    """Have the system send this process SIGTERM once DVC has ended. Linux only.

    Not where a person started the stage: it may be meant to outlive the terminal.
    """
    if sys.platform == "linux" and "DVC_STAGE" in os.environ:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Hold ``folder`` for this process alone; where another one holds it, say so and wait for its end.

    However that one ends, the system then releases the lock. It is a lock on the file ``working/lock`` in the folder,
    which stays; that it exists means nothing. Nothing is held where there is no such folder yet, where it is read-only,
    and on file systems without locks.
    """
    # Whoever else works in the folder must be able to open the file, too. No soft lock, a file whose existence is the
    # lock: it would outlive a process that was killed.
    lock = FileLock(folder / LOCK, mode=0o666, fallback_to_soft=False)
    held = folder.is_dir() and _hold(lock, folder)
    try:
        yield
    finally:
        if held:
            lock.release()


def _hold(lock: BaseFileLock, folder: Path) -> bool:
    try:
        try:
            lock.acquire(blocking=False)
        except Timeout:
            print(f"another stage is still at work in {folder.absolute()}: waiting for it to end", file=sys.stderr)
            lock.acquire()
    except OSError:
        # A stage without a lock is better than none; what it can't write, it says itself.
        return False
    return True
