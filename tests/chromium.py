"""A browser to look at pages with: Debian's Chromium without a window, driven over its DevTools protocol.

The protocol runs over two pipes (``--remote-debugging-pipe``): JSON messages, each ended by a zero byte.
https://chromedevtools.github.io/devtools-protocol/
"""

import contextlib
import json
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# A quiet browser: nothing is fetched, updated or asked, and the profile is thrown away.
_OPTIONS = (
    "--headless",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)
# Where the browser reads commands from and writes answers to, as it expects them.
_READS, _WRITES = 3, 4


def find() -> str | None:
    """The path of Chromium, or of Chrome; None where neither is installed."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next(filter(None, map(shutil.which, names)), None)


class Browser:
    """One tab of a running browser; what it had to complain about is in ``complaints``."""

    def __init__(self, commands: int, answers: int) -> None:
        self.complaints: list[str] = []
        self._commands, self._answers = commands, answers
        self._pending = b""
        self._number = 0
        self._session = ""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network", "Audits"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a method of the protocol and return its result."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        while (answer := self._next()).get("id") != self._number:
            self._note(answer)
        assert "error" not in answer, answer
        return dict(answer["result"])

    def open(self, page: Path, width: int, dark: bool = False) -> None:
        """Show a file in a window of this width in CSS pixels and wait until all of it has loaded."""
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 600
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", media="screen", features=[scheme])
        self.call("Page.navigate", url=page.resolve().as_uri())
        while (event := self._next()).get("method") != "Page.loadEventFired":
            self._note(event)

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression in the page."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def screenshot(self) -> bytes:
        """The whole page as PNG."""
        import base64

        return base64.b64decode(self.call("Page.captureScreenshot", captureBeyondViewport=True)["data"])

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._pending:
            data = os.read(self._answers, 1 << 20)
            assert data, "the browser ended"
            self._pending += data
        message, _, self._pending = self._pending.partition(b"\0")
        return dict(json.loads(message))

    def _note(self, event: dict[str, Any]) -> None:
        parameters = event.get("params", {})
        match event.get("method"):
            case "Log.entryAdded" if parameters["entry"]["level"] in ("warning", "error"):
                self.complaints.append(parameters["entry"]["text"])
            case "Runtime.exceptionThrown" | "Runtime.consoleAPICalled" | "Network.loadingFailed" | "Audits.issueAdded":
                self.complaints.append(json.dumps(parameters))
            case "Network.requestWillBeSent":
                url = parameters["request"]["url"]
                if not url.startswith(("file:", "data:")):
                    self.complaints.append(f"asks for {url}")


@contextlib.contextmanager
def browser() -> Iterator[Browser]:
    """Start Chromium with a new profile; end it, and throw the profile away."""
    path = find()
    assert path
    commands_read, commands_write = os.pipe()
    answers_read, answers_write = os.pipe()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []  # Chromium can't confine root
        nowhere = os.open(os.devnull, os.O_RDWR)
        process = os.posix_spawn(
            path,
            [path, *_OPTIONS, *sandbox, f"--user-data-dir={profile}"],
            {**os.environ, "HOME": profile},
            file_actions=[
                # By way of numbers that neither pipe has.
                (os.POSIX_SPAWN_DUP2, commands_read, 93),
                (os.POSIX_SPAWN_DUP2, answers_write, 94),
                (os.POSIX_SPAWN_DUP2, 93, _READS),
                (os.POSIX_SPAWN_DUP2, 94, _WRITES),
                (os.POSIX_SPAWN_CLOSE, 93),
                (os.POSIX_SPAWN_CLOSE, 94),
                (os.POSIX_SPAWN_DUP2, nowhere, 1),
                (os.POSIX_SPAWN_DUP2, nowhere, 2),
            ],
            setpgroup=0,
        )
        for file in (commands_read, answers_write, nowhere):
            os.close(file)
        try:
            yield Browser(commands_write, answers_read)
        finally:
            os.close(commands_write)
            os.close(answers_read)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process, signal.SIGKILL)
            os.waitpid(process, 0)
