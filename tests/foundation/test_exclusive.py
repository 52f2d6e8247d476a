"""Two stages never work in one folder at once, and none outlives the DVC that started it."""

import errno
import fcntl
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from headstart.foundation.exclusive import LOCK, exclusive

ROOT = Path(__file__).parents[2]
STAGE = """
import sys, time
from pathlib import Path
from headstart.foundation import entry, paths
sys.argv[1:], (folder, seconds) = [], sys.argv[1:]
paths.DATA = Path(folder)

def main():
    print("at work", flush=True)
    time.sleep(float(seconds))

entry.run_stage(main, "A stage.")
"""
PARENT = "import subprocess, sys; subprocess.run([sys.executable, *sys.argv[1:]])"


def begin(*command: str, **environment: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", *command],
        cwd=ROOT,
        env={**{name: value for name, value in os.environ.items() if name != "DVC_STAGE"}, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout
    return process.stdout.readline()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_the_second_waits_until_the_first_has_ended(tmp_path: Path, number: signal.Signals) -> None:
    first = begin(STAGE, str(tmp_path), "60")
    assert line(first) == "at work\n"
    with begin(STAGE, str(tmp_path), "0") as second:
        assert second.stderr
        assert second.stderr.readline() == (f"another stage is still at work in {tmp_path}: waiting for it to end\n")
        assert second.poll() is None
        first.send_signal(number)
        assert line(second) == "at work\n"
    assert second.returncode == 0
    first.communicate()
    assert [path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file()] == [LOCK]


def test_where_nothing_can_be_written_a_stage_works_without(as_nobody: Path) -> None:
    """A stage that can't write a result says so itself, in better words."""
    as_nobody.chmod(0o555)
    with exclusive(as_nobody):
        assert list(as_nobody.iterdir()) == []


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_where_no_file_can_be_locked_a_stage_works_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """As some network file systems answer."""

    def flock(descriptor: int, operation: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", flock)
    with exclusive(tmp_path):
        pass


def test_others_can_lock_it_too(tmp_path: Path) -> None:
    """Whoever came first, and whatever rights that one gives to new files."""
    before = os.umask(0o077)
    try:
        with exclusive(tmp_path):
            assert (tmp_path / LOCK).stat().st_mode & 0o777 == 0o666
    finally:
        os.umask(before)


def test_an_error_of_the_stage_stays_its_own(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="of the stage"), exclusive(tmp_path):
        raise OSError("of the stage")
    with exclusive(tmp_path):
        pass


def test_one_that_waits_can_be_ended(tmp_path: Path) -> None:
    with begin(STAGE, str(tmp_path), "60") as first:
        assert line(first) == "at work\n"
        with begin(STAGE, str(tmp_path), "0") as second:
            assert second.stderr
            second.stderr.readline()
            second.send_signal(signal.SIGINT)
            assert second.stderr.read() == "interrupted: finished work is kept; run it again to go on\n"
        assert second.returncode == 130
        first.kill()


def test_in_two_folders_they_work_at_once(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("one", "two", "not there")]
    for folder in folders[:2]:
        folder.mkdir()
    processes = [begin(STAGE, str(folder), "60") for folder in folders]
    assert [line(process) for process in processes] == ["at work\n"] * 3
    for process in processes:
        process.kill()
        process.communicate()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent has ended")
@pytest.mark.parametrize(("environment", "outlives"), [({"DVC_STAGE": "train_head"}, False), ({}, True)])
def test_a_stage_ends_with_the_dvc_that_started_it(tmp_path: Path, environment: dict[str, str], outlives: bool) -> None:
    started = time.monotonic()
    with begin(PARENT, "-c", STAGE, str(tmp_path), "3", **environment) as parent:
        assert line(parent) == "at work\n"
        parent.kill()
        assert parent.stderr
        # Ends when the stage, which has inherited it, ends.
        told = parent.stderr.read()
    assert told == ("" if outlives else "terminated: finished work is kept; run it again to go on\n")
    assert (time.monotonic() - started > 3) is outlives
