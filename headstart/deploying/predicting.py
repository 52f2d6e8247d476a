"""Predictions for new images by the winner of the comparison, or another strategy: from files to a table."""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, NamedTuple

from headstart.base import runtime
from headstart.deploying import inputs, own_images
from headstart.deploying.classification import classify
from headstart.deploying.classified import FORMATS, Classified
from headstart.deploying.inputs import Inputs
from headstart.foundation.atomic import replacing
from headstart.foundation.errors import InputError
from headstart.foundation.wording import count
from headstart.models import predictor
from headstart.scoring import winner
from headstart.sources import dropped
from headstart.sources.source import Dropped

ALL_PREDICTED, SOME_UNREADABLE = 0, 1


class Answers(NamedTuple):
    """How the predictions are to be written."""

    form: str = "csv"  # one of ``FORMATS``
    output: Path | None = None  # the file to write; None for stdout
    heat_maps: Path | None = None  # the folder for pictures of what each answer rests on; None for none


def predict(
    paths: Sequence[Path], strategy: str | None, answers: Answers, shown: Callable[[str], str] = lambda path: path
) -> int:
    """Predict every file of ``paths``, images and folders, write the answers, say on stderr what could not be used.

    The model is that of ``strategy``, or of the winner; ``shown`` writes a path for the user.

    Returns:
        ``ALL_PREDICTED``, or ``SOME_UNREADABLE`` if some could not be used as images.

    Raises:
        InputError: there is no such model, there are no files, or the output can't be written.
    """
    output, heat_maps = answers.output, answers.heat_maps
    if output and output.exists() and not output.is_file():
        raise InputError(f"--output: {shown(str(output))}: not a regular file: name one, or leave it out for stdout")
    trained = winner.find(strategy)
    found = inputs.gather(paths)
    if not found.files:
        asked = ", ".join(shown(str(path)) for path in paths)
        raise InputError(f"no files in {asked}{_hidden(found)}: name images or folders")
    runtime.start(seed=0)
    model = predictor.load(*trained)
    if heat_maps:
        own_images.check(model.assembled, heat_maps)
    refused: list[Dropped] = []
    with ExitStack() as stack:
        out = _open(answers, stack)
        rows = _noting(classify(found.files, model, heat_maps), refused, shown)
        FORMATS[answers.form](rows, model.classes, out)
    for line in report(found, refused):
        print(line, file=sys.stderr)
    return SOME_UNREADABLE if refused else ALL_PREDICTED


def report(found: Inputs, refused: Sequence[Dropped]) -> list[str]:
    """Lines about the files: how many there were, and why some could not be used."""
    lines = [f"{count(len(found.files), 'file')}: {len(found.files) - len(refused):,} predicted{_hidden(found)}"]
    if refused:
        lines += [f"{len(refused):,} could not be used as images:", *(f"  {line}" for line in dropped.summary(refused))]
    return lines


def _noting(rows: Iterable[Classified], refused: list[Dropped], shown: Callable[[str], str]) -> Iterator[Classified]:
    for row in rows:
        named = row._replace(path=shown(row.path), heat_map=row.heat_map and shown(row.heat_map))
        if named.problem:
            refused.append(Dropped(named.path, "", named.problem))
        yield named


def _hidden(found: Inputs) -> str:
    return f" ({found.passed_over:,} hidden skipped)" if found.passed_over else ""


def _open(answers: Answers, stack: ExitStack) -> IO[str]:
    """Open the output: a file that is there once all of it is written, or stdout. UTF-8, line ends as they are.

    A CSV file begins with a byte-order mark: without it, Excel takes its names for those of an old code page. What
    reads stdout is a program, to which the mark would be a part of the first column's name.
    """
    if answers.output is None:
        sys.stdout.reconfigure(encoding="utf-8", newline="")  # type: ignore[union-attr]
        return sys.stdout
    temporary = stack.enter_context(replacing(answers.output))
    encoding = "utf-8-sig" if answers.form == "csv" else "utf-8"
    return stack.enter_context(temporary.open("w", encoding=encoding, newline=""))
