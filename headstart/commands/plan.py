"""`headstart plan`."""

from typing import Annotated

import typer

from headstart.commands.project import Place, run

EXAMPLES = """\b
examples:
  headstart plan                        what `make run` would take, for the stages that would run
  headstart plan --all                  what the whole pipeline takes, up to date or not
"""


def plan(
    every_stage: Annotated[bool, typer.Option("--all", help="Plan for stages that are up to date too.")] = False,
    line: Annotated[
        bool, typer.Option("--line", hidden=True, help="One line about `dvc status --json` on the input.")
    ] = False,
) -> None:
    """Say what a run would take on this machine: time, memory and disk, stage by stage.

    Times come from the settings in params.yaml, the number of images and a measurement of this machine, which takes
    about twenty seconds, once. Early stopping makes them uncertain, so the likely time and the maximum are given.
    Other work on the machine counts, so measure it as busy as it will be. Nothing is changed.
    """

    def work(place: Place) -> int:
        from headstart.planning import plan, table
        from headstart.settings.params import load

        if line:
            _first_line()
        else:
            print("\n".join(table.lines(plan.make(load(), every_stage))))
        return 0

    run(work)


def _first_line() -> None:
    import sys
    from contextlib import suppress

    from headstart.foundation.errors import InputError
    from headstart.planning import pending, plan, table
    from headstart.settings.params import load

    # What is wrong, the stage that it concerns says as well: this must not end a run that works, nor tell it twice.
    with suppress(InputError):
        print(table.line(plan.quickly(load(), pending.parse(sys.stdin.read()))), flush=True)
