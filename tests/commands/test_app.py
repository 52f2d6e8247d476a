"""The command line as a whole: help, version, completion, wrong usage, where it works, faults of its own."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import headstart as package
from tests.command import PROJECT, headstart, make_project
from tests.pictures import fill
from tests.pipeline import ROOT

COMMANDS = ("add", "plan", "compare", "predict", "export", "mend")
# Takes long to import, and no help, completion or wrong usage needs it.
HEAVY = ("tensorflow", "keras", "numpy", "pandas", "scipy", "PIL", "yaml", "psutil", "dvc", "rich.console")


def imported(*arguments: str) -> set[str]:
    """The modules that a call of the command imports."""
    code = (
        "import atexit, sys\n"
        "atexit.register(lambda: print(*sys.modules, file=sys.stderr))\n"
        "from headstart.commands import main\n"
        "sys.argv[0] = 'headstart'\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return set(done.stderr.splitlines()[-1].split())


@pytest.mark.parametrize("arguments", [[], *([name] for name in COMMANDS)], ids=str)
def test_help_shows_examples_and_starts_fast(tmp_path: Path, arguments: list[str]) -> None:
    done = headstart(tmp_path, *arguments, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(" ".join(["Usage: headstart", *arguments]))
    example = f"\n    headstart {arguments[0] if arguments else 'add ~/pictures'}"
    assert example in done.stdout.partition("\n  example")[2]
    assert not imported(*arguments, "--help") & set(HEAVY)


def test_help_of_the_whole_names_every_command(tmp_path: Path) -> None:
    listed = headstart(tmp_path, "--help").stdout.partition("Commands:\n")[2].partition("\n\n")[0]
    assert [line.split()[0] for line in listed.splitlines()] == list(COMMANDS)


def test_the_version(tmp_path: Path) -> None:
    done = headstart(tmp_path, "--version")
    assert (done.returncode, done.stdout) == (0, f"headstart {package.__version__}\n")


@pytest.mark.parametrize(
    ("words", "expected"), [("headstart ", set(COMMANDS)), ("headstart compare --s", {"--strategy"})]
)
def test_a_shell_completes_it(tmp_path: Path, words: str, expected: set[str]) -> None:
    asked = {"_HEADSTART_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(len(words.split(" ")) - 1)}
    assert set(headstart(tmp_path, **asked).stdout.split()) == expected


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fly"], "No such command 'fly'."),
        (["--fly"], "No such option: --fly"),
        (["add"], "Missing argument 'FOLDER_OR_ARCHIVE'."),
        (["add", "a", "b"], "Got unexpected extra argument"),
        (["add", "a", "--pattern", "("], "Invalid value for '--pattern': found '(', expected a regular expression ("),
        (["add", "a", "--name-encoding", "x"], "Invalid value for '--name-encoding': found 'x', expected auto or a"),
        (["mend", "--all"], "No such option: --all"),
        (["predict", "a", "--format", "xml"], "Invalid value for '--format': "),
    ],
)
def test_wrong_usage_ends_with_2_and_one_line_that_says_what_is_wrong(
    tmp_path: Path, arguments: list[str], message: str
) -> None:
    done = headstart(tmp_path, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1].startswith(f"Error: {message}")


@pytest.mark.parametrize(("command", "code"), [(["mend"], 1), (["add", "x"], 1), (["predict", "x"], 2)])
def test_outside_a_project_it_says_so(tmp_path: Path, command: list[str], code: int) -> None:
    done = headstart(tmp_path, *command)
    line = f"error: {tmp_path}: not inside a Headstart project: run this in the folder of your clone or below it\n"
    assert (done.returncode, done.stdout, done.stderr) == (code, "", line)


def test_a_fault_of_its_own_is_one_line_and_a_traceback_on_request(tmp_path: Path) -> None:
    project = make_project(tmp_path)
    broken = "def remove_truncated(folder):\n    raise KeyError('a\\nb')\n"
    code = fill(tmp_path / "code", {"headstart/commands/truncated.py": broken.encode()})
    for path in (ROOT / "headstart").rglob("*.py"):
        copy = code / path.relative_to(ROOT)
        if not copy.exists():
            fill(code, {str(path.relative_to(ROOT)): path.read_bytes()})
    done = headstart(project, "mend", PYTHONPATH=str(code))
    line = (
        "error: a bug in Headstart: KeyError: 'a\\nb' (truncated.py, line 2): please report it with the output of "
        "HEADSTART_TRACEBACK=1\n"
    )
    assert (done.returncode, done.stdout, done.stderr) == (1, "", line)
    done = headstart(project, "mend", PYTHONPATH=str(code), HEADSTART_TRACEBACK="1")
    assert done.returncode == 1
    assert done.stderr.startswith("Traceback")


def test_an_interrupt_ends_it_in_one_line(tmp_path: Path) -> None:
    project = make_project(tmp_path)
    fill(project, {"dvc.lock": b"cut off", "stop": b""})
    slow = fill(tmp_path / "slow", {"yaml.py": b"import time\nprint('ready', flush=True)\ntime.sleep(60)\n"})
    with subprocess.Popen(
        [Path(sys.executable).parent / "headstart", "mend"],
        cwd=project,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(slow), str(ROOT)])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=60)
    assert (process.returncode, stderr) == (130, "interrupted: finished work is kept; run it again to go on\n")


def test_it_works_from_a_folder_below(tmp_path: Path) -> None:
    project = fill(tmp_path, {**PROJECT, "dvc.lock": b"cut off", "a/b/file": b""})
    done = headstart(project / "a" / "b", "mend")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("../../dvc.lock: truncated, ")
    assert not (project / "dvc.lock").exists()
