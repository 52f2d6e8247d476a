"""What weights a base has, as the stage that writes them records beside them."""

from pathlib import Path
from typing import Literal

from headstart.base.bases import KINDS
from headstart.foundation import paths
from headstart.foundation.atomic import write_json
from headstart.foundation.records import Record


class Origin(Record):
    """What weights a base has."""

    base: str  # its name
    weights: Literal["imagenet", "random", "own"]
    sha256: str | None = None  # of the file with one's own, hexadecimal

    def in_words(self) -> str:
        """Say it as the end of a sentence, with the licence if it is known."""
        if self.weights == "imagenet":
            return f"ImageNet weights (licence: {KINDS[self.base].licence})"
        return "random weights" if self.weights == "random" else f"weights of your own, SHA-256 {self.sha256}"


def write(origin: Origin, folder: Path = Path()) -> None:
    """Write the record of a project, of which ``folder`` is the folder."""
    write_json(folder / paths.ORIGIN, origin.model_dump())


def read() -> Origin:
    """Read the record."""
    return Origin.model_validate_json(paths.ORIGIN.read_bytes())
