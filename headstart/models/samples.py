"""Labelled examples as the training loop takes them: a few at a time, in an order the seed decides."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from headstart.foundation.arrays import release

Batch = tuple[NDArray[np.generic], NDArray[np.int64]]

# Batches read ahead while the model computes.
_AHEAD = 4


class Samples(NamedTuple):
    """Examples that may exist in several views."""

    values: NDArray[np.generic]  # shape (views, images, …); may be a memory map
    labels: NDArray[np.int64]  # shape (images,)
    # Makes of examples (n, …) and their images' numbers (n,) what an epoch trains on, as it reads them; None leaves
    # them as they are.
    change: Callable[[NDArray[np.generic], NDArray[np.int64]], NDArray[np.generic]] | None = None


def epoch_batches(samples: Samples, batch_size: int, epoch: int, seed: int) -> Iterator[Batch]:
    """Yield every image once, shuffled, each in one of its views.

    Over as many epochs as there are views an image shows each of its views once, in an order of its own. The seed and
    the epoch, from 0, decide everything. The last batch may be smaller.
    """
    views, images = samples.values.shape[:2]
    order = np.random.default_rng([seed, 1, epoch]).permutation(images)
    view = np.random.default_rng([seed, 2, epoch // views]).permuted(np.tile(np.arange(views), (images, 1)), axis=1)
    view_now = view[:, epoch % views]

    def read(start: int) -> Batch:
        chosen = order[start : start + batch_size]
        rows = np.stack([samples.values[v, i] for v, i in zip(view_now[chosen], chosen, strict=True)])
        release(samples.values)
        if samples.change:
            rows = samples.change(rows, chosen)
        return rows, samples.labels[chosen]

    return _ahead(read, range(0, images, batch_size))


def in_order(samples: Samples, batch_size: int) -> Iterator[Batch]:
    """Yield every image once, in order, in its first view."""

    def read(start: int) -> Batch:
        stop = start + batch_size
        rows = np.array(samples.values[0, start:stop])
        release(samples.values)
        return rows, samples.labels[start:stop]

    return _ahead(read, range(0, samples.values.shape[1], batch_size))


def _ahead(read: Callable[[int], Batch], starts: range) -> Iterator[Batch]:
    with ThreadPoolExecutor(1) as pool:
        waiting = deque(pool.submit(read, start) for start in starts[:_AHEAD])
        for start in starts[_AHEAD:]:
            batch = waiting.popleft().result()
            waiting.append(pool.submit(read, start))
            yield batch
        while waiting:
            yield waiting.popleft().result()
