"""Fixtures around the pipeline in small; test modules get them by ``pytest_plugins = ["tests.pipeline_fixtures"]``.

TensorFlow is started once for all of them.
"""

import contextlib
import gc
import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from headstart.base import runtime
from headstart.foundation.array_types import IntArray
from headstart.images import manifest
from headstart.settings.schema import Section
from tests.once import made_once
from tests.pipeline import IN_FOLDS, STAGES, Finished, run, write_params, write_source


def pytest_configure(config: pytest.Config) -> None:
    """Let pass what Keras does wrong by itself when it saves weights."""
    config.addinivalue_line("filterwarnings", "ignore:__array__ implementation:DeprecationWarning:keras")


@pytest.fixture(scope="session")
def tensorflow() -> None:
    """TensorFlow, started as the stages start it."""
    runtime.start(seed=0)
    # What it has loaded stays: to look through it for garbage takes a third of a second each time.
    gc.freeze()


@pytest.fixture(scope="session")
def finished(tensorflow: None, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """Every stage run once. Copy it with ``pipeline`` to change it."""
    made = made_once(tmp_path_factory, "finished", _finish)
    reads = json.loads((made / "reads.json").read_text(encoding="utf-8"))
    return Finished(
        made / "project", {stage: {(section, name) for section, name in found} for stage, found in reads.items()}
    )


def _finish(folder: Path) -> None:
    """Run every stage in the folder ``project``; write beside it what parameters each has read."""
    reads: dict[str, set[tuple[str, str]]] = {stage: set() for stage in STAGES}
    (folder / "project").mkdir()
    with contextlib.chdir(folder / "project"), pytest.MonkeyPatch.context() as patch:
        write_source(Path("source"))
        write_params()
        for stage in STAGES:
            with patch.context() as recording:
                _record_reads(recording, reads[stage])
                run(stage)
        shutil.rmtree("data/working")  # what evaluate keeps: a test that runs it again means it
    found = {stage: sorted(of_stage) for stage, of_stage in reads.items()}
    (folder / "reads.json").write_text(json.dumps(found), encoding="utf-8")


@pytest.fixture(scope="session")
def trained_in_folds(tensorflow: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in which every stage up to fine-tuning has run with folds. Copy it with ``folds`` to change it.

    In asked.json are, by stage, the rows of the manifest whose labels it asked for, call by call.
    """
    return made_once(tmp_path_factory, "trained_in_folds", _train_in_folds)


def _train_in_folds(folder: Path) -> None:
    asked: dict[str, list[list[int]]] = {}
    with contextlib.chdir(folder), pytest.MonkeyPatch.context() as patch:
        write_source(Path("source"))
        write_params(**IN_FOLDS)
        for stage in STAGES[: STAGES.index("evaluate")]:
            with patch.context() as recording:
                _record_labels(recording, asked.setdefault(stage, []))
                run(stage)
        Path("asked.json").write_text(json.dumps(asked), encoding="utf-8")


@pytest.fixture
def folds(trained_in_folds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of ``trained_in_folds``, and the current folder. Stages replace files, so hard links are copies."""
    folder = tmp_path / "project"
    shutil.copytree(trained_in_folds, folder, copy_function=os.link)
    Path(folder, "params.yaml").unlink()
    monkeypatch.chdir(folder)
    write_params(**IN_FOLDS)
    return folder


@pytest.fixture
def pipeline(finished: Finished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of ``finished``, and the current folder. Stages replace files, so hard links are copies."""
    folder = tmp_path / "project"
    shutil.copytree(finished.folder, folder, copy_function=os.link)
    Path(folder, "params.yaml").unlink()
    monkeypatch.chdir(folder)
    write_params()
    return folder


@pytest.fixture(autouse=True)
def _float32() -> Iterator[None]:
    """Undo what a stage told Keras about precision."""
    yield
    if keras := sys.modules.get("keras"):
        keras.config.set_dtype_policy("float32")


def _record_labels(patch: pytest.MonkeyPatch, asked: list[list[int]]) -> None:
    """Note the rows of which labels are asked."""
    original = manifest.labels_of

    def noting(frame: pd.DataFrame, rows: IntArray) -> IntArray:
        asked.append(rows.tolist())
        return original(frame, rows)

    patch.setattr(manifest, "labels_of", noting)


def _record_reads(patch: pytest.MonkeyPatch, reads: set[tuple[str, str]]) -> None:
    """Note every field of params.yaml that is asked for by name."""
    original = Section.__getattribute__

    def noting(self: Section, name: str) -> Any:
        if name in type(self).model_fields:
            reads.add((type(self).__name__, name))
        return original(self, name)

    patch.setattr(Section, "__getattribute__", noting, raising=False)
