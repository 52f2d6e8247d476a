"""However a command ends, it says so in one line and by its exit code."""

import errno
import os
import resource
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RESUMABLE = "finished work is kept; run it again to go on"


def script(body: str) -> list[str]:
    """A command whose ``main`` has this body."""
    return [
        sys.executable,
        "-W",
        "error",
        "-c",
        "import errno, os, sys, time\n"
        "from headstart.foundation.entry import run, run_stage\n"
        "from headstart.foundation.errors import InputError\n"
        f"def main():\n{textwrap.indent(textwrap.dedent(body), '    ')}\n"
        "run(main)\n",
    ]


def end(body: str, **options: object) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a command."""
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
    done = subprocess.run(script(body), cwd=ROOT, text=True, check=False, timeout=60, **streams)  # type: ignore[call-overload]
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("code", [0, 3])
def test_the_exit_code_is_what_main_returns(code: int) -> None:
    assert end(f"print('said')\nreturn {code}") == (code, "said\n", "")


def test_bad_input_is_one_line() -> None:
    assert end("raise InputError('params.yaml:\\n  found 3')") == (1, "", "error: params.yaml: found 3\n")


def test_a_command_may_keep_1_for_a_finding_and_fail_with_2() -> None:
    for body in ("raise InputError('fault')", "raise MemoryError", "raise OSError(errno.ENOSPC, 'full')"):
        done = subprocess.run(
            [part.replace("run(main)", "run(main, 2)") for part in script(body)],
            cwd=ROOT,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 2
        assert done.stderr.startswith(b"error: ")


def test_what_was_printed_before_an_error_stays() -> None:
    assert end("print('said')\nraise InputError('fault')") == (1, "said\n", "error: fault\n")


@pytest.mark.parametrize(
    ("number", "code", "line"),
    [(signal.SIGINT, 130, f"interrupted: {RESUMABLE}\n"), (signal.SIGTERM, 143, f"terminated: {RESUMABLE}\n")],
)
def test_signals_end_it_in_order(tmp_path: Path, number: int, code: int, line: str) -> None:
    """Half a file is taken away, work that is done stays, and the exit code says that it was ended."""
    body = f"""
        from pathlib import Path
        from headstart.foundation.atomic import replacing, write_text
        write_text(Path({str(tmp_path)!r}, "done"), "done")
        with replacing(Path({str(tmp_path)!r}, "half")) as temporary:
            temporary.write_text("half")
            print("ready", flush=True)
            time.sleep(60)
        """
    command = script(body)
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        _, stderr = process.communicate(timeout=60)
    assert (process.returncode, stderr) == (code, line)
    assert [path.name for path in tmp_path.iterdir()] == ["done"]


def test_no_generator_swallows_a_signal() -> None:
    """An exception from within a generator that is thrown away would be printed and forgotten."""
    body = """
        def generator():
            try:
                yield
            finally:
                print("ready", flush=True)
                time.sleep(60)
        begun = generator()
        next(begun)
        del begun
        print("forgotten", flush=True)
        """
    with subprocess.Popen(script(body), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        stdout, stderr = process.communicate(timeout=60)
    assert (process.returncode, stdout, stderr) == (143, "", f"terminated: {RESUMABLE}\n")


def test_an_interrupt_that_an_import_ignores_still_ends_the_command(tmp_path: Path) -> None:
    """As Python's own lock of a module does, now and then."""
    (tmp_path / "psutil.py").write_text(
        "import signal\n"
        "class Ignoring:\n"
        "    def __del__(self): signal.raise_signal(signal.SIGINT)\n"
        "Ignoring()\n"
        "class Error(Exception): pass\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    command = [sys.executable, "-m", "stages.prepare", "--help"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (-signal.SIGINT, b"")


def test_a_bar_ends_before_a_signal_is_told() -> None:
    body = """
        from headstart.foundation.progress import bar
        sys.stderr.isatty = lambda: True
        with bar("work", 10, " pieces") as progress:
            progress.update(3)
            print("ready", flush=True)
            time.sleep(60)
        """
    with subprocess.Popen(script(body), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert stderr.endswith(f"\ninterrupted: {RESUMABLE}\n")


def test_a_reader_that_goes_away_is_no_news() -> None:
    command = script("for number in range(100_000):\n    print(number)\nreturn 0")
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_disk_is_told() -> None:
    line = "error: the disk is full: free some space and run it again\n"
    assert end("with open('/dev/full', 'wb', 0) as file:\n    file.write(b'x')") == (1, "", line)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_output_to_a_full_disk_is_told() -> None:
    with Path("/dev/full").open("wb") as full:
        code, _, stderr = end("print('said')\nreturn 0", stdout=full)
    assert (code, stderr) == (1, "error: the disk is full: free some space and run it again\n")


def test_a_file_that_is_too_large_is_told(tmp_path: Path) -> None:
    """Where a file system or a limit ends files at some size; nothing half written stays."""
    body = f"""
        from pathlib import Path
        from headstart.foundation.atomic import replacing
        with replacing(Path({str(tmp_path)!r}, "a.npy")) as temporary:
            temporary.write_bytes(bytes(100_000))
        """
    code, _, stderr = end(body, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000)))
    assert code == 1
    assert stderr == "error: a file is too large for its disk or for a limit: use another disk, or raise the limit\n"
    assert list(tmp_path.iterdir()) == []


def test_memory_that_runs_out_is_told() -> None:
    line = "error: out of memory: free some, or lower the batch_size of this stage in params.yaml\n"
    limit = 1 << 30
    code, _, stderr = end(
        f"bytearray({2 * limit})", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    )
    assert (code, stderr) == (1, line)


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (errno.ENOENT, "no such file: run `dvc repro`, which makes everything a stage needs"),
        (errno.ENOSPC, "the disk is full: free some space and run it again"),
        (errno.EDQUOT, "the disk quota is used up: free some space and run it again"),
        (errno.EROFS, "the file system is read-only: make it writable and run it again"),
        (errno.EACCES, "permission denied: make it accessible and run it again"),
        (errno.EPERM, "permission denied: make it accessible and run it again"),
        (errno.EIO, "the device failed to read or write: check the disk or mount and run it again"),
        (errno.EEXIST, "something else is in its place: remove or rename it, or name another place"),
        (errno.ENOTDIR, "a file where a folder is expected: remove or rename it, or name another place"),
        (errno.ENAMETOOLONG, "the name is too long: choose a shorter one"),
        (errno.ELOOP, "a symbolic link leads back to itself: remove it and run it again"),
        (errno.ESTALE, "the mount went away: mount it again and rerun"),
        (errno.ENOTCONN, "the mount went away: mount it again and rerun"),
        (errno.ENODEV, "the device went away: connect it again and rerun"),
    ],
)
def test_faults_of_the_system_are_told_with_what_to_do(number: int, advice: str) -> None:
    named = end(f"raise OSError({number}, os.strerror({number}), 'data/a.npy')")
    assert named == (1, "", f"error: data/a.npy: {advice}\n")
    assert end(f"raise OSError({number}, os.strerror({number}))") == (1, "", f"error: {advice}\n")


def test_a_missing_file_is_named() -> None:
    code, _, stderr = end("open('data/none.npy')")
    advice = "no such file: run `dvc repro`, which makes everything a stage needs"
    assert (code, stderr) == (1, f"error: data/none.npy: {advice}\n")


@pytest.mark.parametrize("body", ["raise ValueError('bug')", f"raise OSError({errno.EBADF}, 'bug')", "1 / 0"])
def test_an_error_of_ours_shows_where_it_is(body: str) -> None:
    code, _, stderr = end(body)
    assert code == 1
    assert stderr.startswith("Traceback")


def test_a_stage_explains_itself() -> None:
    command = [sys.executable, "-m", "stages.train_head", "--help"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: train_head.py [-h]\n\nTrain a new classifier ")
    assert "Its settings are in params.yaml; `dvc repro` runs it when they or its inputs change." in done.stdout


def test_an_argument_too_many_is_refused() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "stages.train_head", "--epochs=3"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "unrecognized arguments: --epochs=3" in done.stderr


def test_what_a_terminal_cannot_show_does_not_end_a_run() -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    assert end("print('caf\\u00e9')\nreturn 0", env=environment) == (0, "caf\\xe9\n", "")
