"""How every command of the project starts and stops: help, signals, and one-line errors."""

import argparse
import errno
import io
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

import psutil

from headstart.foundation import paths
from headstart.foundation.atomic import discard_unfinished
from headstart.foundation.errors import InputError
from headstart.foundation.exclusive import end_with_dvc, exclusive
from headstart.foundation.progress import end_bars

# What Unix shells report for a process that a signal ended: 128 + its number.
_SIGNAL_BASE = 128
_RESUMABLE = "finished work is kept; run it again to go on"
_TOLD = {signal.SIGINT: f"interrupted: {_RESUMABLE}", signal.SIGTERM: f"terminated: {_RESUMABLE}"}
_OUT_OF_MEMORY = "error: out of memory: free some, or lower the batch_size of this stage in params.yaml"


def run_stage(main: Callable[[], None], doc: str | None) -> NoReturn:
    """Run a stage that takes no arguments; ``doc`` is what its ``--help`` prints."""
    parser = argparse.ArgumentParser(
        description=doc,
        epilog="Its settings are in params.yaml; `dvc repro` runs it when they or its inputs change.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.parse_args()
    end_with_dvc()

    def succeed() -> int:
        with exclusive(paths.DATA):
            main()
        return 0

    run(succeed)


def run(main: Callable[[], int], failed: int = 1) -> NoReturn:
    """Call ``main`` and exit with the code it returns, or with one clear line on stderr.

    Bad input, a full disk and missing rights exit with ``failed``, Ctrl-C with 130, SIGTERM with 143: never
    with 0, since DVC would then lock a half-done stage as a success.
    """
    for number in _TOLD:
        signal.signal(number, _end)
    for stream in (sys.stdout, sys.stderr):
        # Names of files and classes may hold what an old terminal can't show; that must not end a run.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        code = main()
        sys.stdout.flush()
    except InputError as error:
        _die(failed, f"error: {error}")
    except BrokenPipeError:
        # The reader of our output (`| head`) went away. Not an error of ours, but not a success either.
        _drop_output()
        sys.exit(failed)
    except MemoryError:
        _die(failed, _OUT_OF_MEMORY)
    except OSError as error:
        advice = {
            errno.ENOMEM: _OUT_OF_MEMORY.removeprefix("error: "),
            errno.ENOENT: "no such file: run `dvc repro`, which makes everything a stage needs",
            errno.ENOSPC: "the disk is full: free some space and run it again",
            errno.EDQUOT: "the disk quota is used up: free some space and run it again",
            errno.EFBIG: "a file is too large for its disk or for a limit: use another disk, or raise the limit",
            errno.EROFS: "the file system is read-only: make it writable and run it again",
            errno.EACCES: "permission denied: make it accessible and run it again",
            errno.EPERM: "permission denied: make it accessible and run it again",
            errno.EIO: "the device failed to read or write: check the disk or mount and run it again",
            errno.EEXIST: "something else is in its place: remove or rename it, or name another place",
            errno.ENOTDIR: "a file where a folder is expected: remove or rename it, or name another place",
            errno.ENAMETOOLONG: "the name is too long: choose a shorter one",
            errno.ELOOP: "a symbolic link leads back to itself: remove it and run it again",
            errno.ESTALE: "the mount went away: mount it again and rerun",
            errno.ENOTCONN: "the mount went away: mount it again and rerun",
            errno.ENODEV: "the device went away: connect it again and rerun",
        }.get(error.errno or 0)
        if advice is None:
            raise
        where = f"{error.filename}: " if error.filename else ""
        _die(failed, f"error: {where}{advice}")
    except Exception as error:
        # TensorFlow's own, recognized by its name, since TensorFlow may not be imported here.
        if type(error).__name__ != "ResourceExhaustedError":
            raise
        _die(failed, _OUT_OF_MEMORY)
    sys.exit(code)


def _end(number: int, frame: object) -> NoReturn:
    """End the process on a signal, at once.

    Not by an exception wherever the program is: a generator that is being closed would swallow it, and
    TensorFlow make another of it.
    """
    with suppress(psutil.Error):
        children = psutil.Process().children(recursive=True)
        for child in children:
            child.kill()
        psutil.wait_procs(children, timeout=1)
    discard_unfinished()
    with suppress(Exception):
        end_bars()
        sys.stdout.flush()
    with suppress(OSError):
        os.write(2, f"{_TOLD[signal.Signals(number)]}\n".encode())
    os._exit(_SIGNAL_BASE + number)


def _die(code: int, message: str) -> NoReturn:
    end_bars()
    try:
        sys.stdout.flush()
    except OSError:
        _drop_output()
    print(message, file=sys.stderr, flush=True)
    sys.exit(code)


def _drop_output() -> None:
    """Discard what is still to be written to stdout: Python would fail on it again as it exits."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
