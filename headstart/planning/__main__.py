"""What a run would take on this machine: `python -m headstart.planning [--all]`."""

import argparse

from headstart.foundation.entry import run
from headstart.planning import plan, table
from headstart.settings.params import load


def main() -> int:
    """Print the plan."""
    parser = argparse.ArgumentParser(prog="python -m headstart.planning", description=__doc__)
    parser.add_argument("--all", action="store_true", help="plan for stages that are up to date too")
    print("\n".join(table.lines(plan.make(load(), parser.parse_args().all))))
    return 0


if __name__ == "__main__":
    run(main)
