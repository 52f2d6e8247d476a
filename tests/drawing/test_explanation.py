"""The page shows the pictures of explain with what they are of."""

import json
from pathlib import Path

import pytest

from headstart.drawing import explanation
from headstart.foundation import paths
from headstart.foundation.errors import InputError

pytest_plugins = ["tests.pipeline_fixtures"]

RECORD = paths.EXPLANATION / "page" / "explanation.json"


def test_what_was_written_is_read_again(pipeline: Path) -> None:
    found = explanation.read()
    assert found.record.model_dump() == json.loads(RECORD.read_text(encoding="utf-8"))
    assert (
        set(found.pictures)
        == {path.name for path in (paths.EXPLANATION / "page").glob("*.webp")}
        == set(found.record.files)
    )
    assert all(data.startswith(b"RIFF") for data in found.pictures.values())


@pytest.mark.parametrize("missing", ["explanation.json", "filters-001.webp", "head-001-1.webp"])
def test_what_is_missing_is_named(pipeline: Path, missing: str) -> None:
    (paths.EXPLANATION / "page" / missing).unlink()
    with pytest.raises(
        InputError, match=rf"^plots/explain/page/{missing}: no such file: run `dvc checkout`, or `dvc repro`$"
    ):
        explanation.read()
