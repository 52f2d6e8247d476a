"""Draws subsets of pictures that a test has put into a folder."""

from pathlib import Path

from headstart.sources.look_alikes import LookAlikes
from headstart.sources.sources import open_source
from headstart.sources.subset import Subset, draw


def drawn(folder: Path, test: float, alike: LookAlikes) -> Subset:
    """The subset of the pictures in ``folder / "source"``: these parts are tested and validated on, the rest trains."""
    (folder / "subset").mkdir()
    with open_source(folder / "source", folder) as source:
        counts = {"train": 1 - 2 * test, "validation": test, "test": test}
        return draw(source, folder / "subset", counts, "random", 0, alike=alike)
