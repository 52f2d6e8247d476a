"""`headstart add`."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from headstart.commands.project import Place, run
from headstart.foundation.encodings import is_text_encoding
from headstart.foundation.expression import compiled
from headstart.sources.reading import AUTO, NONE, Group, Reading

EXAMPLES = """\b
examples:
  headstart add ~/pictures/birds
  headstart add ~/Downloads/archive.zip --name birds-2024
  headstart add ~/pictures/cats --pattern '(?P<class>.+)_[0-9]+[.]jpg'
"""


def _valid(check: Callable[[str], object]) -> Callable[[str], str]:
    """Turn a ValueError into Typer's usage error."""

    def checked(value: str) -> str:
        try:
            check(value)
        except ValueError as error:
            raise typer.BadParameter(f"found {value!r}, expected {error}") from None
        return value

    return checked


def _pattern(value: str) -> None:
    if value != NONE:
        compiled(value)


def _encoding(value: str) -> None:
    if value != AUTO and not is_text_encoding(value):
        raise ValueError(f"{AUTO} or a code page such as cp866, gbk or utf-8")


def add(
    path: Annotated[Path, typer.Argument(metavar="FOLDER_OR_ARCHIVE", help="Where the images are.")],
    name: Annotated[
        str | None, typer.Option(help="Name of the source; by default that of the folder or archive.")
    ] = None,
    labels: Annotated[
        str,
        typer.Option(metavar="FILE", help="Table of labels inside it: a CSV file with the columns image and label."),
    ] = AUTO,
    pattern: Annotated[
        str,
        typer.Option(
            metavar="REGEX",
            callback=_valid(_pattern),
            help="Regular expression for the images' paths, with the named groups class, group or split.",
        ),
    ] = NONE,
    group: Annotated[
        Group,
        typer.Option(
            help="What is never divided: groups by pattern or table, folders below a class, or with auto bursts and "
            "near-duplicates."
        ),
    ] = "given",
    resplit: Annotated[bool, typer.Option("--resplit", help="Ignore the splits that it comes with.")] = False,
    leave_out_empty: Annotated[
        bool, typer.Option("--leave-out-empty", help="Continue without classes that have no usable image.")
    ] = False,
    name_encoding: Annotated[
        str,
        typer.Option(
            metavar="CODE_PAGE",
            callback=_valid(_encoding),
            help="Code page of names in a zip archive that declares none, such as cp866 or gbk.",
        ),
    ] = AUTO,
) -> None:
    """Make your own images the source of the next run: check, pack and track them, point params.yaml at them.

    The folder, or zip or tar archive, may have one subfolder per class, Kaggle's flat names (cat.0.jpg), either of them
    below train/, validation/ and test/, or a CSV file of labels. The images are stored as they are in
    data/sources/NAME.zip; what is dropped is listed with reasons in data/sources/NAME.dropped.csv.

    DVC tracks the archive, and the two small files that it needs for that are staged in git; nothing is committed.
    params.yaml gets the settings of the preset that fits the images. If you have changed it yourself, it stays as it
    is, and the command that runs your settings on the new images is printed.
    """

    def work(place: Place) -> int:
        from headstart.adding.adding import add

        reading = Reading(labels, pattern, group, resplit, name_encoding, "leave_out" if leave_out_empty else "refuse")
        for line in add(place.inside(path), name, reading, place.shown(".")):
            print(line)
        return 0

    run(work)
