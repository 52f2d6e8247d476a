"""Work in a process of its own, and what work costs: time, processor time, memory."""

import contextlib
import multiprocessing
import resource
import sys
import time
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

# Unix reports peak memory in kilobytes, macOS in bytes.
_PEAK_UNIT = 1 if sys.platform == "darwin" else 1024

Run = Callable[..., Any]
"""Calls a function with arguments and returns its result: :func:`apart`, or :func:`here`."""


class Cost(NamedTuple):
    """What some work cost.

    Attributes:
        seconds: by the clock.
        cpu_seconds: of all threads together.
        peak_bytes: the most memory that was resident at once since the process began.
    """

    seconds: float
    cpu_seconds: float
    peak_bytes: int


def cost(work: Callable[[], object]) -> Cost:
    """Call ``work`` and return what it cost."""
    before, started = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    work()
    seconds, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF)
    cpu_seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(seconds, cpu_seconds, after.ru_maxrss * _PEAK_UNIT)


def apart(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call ``function`` in a fresh process and return its result: peak memory and settings are its own.

    What it prints goes to stderr, where progress goes. The process ends with the call, whatever ends that.

    Raises:
        Exception: what ``function`` raised.
        RuntimeError: the process was ended from outside, for want of memory for example.
    """
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=_answer, args=(sender, function, arguments), daemon=True)
    child.start()
    sender.close()
    try:
        result, error = receiver.recv()
        child.join()
    except EOFError:
        child.join()
        raise RuntimeError(f"{function.__name__}: its process ended with code {child.exitcode}") from None
    finally:
        child.kill()
    if error is not None:
        raise error
    return result


def here(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call ``function`` in this process: quick to start, but its peak memory is that of all work so far."""
    with contextlib.redirect_stdout(sys.stderr):
        return function(*arguments)


def _answer(sender: Connection, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    try:
        sender.send((here(function, *arguments), None))
    except Exception as error:
        error.add_note(traceback.format_exc())
        sender.send((None, error))
