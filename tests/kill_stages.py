"""Kill every stage of `dvc repro` at random moments, many times over, and report what came of it.

    python -m tests.kill_stages --kills 200

It works in a clone of its own, with few and tiny pictures, random weights and short training, on every stage that
dvc.yaml has. An undisturbed run comes first. Then, round after round, each starting from nothing, `dvc repro` is
begun again and again and killed at random moments, several times in each stage, until it may finish. How it is killed:

    SIGINT       the whole process group, as Ctrl-C in a terminal does
    SIGTERM      the whole group, DVC alone, or the stage alone
    SIGKILL      the same

After every kill: what DVC has locked must be what the undisturbed run locked, every file that is there must hold what
it holds there, and a command that was interrupted must not have ended with 0. After every round: dvc.lock must equal
the undisturbed run's byte for byte, and nothing else may be left. Whatever fails counts as lost, and makes the exit
code 1.
"""

import argparse
import contextlib
import difflib
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from random import Random
from typing import NamedTuple, Self

import psutil
import yaml

from headstart.commands.truncated import remove_truncated
from headstart.foundation.progress import bar
from headstart.settings import params
from tests import clones
from tests.pipeline import SMALL, write_params, write_source

# Far more than an attempt takes, far less than one takes that hangs.
_SECONDS = 300
_LOOK = 0.01  # seconds between two looks at what DVC prints
_SHOWN = 20  # lines of a difference
_KILLS_A_ROUND = 4  # of each stage
# What a stage of a few seconds would never come to do otherwise: save its state now and then.
_OFTENER = {
    "headstart/training/training.py": ("_SAVE_INTERVAL = 5.0", "_SAVE_INTERVAL = 0.1"),
    "headstart/features/features.py": ("_BATCHES_A_BLOCK = 8", "_BATCHES_A_BLOCK = 1"),
}
_EPOCHS = 12
# Files that stay in the folder for continuing state: evaluate keeps what the images themselves say; stages lock one, so
# that only one of them works at a time.
KEPT = ("key", "result.json", "lock")
# Written by more than one stage, and by none of them alone: times differ from run to run.
_UNLOCKED = ("metrics/timings.json",)


class Way(NamedTuple):
    """How to kill: with which signal, and whom: "group", "dvc" or "stage"."""

    number: signal.Signals
    whom: str

    def __str__(self) -> str:
        return f"{self.number.name} {self.whom}"


WAYS = (
    Way(signal.SIGINT, "group"),
    *(Way(number, whom) for number in (signal.SIGTERM, signal.SIGKILL) for whom in ("group", "dvc", "stage")),
)


class Reference(NamedTuple):
    """An undisturbed run.

    Attributes:
        lock: dvc.lock.
        files: every other file that it leaves outside git and DVC, with its content.
        seconds: how long each stage took, DVC's share included.
    """

    lock: bytes
    files: dict[str, bytes]
    seconds: dict[str, float]


class Attempt(NamedTuple):
    """One `dvc repro` that was to be killed.

    Attributes:
        hit: the stage that was killed; None if DVC had come to its end before.
        code: DVC's exit code.
        told: what it printed.
    """

    hit: str | None
    code: int
    told: str


def make_clone(folder: Path) -> Path:
    """Make a clone whose whole pipeline takes a minute, nearly all of it the start of Python and TensorFlow."""
    clones.make(folder)
    with contextlib.chdir(folder):
        write_source(Path(SMALL["prepare.source"]))
        quick = params.read(Path("presets/quick.yaml"))
        trained = [name for name, section in quick.items() if isinstance(section, dict) and "epochs" in section]
        write_params(**{f"{name}__epochs": _EPOCHS for name in trained})
    for name, (old, new) in _OFTENER.items():
        text = (folder / name).read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{name}: no {old}"
        (folder / name).write_text(text.replace(old, new), encoding="utf-8")
    clones.commit(folder)
    return folder


def undisturbed(folder: Path) -> Reference:
    """Run the pipeline from nothing."""
    clean(folder)
    began: dict[str, float] = {}
    with Repro(folder) as repro:
        while repro.process.poll() is None:
            for stage in repro.began():
                began.setdefault(stage, time.monotonic())
            time.sleep(_LOOK)
        assert repro.process.returncode == 0, repro.told()
    ended = [*list(began.values())[1:], time.monotonic()]
    seconds = {stage: end - start for (stage, start), end in zip(began.items(), ended, strict=True)}
    return Reference((folder / "dvc.lock").read_bytes(), files(folder), seconds)


def clean(folder: Path) -> None:
    """Take away everything that was ever run, DVC's cache included."""
    clones.run(folder, "git", "clean", "-ffdxq")
    assert not (folder / "dvc.lock").exists()


def files(folder: Path) -> dict[str, bytes]:
    """Every file that a run has made, continuing state excepted, by its path."""
    found = {}
    for name in filter(None, clones.run(folder, "git", "ls-files", "-z", "--others").split("\0")):
        passed_over = name in ("dvc.lock", *_UNLOCKED) or "__pycache__" in name
        if not passed_over and not name.startswith((".dvc/", "data/working/")):
            # What a stage that is just ending takes away.
            with contextlib.suppress(FileNotFoundError):
                found[name] = (folder / name).read_bytes()
    return found


def attempt(folder: Path, reference: Reference, kills: Mapping[str, int], way: Way, random: Random) -> Attempt:
    """Run the pipeline, and kill it at some moment of the first stage that has a kill left."""
    with Repro(folder) as repro:
        hit = None
        while hit is None and (stage := repro.wait_for(lambda stage: kills.get(stage, 0) > 0)):
            with contextlib.suppress(subprocess.TimeoutExpired):
                repro.process.wait(random.uniform(0, reference.seconds[stage]))
            if repro.process.poll() is None:
                hit = repro.began()[-1]
                _kill(repro.process, way)
        # Of DVC alone: a stage that it has left behind may still be ending when the next attempt begins.
        code = repro.process.wait(_SECONDS)
        return Attempt(hit, code, repro.told())


def faults(folder: Path, reference: Reference, was: Attempt) -> Iterator[str]:
    """What is wrong after a kill."""
    expected = yaml.safe_load(reference.lock)["stages"]
    try:
        lock = yaml.safe_load((folder / "dvc.lock").read_text(encoding="utf-8")) or {}
    except FileNotFoundError:
        lock = {}
    except yaml.YAMLError:
        yield "dvc.lock is no YAML"
        lock = {}
    locked = lock.get("stages", {})
    yield from (f"{name} is locked with other results" for name in locked if locked[name] != expected[name])
    if was.code == 0 and was.hit not in locked:
        yield "ended with 0 without a result"
    for name, content in files(folder).items():
        if ".partial" not in name and reference.files.get(name) != content:
            yield f"{name} is not whole"
    # A signal may come before Python has read the stage's own code; any other error of Python's is a fault.
    yield from (line for line in re.findall(r"^\w*(?:Error|Exception)\b.*", was.told, re.MULTILINE))


def final_faults(folder: Path, reference: Reference) -> Iterator[str]:
    """Let the pipeline finish; what is wrong then."""
    with Repro(folder) as repro:
        if repro.process.wait(_SECONDS):
            yield f"did not finish: {repro.told().strip().splitlines()[-1]}"
            return
    before, after = (lock.decode().splitlines() for lock in (reference.lock, (folder / "dvc.lock").read_bytes()))
    if differences := list(difflib.unified_diff(before, after, n=0, lineterm=""))[2:]:
        yield f"dvc.lock differs: {' '.join(differences[:_SHOWN])}"
    found = files(folder)
    yield from (f"{name} is left over" for name in sorted(found.keys() - reference.files.keys()))
    yield from (f"{name} is missing" for name in sorted(reference.files.keys() - found.keys()))
    yield from (f"{name} differs" for name in sorted(found) if found[name] != reference.files.get(name, found[name]))
    yield from (f"{path.relative_to(folder)} is left over" for path in left_over(folder))


def left_over(folder: Path) -> list[Path]:
    """The files of continuing state that no finished stage leaves."""
    files = (path for path in (folder / "data" / "working").rglob("*") if path.is_file())
    return [path for path in files if path.name not in KEPT]


class Repro:
    """A running `dvc repro`, in a process group of its own, of which nothing is left at the end of a ``with`` block."""

    def __init__(self, folder: Path, *targets: str) -> None:
        # A file, since a pipe would be held open by what outlives DVC.
        self._log = tempfile.NamedTemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 - __exit__ closes it
        self.process = subprocess.Popen(
            ["dvc", "repro", *targets],
            cwd=folder,
            env=clones.environment(folder),
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self._log.close()

    def told(self) -> str:
        """What it has printed so far."""
        return Path(self._log.name).read_text(encoding="utf-8")

    def began(self) -> list[str]:
        """The stages that it has begun so far."""
        return clones.ran(self.told())

    def wait_for(self, wanted: Callable[[str], bool]) -> str | None:
        """Wait until it is at a stage that is wanted, and return that; None if it has ended without."""
        while True:
            ended = self.process.poll() is not None
            if (began := self.began()) and wanted(began[-1]):
                return None if ended else began[-1]
            if ended:
                return None
            time.sleep(_LOOK)


class Campaign:
    """Kills and what came of them, by stage and way."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self.random = Random(seed)
        self.reference = undisturbed(folder)
        self.kills: Counter[tuple[str, str]] = Counter()
        self.lost: Counter[tuple[str, str]] = Counter()
        self.faults: list[str] = []
        self.rounds = 0
        self.mended = 0

    def round(self, kills: int) -> None:
        """Start from nothing, kill every stage so often, let the pipeline finish, and look.

        A stage that has ended before its kill came can't be killed again in this round.
        """
        clean(self.folder)
        self.rounds += 1
        left = Counter(dict.fromkeys(self.reference.seconds, kills))
        struck = []
        while True:
            self.mended += len(remove_truncated(self.folder))
            way = self.random.choice(WAYS)
            was = attempt(self.folder, self.reference, left, way, self.random)
            if was.hit is None:
                break
            left[was.hit] -= 1
            struck.append((was.hit, str(way)))
            self.kills[was.hit, str(way)] += 1
            self._note(f"{was.hit}, {way}", struck[-1:], faults(self.folder, self.reference, was))
        self.mended += len(remove_truncated(self.folder))
        self._note(f"after round {self.rounds}", struck, final_faults(self.folder, self.reference))

    def _note(self, what: str, places: list[tuple[str, str]], found: Iterator[str]) -> None:
        for fault in found:
            self.faults.append(f"{what}: {fault}")
            self.lost.update(set(places))

    def table(self) -> str:
        """Kills by stage and way, with what was lost."""
        ways = [str(way) for way in WAYS]
        rows = [["", *ways, "lost"]]
        for stage in self.reference.seconds:
            counts = [str(self.kills[stage, way]) for way in ways]
            rows.append([stage, *counts, str(sum(self.lost[stage, way] for way in ways))])
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return "\n".join("  ".join(map(str.rjust, row, widths)) for row in rows)


def campaign(folder: Path, kills: int, seed: int) -> list[str]:
    """Kill so many times in all, print the table, return what was lost."""
    make_clone(folder)
    work = Campaign(folder, seed)
    with bar("kills", kills, " kills") as progress:
        while (done := work.kills.total()) < kills:
            missing = kills - done
            share = -(-missing // len(work.reference.seconds))
            work.round(min(_KILLS_A_ROUND, share))
            progress.update(work.kills.total() - done)
    print(work.table())
    print(f"{work.kills.total()} kills in {work.rounds} rounds, seed {seed}; lost: {len(work.faults)}")
    print(f"DVC's own files, cut off and removed as `make run` does: {work.mended}")
    return work.faults


def _kill(process: "subprocess.Popen[bytes]", way: Way) -> None:
    """Send a signal to DVC's group, to DVC, or to the stage that it runs; to DVC where no stage is left."""
    children = [child for child in psutil.Process(process.pid).children() if _is_stage(child)]
    with contextlib.suppress(ProcessLookupError, psutil.NoSuchProcess):
        match way.whom:
            case "group":
                os.killpg(process.pid, way.number)
            case "stage" if children:
                children[0].send_signal(way.number)
            case _:
                process.send_signal(way.number)


def _is_stage(process: psutil.Process) -> bool:
    """Whether a process runs a stage, and has not ended since it was listed."""
    try:
        return "stages." in " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return False


def main() -> int:
    """Read the command line, kill, return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.kill_stages", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--kills", type=int, default=200, help="how many in all (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="another seed draws other moments (default: %(default)s)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kill_stages.") as folder:
        lost = campaign(Path(folder) / "clone", arguments.kills, arguments.seed)
    print(*lost, sep="\n", end="\n" if lost else "")
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
