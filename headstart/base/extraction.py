"""The record of how features were extracted, which everything built on them must follow."""

import json

from headstart.base.origin import Origin
from headstart.foundation import paths
from headstart.foundation.atomic import write_json
from headstart.foundation.framing import Fit, Framing
from headstart.foundation.records import Record


class Extraction(Record):
    """How ``extract_features`` worked."""

    origin: Origin  # the base, and what weights it has
    image_size: int  # pixels
    batch_size: int  # images that the base took at once
    fit: Fit  # how pictures were brought into a square
    white_level: int  # the value shown white in images of 16 bits
    policy: str  # precision policy of the base
    blocks: list[int]  # how many of its last layers to unfreeze to begin at each of its blocks, the last block's first
    feature_rms: float  # root mean square of the features of all images that are trained on
    versions: dict[str, str]  # of the libraries that did it, by name

    @property
    def base(self) -> str:
        """Name of the base."""
        return self.origin.base

    @property
    def framing(self) -> Framing:
        """How a picture becomes what the base sees."""
        return Framing(self.image_size, self.fit, self.white_level)


def write(extraction: Extraction, trunk: str | None, flipped: bool) -> None:
    """Write the records: how features were made, where the trunk files come from, whether there are mirrored ones.

    The last is separate, because it changes nothing for the stages that train.
    """
    write_json(paths.EXTRACTION, extraction.model_dump())
    write_json(paths.TRUNK / "trunk.json", {"layer": trunk})
    write_json(paths.FLIPPED / "flipped.json", {"flipped": flipped})


def read() -> Extraction:
    """Read how features were made."""
    return Extraction.model_validate_json(paths.EXTRACTION.read_bytes())


def trunk_layer() -> str | None:
    """Return the layer whose outputs are in data/trunk; None where nothing is kept there."""
    layer = json.loads((paths.TRUNK / "trunk.json").read_text(encoding="utf-8"))["layer"]
    return None if layer is None else str(layer)
