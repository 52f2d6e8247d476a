"""The page shows the pictures of explain as long as they are of what the rest of the page tells."""

import json
from pathlib import Path
from typing import Any

import pytest

from headstart.explaining import explanation
from headstart.page import report
from headstart.settings import params

pytest_plugins = ["tests.pipeline_fixtures"]

RECORD = explanation.FOLDER / "explanation.json"


def settings() -> dict[str, Any]:
    return dict(params.read(params.PARAMS)["explain"])


def change(path: Path, old: str, new: str) -> None:
    """Replace the file: it may be a hard link."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.unlink()
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_what_was_written_is_read_again(pipeline: Path) -> None:
    found = explanation.read(settings())
    assert found
    assert found.record.model_dump() == json.loads(RECORD.read_text(encoding="utf-8"))
    assert set(found.pictures) == {path.name for path in explanation.FOLDER.glob("*.webp")} == set(found.record.files)
    assert all(data.startswith(b"RIFF") for data in found.pictures.values())
    assert 'id="inside"' in report.write().read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "changed",
    [
        "models/finetune/model.weights.h5",
        "models/head/model.json",
        "metrics/augmented/predictions.csv",
        "data/prepared/manifest.csv",
    ],
)
def test_pictures_of_something_else_are_left_out(pipeline: Path, changed: str) -> None:
    content = Path(changed).read_bytes()
    Path(changed).unlink()
    assert explanation.read(settings()) is None
    Path(changed).write_bytes(content + b"\n")
    assert explanation.read(settings()) is None


def test_pictures_made_with_other_settings_are_left_out(pipeline: Path) -> None:
    assert explanation.read(settings() | {"filters": 3}) is None
    change(params.PARAMS, "filters: 2", "filters: 3")
    assert 'id="inside"' not in report.refresh().read_text(encoding="utf-8")


@pytest.mark.parametrize("missing", ["explanation.json", "filters-001.webp", "head-001-1.webp"])
def test_what_is_not_whole_is_left_out(pipeline: Path, missing: str) -> None:
    (explanation.FOLDER / missing).unlink()
    assert explanation.read(settings()) is None
    assert 'id="inside"' not in report.refresh().read_text(encoding="utf-8")


@pytest.mark.parametrize("broken", ["", "{", "[]", '{"made_from": 1}', "\x00"])
def test_a_record_that_is_none_is_left_out(pipeline: Path, broken: str) -> None:
    RECORD.unlink()
    RECORD.write_text(broken, encoding="utf-8")
    assert explanation.read(settings()) is None


def test_numbers_may_be_written_either_way(pipeline: Path) -> None:
    """`rate: 8` and `rate: 8.0` are the same setting."""
    assert explanation.read(settings() | {"rate": int(settings()["rate"])})
