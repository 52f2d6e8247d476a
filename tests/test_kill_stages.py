"""Ended at any moment, a stage leaves nothing half done and goes on to the same bytes.

A kill of most stages; `python -m tests.kill_stages` is the same through DVC, for as long as one likes.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

from tests import clones, kill_stages
from tests.kill_stages import Repro, left_over
from tests.pipeline import DEFINED, ROOT, STAGES, Finished

pytest_plugins = ["tests.pipeline_fixtures"]

# Of the trainings, which share a loop, those with most to lose; the long form kills all of them.
_SPARED = ("train_scratch_augmented", "train_probe", "train_head", "train_augmented")
KILLED = [stage for stage in STAGES if stage not in _SPARED]
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
# An undisturbed stage takes so many times what printing its help takes, which is where TensorFlow isn't imported.
TIMES_ITS_HELP = 6


def begin(stage: str, folder: Path, *arguments: str, python: str = sys.executable) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [python, "-m", f"stages.{stage}", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def results(stage: str, folder: Path) -> list[Path]:
    """Outputs and metrics of a stage, as paths in a folder."""
    entries = [entry for kind in ("outs", "metrics") for entry in DEFINED[stage].get(kind, [])]
    return [folder / (next(iter(entry)) if isinstance(entry, dict) else entry) for entry in entries]


def contents(stage: str, folder: Path) -> dict[str, bytes]:
    """Every file of a stage's results, by path; what is being written is none."""
    found = [path for result in results(stage, folder) for path in (result, *result.rglob("*")) if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def take_away(stage: str, folder: Path) -> None:
    """What DVC does before it runs a stage."""
    for result in results(stage, folder):
        if result.is_dir():
            shutil.rmtree(result)
        else:
            result.unlink(missing_ok=True)


def kill_and_finish(
    stage: str, folder: Path, number: signal.Signals, seconds: float, expected: Mapping[str, bytes], warm: str
) -> Iterator[str]:
    """Kill a stage after a while, let it finish then, by the Python ``warm``; yield what is wrong."""
    take_away(stage, folder)
    with begin(stage, folder) as process:
        time.sleep(seconds)
        ended = process.poll() is not None
        process.send_signal(number)
    if not ended and process.returncode == 0 and contents(stage, folder) != expected:
        yield f"{number.name}: ended with 0 without its results"
    if any(content != expected.get(name) for name, content in contents(stage, folder).items()):
        yield f"{number.name}: left a half-written result"
    take_away(stage, folder)
    with begin(stage, folder, python=warm) as process:
        _, told = process.communicate()
    if process.returncode:
        yield f"does not finish: {told}"
    if contents(stage, folder) != expected:
        yield "finishes with other results"
    yield from (f"{path} is left over" for path in folder.rglob("*") if ".partial" in path.name)
    yield from (f"{path} is left over" for path in left_over(folder))


def test_killed_stages_finish_with_the_same_bytes(finished: Finished, tmp_path: Path, warm_path: str) -> None:
    started = time.monotonic()
    with begin("train_head", tmp_path, "--help") as process:
        process.communicate()
    seconds = TIMES_ITS_HELP * (time.monotonic() - started)

    warm = shutil.which("python", path=warm_path)
    assert warm

    def of(place: int, stage: str) -> list[str]:
        # Of its own: stages of one folder wait for one another.
        folder = tmp_path / stage
        shutil.copytree(finished.folder, folder, copy_function=os.link)
        number, moment = SIGNALS[place % len(SIGNALS)], Random(place).uniform(0, seconds)
        found = kill_and_finish(stage, folder, number, moment, contents(stage, folder), warm)
        return [f"{stage}: {fault}" for fault in found]

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        assert [fault for found in pool.map(of, *zip(*enumerate(KILLED), strict=True)) for fault in found] == []


def test_dvc_locks_no_stage_that_was_killed(tmp_path: Path) -> None:
    """As a person does it, with Ctrl-C, on the stage that takes the least."""
    folder = kill_stages.make_clone(tmp_path / "clone")
    for number in SIGNALS:
        with Repro(folder, "prepare") as repro:
            assert repro.wait_for(lambda stage: stage == "prepare")
            time.sleep(0.3)  # Python is still importing, or has just begun
            os.killpg(repro.process.pid, number)
            assert repro.process.wait() != 0
        assert not (folder / "dvc.lock").exists()
    output = clones.run(folder, "dvc", "repro", "prepare")
    assert clones.ran(output) == ["prepare"]
    assert not list((folder / "data").glob(".*"))
