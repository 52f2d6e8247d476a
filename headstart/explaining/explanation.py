"""The record of what ``explain`` left in plots/explain: its pictures for the page, and what they show.

The page is also written when only ``evaluate`` has run, so the record says what its pictures were made from: those of
other models, answers or settings are left out.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from headstart.foundation import paths
from headstart.foundation.atomic import write_json
from headstart.foundation.records import Record
from headstart.models.strategies import TRANSFER
from headstart.settings.schema import Explain

FOLDER = paths.PLOTS / "explain"
_RECORD = "explanation.json"


class Panel(Record):
    """A picture of one layer.

    Attributes:
        file: the picture's name in FOLDER.
        layer: the layer's name.
        shape: (height, width, channels) of its output.
        shown: how many of its channels or filters the picture has.
        silent: how many of all channels are zero everywhere.
    """

    file: str
    layer: str
    shape: list[int]
    shown: int
    silent: int


class HeatMap(Record):
    """What speaks for one class, laid over the image: the picture's name in FOLDER."""

    file: str
    of_class: str


class Answer(Record):
    """A test image with a strategy's answer and what speaks for the classes in question.

    Attributes:
        path: of the image, in the manifest.
        actual: its class.
        predicted: the class that the strategy sees.
        probability: of that class.
        file: the image's name in FOLDER.
        maps: of each class in question.
    """

    path: str
    actual: str
    predicted: str
    probability: float
    file: str
    maps: list[HeatMap]


class Explanation(Record):
    """Everything that ``explain`` shows.

    Attributes:
        made_from: what :func:`digest` gave.
        settings: how the pictures were made.
        strategy: the one whose layers are shown.
        image: path of the image whose activations are shown.
        layers: how many there are that have activations to show.
        activations: of these layers, or of some of them where there are very many.
        filters: layer by layer.
        answers: of each strategy, right ones first.
    """

    made_from: str
    settings: Explain
    strategy: str
    image: str
    layers: int
    activations: list[Panel]
    filters: list[Panel]
    answers: dict[str, list[Answer]]

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


def digest() -> str:
    """Digest of what the pictures are made from: the images, the strategies' models and answers."""
    found = hashlib.sha256()
    models = [paths.MODELS / name / file for name in TRANSFER for file in ("model.json", "model.weights.h5")]
    answers = [paths.METRICS / name / "predictions.csv" for name in TRANSFER]
    for path in [paths.MANIFEST, *models, *answers]:
        with path.open("rb") as file:
            found.update(hashlib.file_digest(file, "sha256").digest())
    return found.hexdigest()


def write(folder: Path, explanation: Explanation) -> None:
    """Write the record into the folder of its pictures."""
    write_json(folder / _RECORD, explanation.model_dump())


def read(settings: Mapping[str, Any]) -> Inside | None:
    """Return the record with its pictures.

    Args:
        settings: section ``explain`` of params.yaml.

    Returns:
        None where something is missing or the pictures were made otherwise or from something else.
    """
    try:
        found = Explanation.model_validate(json.loads((FOLDER / _RECORD).read_text(encoding="utf-8")))
        if found.settings.model_dump() != settings or found.made_from != digest():
            return None
        return Inside(found, {name: (FOLDER / name).read_bytes() for name in found.files})
    except (FileNotFoundError, ValueError):  # ValueError: a record of another version, with other fields
        return None
