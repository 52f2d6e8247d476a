"""`headstart predict`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from headstart.commands.project import Place, run
from headstart.models.strategies import Strategy

# As with `grep` and `diff`: 1 is a finding, here files that are no images, 2 is an error.
_FAILED = 2

EXAMPLES = """\b
exit code:
  0  every file was predicted
  1  some could not be used as images; the others were predicted
  2  nothing was predicted: wrong usage, no such model, no files

\b
examples:
  headstart predict photo.jpg ~/pictures/birds
  headstart predict ~/pictures/birds --output birds.csv --heat-maps birds-explained
  headstart predict ~/pictures/birds --strategy head --format json | jq '.[].predicted'
"""


def predict(
    paths: Annotated[list[Path], typer.Argument(metavar="IMAGE_OR_FOLDER", help="Images, or folders of images.")],
    strategy: Annotated[Strategy | None, typer.Option(help="Predict with this strategy instead of the winner.")] = None,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write to this file, all or nothing, instead of stdout.")
    ] = None,
    form: Annotated[Literal["csv", "json"], typer.Option("--format", help="Format of the predictions.")] = "csv",
    heat_maps: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Write heat maps to this folder, one picture per image."),
    ] = None,
) -> None:
    r"""Predict the classes of your own images with the winner of the comparison, or with another strategy.

    Each file gives one row: its path, the predicted class, the calibrated probability of that class, why the file
    could not be used as an image, where its heat map is, and the probability of each class. Folders are searched at
    any depth; links in them are not followed, and hidden and system files are skipped and counted on stderr. A name
    that is not UTF-8 is shown with \udcXX in place of each such byte. A CSV file begins with a
    byte-order mark, so that spreadsheets read its names as UTF-8.
    """

    def work(place: Place) -> int:
        from headstart.deploying.predicting import Answers, predict

        answers = Answers(form, place.inside(output) if output else None, heat_maps and place.inside(heat_maps))
        return predict([place.inside(path) for path in paths], strategy, answers, place.shown)

    run(work, _FAILED)
