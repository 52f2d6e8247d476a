"""The command line as a whole: its commands, its help, its version."""

from typing import Annotated

import typer

import headstart
from headstart.commands import add, compare, export, mend, plan, predict

_EXAMPLES = """\b
examples:
  headstart add ~/pictures/birds     check, pack and track your own images
  headstart plan                     how long that would take here
  make run                           train every strategy on them and compare
  headstart compare                  the comparison again
  headstart predict ~/pictures/new   classify new images with the winner

Works in the project's folder and in every folder below it. `headstart COMMAND --help` explains a command.
"""

# No markup: Rich would break the one line of an error over several, in a box. No pretty exceptions: they are
# tracebacks, of which a user sees none.
app = typer.Typer(
    help="Find the best transfer-learning strategy for a small image set.",
    epilog=_EXAMPLES,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["--help", "-h"]},
)

app.command(epilog=add.EXAMPLES)(add.add)
app.command(epilog=plan.EXAMPLES)(plan.plan)
app.command(epilog=compare.EXAMPLES)(compare.compare)
app.command(epilog=predict.EXAMPLES)(predict.predict)
app.command(epilog=export.EXAMPLES)(export.export)
app.command(epilog=mend.EXAMPLES)(mend.mend)


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"headstart {headstart.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Options of the command itself; its help is above."""
