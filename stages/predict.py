r"""Tell what the winner of the comparison, or another strategy, sees in images of your own.

Each file gives one line: its path, the predicted class, the calibrated probability of that class, why the file
could not be used as an image, where its heat map is, and the probability of each class. Folders are searched at any
depth; links in them are not followed, and hidden files, and such as systems leave, are passed over and counted on
stderr. Images are JPEG, PNG, GIF, WebP, BMP or TIFF, whatever their names. A name that is no UTF-8 is shown with
\udcXX in place of each such byte.
"""

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO

from headstart.base import runtime
from headstart.deploying import inputs, own_images
from headstart.deploying.classification import classify
from headstart.deploying.classified import FORMATS, Classified
from headstart.deploying.inputs import Inputs
from headstart.foundation.atomic import replacing
from headstart.foundation.entry import run
from headstart.foundation.errors import InputError
from headstart.foundation.wording import count
from headstart.models import predictor
from headstart.models.strategies import STRATEGIES
from headstart.scoring import winner
from headstart.sources import dropped
from headstart.sources.source import Dropped

# What `grep` and `diff` report, too: 1 is a finding, 2 is trouble.
SOME_UNREADABLE, FAILED = 1, 2

_EPILOG = """exit code:
  0 every file was predicted
  1 some could not be used as images; the others were predicted
  2 nothing was predicted: wrong usage, no such model, no files

examples:
  python -m stages.predict photo.jpg ~/pictures/birds
  python -m stages.predict ~/pictures/birds --output birds.csv --heat-maps birds-explained
  python -m stages.predict ~/pictures/birds --strategy head --format json | jq '.[].predicted'
"""


def main() -> int:
    """Read the command line, predict, say on stderr what could not be used."""
    arguments = _parser().parse_args()
    if arguments.output and arguments.output.exists() and not arguments.output.is_file():
        raise InputError(f"--output: {arguments.output}: no regular file: name one, or leave it out for stdout")
    trained = winner.find(arguments.strategy)
    found = inputs.gather(arguments.paths)
    if not found.files:
        raise InputError(f"no files in {', '.join(map(str, arguments.paths))}{_hidden(found)}: name images or folders")
    runtime.start(seed=0)
    model = predictor.load(*trained)
    if arguments.heat_maps:
        own_images.check(model.assembled, arguments.heat_maps)
    refused: list[Dropped] = []
    with ExitStack() as stack:
        out = _open(arguments.output, stack)
        rows = _noting(classify(found.files, model, arguments.heat_maps), refused)
        FORMATS[arguments.format](rows, model.classes, out)
    for line in report(found, refused):
        print(line, file=sys.stderr)
    return SOME_UNREADABLE if refused else 0


def report(found: Inputs, refused: Sequence[Dropped]) -> list[str]:
    """What a person is told of the files: how many there were, and why some could not be used."""
    lines = [f"{count(len(found.files), 'file')}: {len(found.files) - len(refused):,} predicted{_hidden(found)}"]
    if refused:
        lines += [f"{len(refused):,} could not be used as images:", *(f"  {line}" for line in dropped.summary(refused))]
    return lines


def _noting(rows: Iterable[Classified], refused: list[Dropped]) -> Iterator[Classified]:
    for row in rows:
        if row.problem:
            refused.append(Dropped(row.path, "", row.problem))
        yield row


def _hidden(found: Inputs) -> str:
    return f" ({found.passed_over:,} hidden passed over)" if found.passed_over else ""


def _open(path: Path | None, stack: ExitStack) -> IO[str]:
    """Open the output: a file that is there once all of it is written, or stdout. UTF-8, line ends as they are."""
    if path is None:
        sys.stdout.reconfigure(encoding="utf-8", newline="")  # type: ignore[union-attr]
        return sys.stdout
    temporary = stack.enter_context(replacing(path))
    return stack.enter_context(temporary.open("w", encoding="utf-8", newline=""))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m stages.predict",
        description=__doc__,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("paths", metavar="IMAGE_OR_FOLDER", nargs="+", type=Path, help="what to look at")
    parser.add_argument("--strategy", choices=STRATEGIES, help="predict with this one, not with the winner")
    parser.add_argument("--output", metavar="FILE", type=Path, help="write there, all or nothing, not to stdout")
    parser.add_argument("--format", choices=FORMATS, default="csv", help="csv (the default) or json")
    parser.add_argument(
        "--heat-maps", metavar="FOLDER", type=Path, help="write there what each answer rests on, a picture an image"
    )
    return parser


if __name__ == "__main__":
    run(main, FAILED)
