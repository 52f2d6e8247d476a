"""The shell commands that the documents show, each with the place where it stands."""

import re
import subprocess
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

# What a fenced block of commands is called. One of another name, or of none, holds commands if it begins like one.
_SHELL = {"sh", "bash", "shell", "console"}
_BEGINS = re.compile(r"(\$ )?(make|headstart|dvc|git|python3?|pip|cp|mv|cd|mkdir|source|\.|export|[A-Z_]+=\S+)(?=\s|$)")
_FENCE = re.compile(r"(?P<indent> *)(?P<fence>`{3,}|~{3,})\s*(?P<name>\w*)")


class Command(NamedTuple):
    """A command of a document.

    Attributes:
        document: its name.
        block: the line that its block begins on: a reader may do each block in another place.
        line: the line that the command begins on.
        text: the command as it stands there.
    """

    document: str
    block: int
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.document}:{self.line}: {self.text}"


class _Block(NamedTuple):
    line: int
    name: str
    lines: list[str]


def commands(path: Path, name: str) -> list[Command]:
    """Return the commands of a document's blocks, fenced or indented, in their order."""
    found = []
    for block in _blocks(path.read_text(encoding="utf-8").splitlines()):
        first = next((line for line in block.lines if line.strip()), "")
        if block.name in _SHELL or _BEGINS.match(first):
            found += [Command(name, block.line, block.line + start, text) for start, text in _split(block.lines)]
    return found


def _blocks(lines: list[str]) -> Iterator[_Block]:
    number = 0
    while number < len(lines):
        if fence := _FENCE.match(lines[number]):
            end = next(
                (later for later in range(number + 1, len(lines)) if lines[later].strip() == fence["fence"]), len(lines)
            )
            inside = [line.removeprefix(fence["indent"]) for line in lines[number + 1 : end]]
            yield _Block(number + 2, fence["name"], inside)
            number = end + 1
        elif lines[number].startswith("    ") and (number == 0 or not lines[number - 1].strip()):
            end = next(
                (later for later in range(number, len(lines)) if not lines[later].startswith("    ")), len(lines)
            )
            yield _Block(number + 1, "", textwrap.dedent("\n".join(lines[number:end])).splitlines())
            number = end
        else:
            number += 1


def _split(lines: list[str]) -> Iterator[tuple[int, str]]:
    """Divide a block into what bash takes for whole commands; a line that goes on belongs to the next."""
    start, text = 0, ""
    for number, line in enumerate(lines):
        text = f"{text}\n{line}" if text else line.removeprefix("$ ")
        # It says so of what is incomplete, and warns of a here-document without an end.
        said = subprocess.run(["bash", "-n", "-c", text], capture_output=True, check=False).stderr
        if (said or text.endswith("\\")) and number + 1 < len(lines):
            continue
        if not re.fullmatch(r"(\s*#.*|\s*)", text):
            yield start, text
        start, text = number + 1, ""
