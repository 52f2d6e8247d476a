"""The record of what ``explain`` left in plots/explain/page: its pictures for the page, and what they show."""

from pathlib import Path
from typing import NamedTuple

from headstart.foundation import paths
from headstart.foundation.atomic import write_json
from headstart.foundation.errors import InputError
from headstart.foundation.records import Record
from headstart.settings.schema import Explain

# The record and its pictures, below the folder of the sheets that DVC shows.
PARTS = "page"
_RECORD = "explanation.json"


class Panel(Record):
    """A picture of one layer."""

    file: str  # the picture's name in plots/explain/page
    layer: str  # the layer's name
    shape: list[int]  # (height, width, channels) of its output
    shown: int  # how many of its channels or filters the picture has
    silent: int  # how many of all channels are zero everywhere


class HeatMap(Record):
    """What speaks for one class, laid over the image: the picture's name in plots/explain/page."""

    file: str
    of_class: str


class Answer(Record):
    """A test image with a strategy's answer and what speaks for the classes in question."""

    path: str  # of the image, in the manifest
    actual: str  # its class
    predicted: str  # the class that the strategy sees
    probability: float  # of that class
    file: str  # the image's name in plots/explain/page
    maps: list[HeatMap]  # of each class in question


class Explanation(Record):
    """Everything that ``explain`` shows."""

    settings: Explain  # how the pictures were made
    strategy: str  # the one whose layers are shown
    image: str  # path of the image whose activations are shown
    layers: int  # how many there are that have activations to show
    activations: list[Panel]  # of these layers, or of some of them where there are very many
    filters: list[Panel]  # layer by layer
    answers: dict[str, list[Answer]]  # of each strategy, right ones first

    @property
    def files(self) -> list[str]:
        """Names of all pictures."""
        answers = [answer for of_strategy in self.answers.values() for answer in of_strategy]
        return [
            *(panel.file for panel in (*self.activations, *self.filters)),
            *(answer.file for answer in answers),
            *(one.file for answer in answers for one in answer.maps),
        ]


class Inside(NamedTuple):
    """The record with its pictures, WebP, by name."""

    record: Explanation
    pictures: dict[str, bytes]


def write(folder: Path, explanation: Explanation) -> None:
    """Write the record beside its pictures, ``folder`` being plots/explain."""
    write_json(folder / PARTS / _RECORD, explanation.model_dump())


def read() -> Inside:
    """Return the record with its pictures.

    Raises:
        InputError: something is missing.
    """
    try:
        folder = paths.EXPLANATION / PARTS
        found = Explanation.model_validate_json((folder / _RECORD).read_bytes())
        return Inside(found, {name: (folder / name).read_bytes() for name in found.files})
    except FileNotFoundError as error:
        raise InputError(f"{error.filename}: no such file: run `dvc checkout`, or `dvc repro`") from None
