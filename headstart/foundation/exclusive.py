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

# From <sys/prctl.h>: a signal to get once the parent has ended.
_PR_SET_PDEATHSIG = 1


def end_with_dvc() -> None:
    """Have the system end this process by SIGTERM, as if asked politely, once DVC has ended. Linux only.

    Not where a person started the stage: it may be meant to outlive the terminal.
    """
    if sys.platform == "linux" and "DVC_STAGE" in os.environ:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Hold ``folder`` for this process alone; where another one holds it, say so and wait for its end.

    However that one ends, the system then lets go of the folder. Nothing is held where there is no such folder yet,
    on Windows, and on file systems that can't.
    """
    if sys.platform == "win32" or not folder.is_dir():
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        _hold(descriptor, folder)
        yield
    finally:
        os.close(descriptor)


def _hold(descriptor: int, folder: Path) -> None:
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print(f"another stage is still at work in {folder.absolute()}: waiting for it to end", file=sys.stderr)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    except OSError:
        # Network file systems hold no folders. A run without it is better than none.
        return
