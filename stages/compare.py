"""Print the comparison again, or compare two revisions image by image.

Without a revision: the table of strategies, which differences between them are real, and the path of the page.
With one: what became of each strategy's answers since then. With two: from the first to the second. A revision is a
commit, a branch, a tag, or an experiment of `dvc exp show`.
"""

import argparse

from headstart.foundation import paths
from headstart.foundation.entry import run
from headstart.foundation.errors import InputError
from headstart.models.strategies import STRATEGIES
from headstart.page import provenance, revisions, summary
from headstart.scoring import cost, predictions, results
from headstart.statistics.paired import compare_revisions

_EXAMPLES = """examples:
  python -m stages.compare                   the strategies of this run
  python -m stages.compare HEAD~1            this run against that of the commit before
  python -m stages.compare main shady-bait   an experiment against a branch
"""


def main() -> int:
    """Read the command line and print what it asks for."""
    arguments = _parser().parse_args()
    if arguments.before:
        show_revisions(arguments.before, arguments.after, arguments.strategy, arguments.all)
    else:
        show_strategies()
    return 0


def show_strategies() -> None:
    """Print the table and the verdicts, and where the page is."""
    metrics = results.read()
    predicted = {name: predictions.read(paths.METRICS / name / "predictions.csv") for name in metrics}
    seconds = {name: cost.training_seconds(name) for name in metrics}
    summary.show(metrics, predicted, seconds, results.repeats(metrics))
    provenance.show(provenance.of_run(metrics))
    print(f"The page: {paths.PAGE}")


def show_revisions(before: str, after: str | None, strategy: str | None, every_image: bool) -> None:
    """Print, strategy by strategy, which test images were fixed and broken, and whether the difference is real.

    Args:
        before: a revision.
        after: another one; None for the files as they are now.
        strategy: the only one to compare; None for every one that both revisions have.
        every_image: whether to name every image, not only the first few.

    Raises:
        InputError: a revision doesn't exist, or the two have no strategy in common.
    """
    later = after or "the files as they are"
    compared = False
    for name in [strategy] if strategy else STRATEGIES:
        old, new = revisions.read(name, before), revisions.read(name, after)
        if old and new:
            summary.show_change(name, compare_revisions(old.answers, new.answers), every_image)
            made = {before: revisions.describe(name, before), later: revisions.describe(name, after)}
            provenance.show({told: provenance.of(model) for told, model in made.items()})
            compared = True
        elif old or new:
            print(f"{name}: no predictions in {later if old else before}")
    if not compared:
        raise InputError(
            f"{before} and {later}: no predictions of {strategy or 'a strategy'} in both: run `dvc fetch "
            "--all-commits` if they were computed elsewhere, otherwise check a revision out and run `dvc repro`"
        )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m stages.compare",
        description=__doc__,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("before", metavar="REV", nargs="?", help="the revision to compare with")
    parser.add_argument(
        "after", metavar="REV2", nargs="?", help="the later revision; without it, the files as they are"
    )
    parser.add_argument("--strategy", choices=STRATEGIES, help="compare this one only")
    parser.add_argument(
        "--all", action="store_true", help="name every image that was fixed or broken, not the first ten"
    )
    return parser


if __name__ == "__main__":
    run(main)
