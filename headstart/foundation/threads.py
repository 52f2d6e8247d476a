"""Work on a stream of items in several threads, in order, holding only a few of them at a time."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

# An image may take hundreds of megabytes while it is decoded, so more cores don't mean more at once for ever.
_MOST_WORKERS = 4
# Items begun for each worker: enough that none waits for the reader, few enough to hold in memory.
_AHEAD = 2


def processors() -> int:
    """Return how many processors this process may use; a container or ``taskset`` may leave it fewer than there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def map_ordered(function: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
    """Yield ``function(item)`` for every item, in the items' order.

    The items themselves are drawn in the caller's thread, one after the other: an archive that is read
    in its own order stays in its order. It pays where ``function`` releases Python's lock, as decoding,
    hashing and writing do.

    Raises:
        Exception: what ``items`` or ``function`` raises; what has not begun by then is given up.
    """
    workers = min(_MOST_WORKERS, processors())
    pending: deque[Future[R]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        try:
            for item in items:
                pending.append(pool.submit(function, item))
                if len(pending) > workers * _AHEAD:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            # Otherwise Ctrl-C would wait until all of them are done.
            for future in pending:
                future.cancel()
