"""Programs that are killed between two calls to the system, as a power cut or the system itself may do it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.pipeline import ROOT

# Python tells its audit hooks of each of these calls before it makes it.
_HOOK = """
import os, signal, sys

left = int(sys.argv.pop(1))

def kill(event, arguments):
    global left
    changes = event in ("os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.truncate")
    writes = event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
    if changes or writes:
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

"""


def is_killed(program: str, step: int, *arguments: str, folder: Path = ROOT) -> bool:
    """Run a Python program and kill it just before it changes a file or folder for the ``step``-th time, from 1.

    Args:
        program: its source. What it imports comes first, and is not counted where a comment ``# steps`` follows it.
        step: when.
        *arguments: its command line, in ``sys.argv[1:]``.
        folder: where it runs, made where there is none.

    Returns:
        Whether it came so far; if not, it has ended without an error.
    """
    imports, _, rest = program.partition("# steps\n")
    code = f"{imports}{_HOOK}sys.addaudithook(kill)\n{rest}"
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-c", code, str(step), *arguments]
    process = subprocess.run(command, cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False)
    assert process.returncode in (0, -signal.SIGKILL)
    return process.returncode != 0
