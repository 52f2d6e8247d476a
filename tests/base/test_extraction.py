"""The record of an extraction comes back as it was, or says that it is none."""

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from headstart.base import extraction
from headstart.base.extraction import Extraction
from headstart.base.origin import Origin
from headstart.foundation import paths

RECORD = Extraction(
    origin=Origin(base="vgg16", weights="imagenet"),
    image_size=96,
    batch_size=32,
    fit="crop",
    white_level=4095,
    policy="mixed_bfloat16",
    blocks=[4, 8],
    feature_rms=12.5,
    versions={"tensorflow": "2.21.0"},
)


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("trunk", ["block4_pool", None])
def test_a_record_comes_back(trunk: str | None) -> None:
    extraction.write(RECORD, trunk, flipped=False)
    assert extraction.read() == RECORD
    assert extraction.trunk_layer() == trunk


def test_the_same_record_is_the_same_bytes() -> None:
    written = []
    for _ in range(2):
        extraction.write(RECORD, "block4_pool", flipped=False)
        written.append((paths.EXTRACTION.read_bytes(), (paths.TRUNK / "trunk.json").read_bytes()))
    assert written[0] == written[1]


def test_the_layer_of_the_trunk_is_no_part_of_the_record() -> None:
    """A head on the same features must not be trained anew because another trunk is kept."""
    extraction.write(RECORD, "block4_pool", flipped=False)
    one = paths.EXTRACTION.read_bytes()
    extraction.write(RECORD, "block3_pool", flipped=False)
    assert paths.EXTRACTION.read_bytes() == one


def test_a_record_of_another_kind_is_refused() -> None:
    extraction.write(RECORD, None, flipped=False)
    paths.EXTRACTION.write_text(json.dumps({"base": "vgg16"}))
    with pytest.raises(ValidationError, match="image_size"):
        extraction.read()
