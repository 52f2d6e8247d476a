"""A terminal gets a bar; a log gets a line now and then, with the time that is left, and none of short work."""

import os
import pty
import subprocess
import sys
import termios
import textwrap
from contextlib import suppress
from pathlib import Path

import pytest
from tqdm import tqdm

from headstart.foundation import progress

ROOT = Path(__file__).parents[2]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that have passed, in its only item."""
    now = [1000.0]
    monkeypatch.setattr(tqdm, "__init__", _with_clock(tqdm.__init__, now))
    return now


def _with_clock(original: object, now: list[float]) -> object:
    def init(self: object, *arguments: object, **options: object) -> None:
        original(self, *arguments, **options)  # type: ignore[operator]
        self._time = lambda: now[0]  # type: ignore[attr-defined]
        self.start_t = self.last_print_t = now[0]  # type: ignore[attr-defined]

    return init


def test_a_log_has_a_line_every_15_seconds(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    with progress.bar("train head", 20, " epochs") as bar:
        for epoch in range(8):
            clock[0] += 6
            bar.update(1)
            bar.set_postfix_str(f"val_loss={epoch}", refresh=False)
    assert capsys.readouterr().err.splitlines() == [
        "train head: 3 of 20 epochs, 01:42 left, val_loss=1",
        "train head: 6 of 20 epochs, 01:24 left, val_loss=4",
        "train head: 8 of 20 epochs, 01:12 left, val_loss=7",
    ]


def test_without_a_total_a_line_says_how_much_is_done(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    with progress.bar("fetch", None, " files") as bar:
        clock[0] += 20
        bar.update(3)
    assert capsys.readouterr().err.splitlines()[0] == "fetch: 3 files in 00:20"


def test_short_work_leaves_a_log_alone(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    for _ in progress.track(range(5), "look", 5, " images"):
        clock[0] += 2
    assert capsys.readouterr().err == ""


def test_the_pace_is_that_of_this_run(clock: list[float]) -> None:
    with progress.bar("train head", 20, " epochs", done=10) as bar:
        assert progress.until(bar, 5) == "00:00"
        clock[0] += 8
        bar.update(2)
        assert progress.until(bar, 5) == "00:20"


def test_a_terminal_has_a_bar() -> None:
    code = """
        from headstart.foundation.progress import bar
        with bar("work", 2, " pieces") as progress:
            progress.update(2)
    """
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    try:
        subprocess.run([sys.executable, "-c", textwrap.dedent(code)], cwd=ROOT, stderr=theirs, check=True)
    finally:
        os.close(theirs)
    shown = b""
    with os.fdopen(ours, "rb", buffering=0) as terminal, suppress(OSError):  # Linux ends a terminal by an error
        while part := terminal.read(1000):
            shown += part
    assert b"\rwork: 100%|" in shown
