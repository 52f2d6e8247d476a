"""The same work gives the same bytes, in another process, another folder and on another number of threads."""

import contextlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pipeline import ROOT, STAGES, Finished, outputs

pytest_plugins = ["tests.pipeline_fixtures"]

RESULTS = (
    "data/prepared",
    "data/weights",
    "data/features",
    "data/trunk",
    "data/flipped",
    "models",
    "metrics",
    "plots/evaluation",
)
CODE = "import sys; from tests.pipeline import run; run(*sys.argv[1:])"


@pytest.mark.parametrize("threads", [1])
def test_the_number_of_threads_changes_nothing(finished: Finished, tmp_path: Path, threads: int) -> None:
    folder = tmp_path / "a folder of another name"
    folder.mkdir()
    shutil.copytree(finished.folder / "source", folder / "source")
    shutil.copyfile(finished.folder / "params.yaml", folder / "params.yaml")
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "TF_NUM_INTRAOP_THREADS": str(threads),
        "TF_NUM_INTEROP_THREADS": str(threads),
        "OMP_NUM_THREADS": str(threads),
    }
    done = subprocess.run(
        [sys.executable, "-c", CODE, *STAGES], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    with contextlib.chdir(finished.folder):
        expected = outputs(*RESULTS)
    with contextlib.chdir(folder):
        found = outputs(*RESULTS)
    assert found.keys() == expected.keys()
    assert [path for path in found if found[path] != expected[path]] == []
