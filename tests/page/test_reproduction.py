"""How to run the same again: nothing of it depends on when or where the page is written."""

import hashlib
from pathlib import Path

from headstart.foundation import paths, versions
from headstart.models.strategies import STRATEGIES
from headstart.page import reproduction
from headstart.settings import params

pytest_plugins = ["tests.pipeline_fixtures"]


def test_it_is_the_parameters_the_data_and_the_versions_of_the_models(pipeline: Path) -> None:
    found = reproduction.collect(STRATEGIES)
    assert found.settings == params.read(params.PARAMS)
    assert found.data == hashlib.sha256(paths.MANIFEST.read_bytes()).hexdigest()
    assert found.versions == versions.installed()


def test_models_of_several_versions_are_told(pipeline: Path) -> None:
    record = paths.MODELS / "head" / "model.json"
    text = record.read_text(encoding="utf-8").replace(f'"keras": "{versions.installed()["keras"]}"', '"keras": "9.9.9"')
    record.unlink()
    record.write_text(text, encoding="utf-8")
    assert reproduction.collect(STRATEGIES).versions["keras"] == f"{versions.installed()['keras']} and 9.9.9"
