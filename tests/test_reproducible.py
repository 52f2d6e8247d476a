"""The same work gives the same bytes, in another process, another folder and on another number of threads."""

import contextlib
import difflib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests import clones, kill_stages
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
    "plots/explain",
)
CODE = "import sys; from tests.pipeline import run; run(*sys.argv[1:])"


# What TensorFlow, oneDNN, NumPy and SciPy would otherwise heed.
UNWANTED = {
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "ONEDNN_DEFAULT_FPMATH_MODE": "ANY",
    "TF_XLA_FLAGS": "--tf_xla_auto_jit=2 --tf_xla_cpu_global_jit",
    **dict.fromkeys(("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"), "3"),
}


@contextlib.contextmanager
def processors(number: int) -> Iterator[None]:
    """Let processes that are started meanwhile have so many processors, as ``taskset`` does."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(allowed)[:number])
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


def test_the_number_of_threads_and_the_environment_change_nothing(finished: Finished, tmp_path: Path) -> None:
    folder = tmp_path / "a folder of another name"
    folder.mkdir()
    shutil.copytree(finished.folder / "source", folder / "source")
    shutil.copyfile(finished.folder / "params.yaml", folder / "params.yaml")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **UNWANTED}
    with processors(1):
        done = subprocess.run(
            [sys.executable, "-c", CODE, *STAGES],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    with contextlib.chdir(finished.folder):
        expected = outputs(*RESULTS)
    with contextlib.chdir(folder):
        found = outputs(*RESULTS)
    assert found.keys() == expected.keys()
    assert [path for path in found if found[path] != expected[path]] == []


def lock(folder: Path, number: int) -> str:
    """Run the whole pipeline in a fresh clone on so many processors, nothing cached; return its dvc.lock."""
    with processors(number):
        output = clones.run(folder, "dvc", "repro")
    defined = yaml.safe_load((folder / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    assert sorted(clones.ran(output)) == sorted(defined)
    assert "from cache" not in output
    return (folder / "dvc.lock").read_text(encoding="utf-8")


def check_locks(one: str, other: str) -> None:
    assert "\n".join(difflib.unified_diff(one.splitlines(), other.splitlines(), n=0, lineterm="")) == ""
    assert one == other


@pytest.mark.slow
def test_two_clones_lock_the_same(tmp_path: Path) -> None:
    folders = [kill_stages.make_clone(tmp_path / name) for name in ("one", "ein Ordner – mit anderem Namen")]
    check_locks(*(lock(folder, number) for number, folder in enumerate(folders, start=1)))


@pytest.mark.slow
@pytest.mark.registry
def test_two_clones_lock_the_same_of_the_default_run(tmp_path: Path) -> None:
    """With the pretrained weights and the precision that the machine computes fastest."""
    locks = []
    for number, name in enumerate(("one", "another folder"), start=1):
        folder = clones.make(tmp_path / name)
        clones.commit(folder)
        locks.append(lock(folder, number))
    check_locks(*locks)


@pytest.mark.slow
def test_experiments_at_once_are_those_run_alone(tmp_path: Path) -> None:
    folder = kill_stages.make_clone(tmp_path / "clone")
    clones.run(folder, "dvc", "repro")
    clones.commit(folder)
    changes = {"finetune": "finetune.unfreeze=2", "head": "train_head.dropout=0.3"}
    alone = {}
    for name, change in changes.items():
        clones.run(folder, "dvc", "exp", "run", "--set-param", change)
        alone[name] = (folder / "dvc.lock").read_text(encoding="utf-8")
        clones.run(folder, "git", "checkout", "--quiet", "--force", "HEAD")
        clones.run(folder, "dvc", "checkout", "--quiet", "--force")
    # So that they compute again.
    shutil.rmtree(folder / ".dvc" / "cache" / "runs")
    clones.experiments_at_once(folder, changes)
    for name, lock in alone.items():
        assert clones.ran(clones.run(folder, "dvc", "queue", "logs", name))
        clones.run(folder, "dvc", "exp", "apply", name)
        check_locks((folder / "dvc.lock").read_text(encoding="utf-8"), lock)
