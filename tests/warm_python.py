"""Runs `python -m stages.NAME`, `headstart` and `dvc` in forks of one process that has imported what they import.

For tests that run dozens of them: what they do is the same, but most of their time is importing TensorFlow and DVC.
`serve` keeps the process; in the folder that `running` yields, a `python`, a `headstart` and a `dvc` ask it for a fork,
and everything else goes to Python itself; a `make` gives a clone an environment with them.
"""

import contextlib
import gc
import importlib
import json
import os
import runpy
import shutil
import signal
import socket
import subprocess
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.pipeline import ROOT

_FILES = 3  # stdin, stdout, stderr
# What stages import of other libraries, beside TensorFlow, and what DVC imports of itself.
_LIBRARIES = ("matplotlib.figure", "pandas", "PIL.Image", "scipy.stats", "sklearn.linear_model", "sklearn.metrics")
_DVC = ("dvc.cli.parser", "dvc.api", "dvc.repo.reproduce", "dvc.repo.experiments.executor.local")
_TOOLS = ("python", "headstart", "dvc")
_CLIENT = """\
#!{python} -SE
import json, os, socket, sys
tool, *arguments = [os.path.join({binaries!r}, os.path.basename(sys.argv[0])), *sys.argv[1:]]
is_stage = arguments[:1] == ["-m"] and "".join(arguments[1:2]).startswith("stages.")
# A plan measures how much memory a process takes.
is_warm = is_stage if tool.endswith("python") else arguments[:1] != ["plan"]
if not is_warm:
    os.execv(tool, [tool, *arguments])
with socket.socket(socket.AF_UNIX) as server:
    server.connect({address!r})
    asked = {{"tool": tool, "arguments": arguments, "folder": os.getcwd(), "environment": dict(os.environ)}}
    message = json.dumps(asked).encode()
    socket.send_fds(server, [len(message).to_bytes(4, "big")], [0, 1, 2])
    server.sendall(message)
    answer = server.recv(1)
sys.exit(answer[0] if answer else 1)
"""
_MAKE = """\
#!/bin/sh
# In a clone, the environment is this one, but for its python. It is newer than what it is made of: nothing to install.
if [ -f requirements.lock ] && [ ! -e .venv ]; then
    mkdir -p .venv/bin && ln -s {environment}/bin/* .venv/bin/
    ln -sf {tools}/python {tools}/headstart {tools}/dvc .venv/bin/
    ln -s {environment}/lib {environment}/pyvenv.cfg .venv/
    touch --date @0 requirements.lock pyproject.toml
    touch --date @1 .venv/installed
fi
exec {make} "$@"
"""


@contextmanager
def running(folder: Path) -> Iterator[Path]:
    """Keep such a process for as long as the block lasts; yield a folder to put in front of PATH.

    The modules of Headstart that start TensorFlow are this checkout's, also in a clone.
    """
    address = folder / "socket"
    tools = folder / "bin"
    tools.mkdir()
    binaries = str(Path(sys.executable).parent)
    client = _CLIENT.format(python=sys.executable, binaries=binaries, address=str(address))
    for name in _TOOLS:
        (tools / name).write_text(client, encoding="utf-8")
    (tools / "make").write_text(_MAKE.format(environment=sys.prefix, tools=tools, make=shutil.which("make")), "utf-8")
    for tool in tools.iterdir():
        tool.chmod(0o755)
    command = [sys.executable, "-m", "tests.warm_python", str(address)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        assert server.stdout.readline() == "ready\n"
        try:
            yield tools
        finally:
            server.kill()


def serve(address: str) -> None:
    """Fork for whoever asks, until killed."""
    from headstart.base import runtime

    runtime.start(seed=0)
    for library in (*_LIBRARIES, *_DVC):
        importlib.import_module(library)
    # No fork need look through it for garbage, or copy it when it does.
    gc.freeze()
    # Nobody waits for the forks: they answer by themselves.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(address)
        listening.listen()
        print("ready", flush=True)
        while True:
            asking, _ = listening.accept()
            if os.fork() == 0:
                listening.close()
                code = 1
                try:
                    code = _answer(asking)
                finally:
                    asking.sendall(bytes([code]))
                    os._exit(code)
            asking.close()


def _answer(asking: socket.socket) -> int:
    """Run what is asked for, in this process, and return its exit code."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    length, files, _, _ = socket.recv_fds(asking, 4, _FILES)
    with asking.makefile("rb") as stream:
        asked = json.loads(stream.read(int.from_bytes(length, "big")))
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    # Text streams remember what kind of file they were opened on.
    sys.stdout, sys.stderr = (open(number, "w", encoding="utf-8", closefd=False) for number in (1, 2))  # noqa: SIM115
    os.chdir(asked["folder"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    sys.path.insert(0, asked["folder"])
    try:
        if asked["tool"].endswith("python"):
            _, module, *arguments = asked["arguments"]
            sys.argv = [module, *arguments]
            runpy.run_module(module, run_name="__main__", alter_sys=True)
        else:
            sys.argv = [asked["tool"], *asked["arguments"]]
            runpy.run_path(asked["tool"], run_name="__main__")
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(bool(ended.code))
    except BaseException:
        traceback.print_exc()
        return 1
    finally:
        for output in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError):
                output.flush()
    return 0


if __name__ == "__main__":
    serve(sys.argv[1])
