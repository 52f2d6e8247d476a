"""`headstart compare`."""

from typing import Annotated

import typer

from headstart.commands.project import Place, run
from headstart.foundation import paths
from headstart.models.strategies import Strategy

EXAMPLES = """\b
examples:
  headstart compare                     the strategies of this run
  headstart compare HEAD~1              this run against that of the commit before
  headstart compare main shady-bait     an experiment against a branch
"""


def compare(
    before: Annotated[str | None, typer.Argument(metavar="[REV]", help="The revision to compare with.")] = None,
    after: Annotated[
        str | None, typer.Argument(metavar="[REV2]", help="The later revision; without it, the files as they are.")
    ] = None,
    strategy: Annotated[Strategy | None, typer.Option(help="Compare this strategy only.")] = None,
    every_image: Annotated[
        bool, typer.Option("--all", help="List every image that was fixed or broken, not only the first ten.")
    ] = False,
) -> None:
    """Print the comparison again, or compare two revisions image by image.

    Without a revision: the table of strategies, which differences are significant, and the path of the page.
    With one: how each strategy's predictions changed since then. With two: from the first to the second. A revision is
    a commit, a branch, a tag, or an experiment of `dvc exp show`.
    """

    def work(place: Place) -> int:
        from headstart.page import console

        if before:
            console.show_revisions(before, after, strategy, every_image)
        else:
            console.show_strategies()
            print(f"The page: {place.shown(paths.PAGE)}")
        return 0

    run(work)
