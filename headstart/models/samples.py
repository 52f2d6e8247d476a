"""Labelled examples as the training loop takes them: a few at a time, in an order the seed decides."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from headstart.foundation.arrays import release
from headstart.foundation.resume import Resumable

Batch = tuple[NDArray[np.generic], NDArray[np.int64]]
Change = Callable[[NDArray[np.generic], NDArray[np.int64]], NDArray[np.generic]]

# Batches read ahead while the model computes.
_AHEAD = 4


class Samples(NamedTuple):
    """Examples that may exist in several views."""

    values: NDArray[np.generic]  # shape (views, stored images, …); may be a memory map
    labels: NDArray[np.int64]  # shape (images,)
    # Makes of examples (n, …) and their places in ``values`` (n,) what an epoch trains on, as it reads them; None
    # leaves them as they are.
    change: Change | None = None
    places: NDArray[np.int64] | None = None  # of the images in ``values``, shape (images,); None: all of them in order

    @property
    def order(self) -> NDArray[np.int64]:
        """The places of the images in ``values``, shape (images,)."""
        return np.arange(self.values.shape[1]) if self.places is None else self.places


class Stored(NamedTuple):
    """What is stored of images that belong to successive rows of the manifest."""

    values: NDArray[np.generic]  # shape (views, rows, …); may be a memory map
    first: int = 0  # the row that it begins with
    change: Change | None = None  # as of :class:`Samples`

    def samples(self, rows: NDArray[np.int64], labels: NDArray[np.int64]) -> Samples:
        """Return the images of some rows, with their labels, as examples."""
        return Samples(self.values, labels, self.change, rows - self.first)


# Gives a training the examples of each epoch, from 0: from its rows of the manifest, their labels and its state, which
# must outlive the result.
Examples = Callable[[NDArray[np.int64], NDArray[np.int64], Resumable], Callable[[int], Samples]]


def every_epoch(stored: Stored) -> Examples:
    """Return what gives a training the same examples in every epoch."""

    def of_training(rows: NDArray[np.int64], labels: NDArray[np.int64], state: Resumable) -> Callable[[int], Samples]:
        samples = stored.samples(rows, labels)
        return lambda epoch: samples

    return of_training


def epoch_batches(samples: Samples, batch_size: int, epoch: int, seed: int) -> Iterator[Batch]:
    """Yield every image once, shuffled, each in one of its views.

    Over as many epochs as there are views an image shows each of its views once, in an order of its own. The seed and
    the epoch, from 0, decide everything. The last batch may be smaller.
    """
    places = samples.order
    views, images = len(samples.values), len(places)
    order = np.random.default_rng([seed, 1, epoch]).permutation(images)
    view = np.random.default_rng([seed, 2, epoch // views]).permuted(np.tile(np.arange(views), (images, 1)), axis=1)
    view_now = view[:, epoch % views]

    def read(start: int) -> Batch:
        chosen = order[start : start + batch_size]
        there = places[chosen]
        rows = np.stack([samples.values[v, i] for v, i in zip(view_now[chosen], there, strict=True)])
        release(samples.values)
        if samples.change:
            rows = samples.change(rows, there)
        return rows, samples.labels[chosen]

    return _ahead(read, range(0, images, batch_size))


def in_order(samples: Samples, batch_size: int) -> Iterator[Batch]:
    """Yield every image once, in order, in its first view."""
    places = samples.order

    def read(start: int) -> Batch:
        stop = start + batch_size
        rows = np.array(samples.values[0, places[start:stop]])
        release(samples.values)
        return rows, samples.labels[start:stop]

    return _ahead(read, range(0, len(places), batch_size))


def _ahead(read: Callable[[int], Batch], starts: range) -> Iterator[Batch]:
    with ThreadPoolExecutor(1) as pool:
        waiting = deque(pool.submit(read, start) for start in starts[:_AHEAD])
        for start in starts[_AHEAD:]:
            batch = waiting.popleft().result()
            waiting.append(pool.submit(read, start))
            yield batch
        while waiting:
            yield waiting.popleft().result()
