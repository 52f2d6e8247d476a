"""What a run would take on this machine: `python -m headstart.planning [--all | --line]`."""

import argparse
import sys

from headstart.foundation.entry import run
from headstart.planning import pending, plan, table
from headstart.settings.params import load


def main() -> int:
    """Print the plan, or the line that `make run` begins with."""
    parser = argparse.ArgumentParser(prog="python -m headstart.planning", description=__doc__)
    parser.add_argument("--all", action="store_true", help="plan for stages that are up to date too")
    parser.add_argument("--line", action="store_true", help="one line for what `dvc status --json` says on the input")
    arguments = parser.parse_args()
    if arguments.line:
        print(table.line(plan.quickly(load(), pending.parse(sys.stdin.read()))))
    else:
        print("\n".join(table.lines(plan.make(load(), arguments.all))))
    return 0


if __name__ == "__main__":
    run(main)
