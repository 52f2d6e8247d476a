"""The comparison in the terminal: the strategies of this run, or what changed between two revisions."""

from headstart.foundation import paths
from headstart.foundation.errors import InputError
from headstart.models.strategies import STRATEGIES
from headstart.page import provenance, summary
from headstart.page.revisions import Revision
from headstart.scoring import cost, predictions, results
from headstart.statistics.paired import compare_revisions


def show_strategies() -> None:
    """Print the table and the verdicts."""
    metrics = results.read()
    predicted = {name: predictions.read(paths.METRICS / name / "predictions.csv") for name in metrics}
    seconds = {name: cost.training_seconds(name) for name in metrics}
    summary.show(metrics, predicted, seconds, results.repeats(metrics))
    provenance.show(provenance.of_run(metrics))


def show_revisions(before: str, after: str | None, strategy: str | None, every_image: bool) -> None:
    """Print, strategy by strategy, which test images were fixed and broken, and whether the difference is significant.

    Args:
        before: a revision.
        after: another one; None for the files as they are now.
        strategy: the only one to compare; None for every one that both revisions have.
        every_image: whether to name every image, not only the first few.

    Raises:
        InputError: a revision doesn't exist, or the two have no strategy in common.
    """
    first, second, later = Revision(before), Revision(after), after or "the files as they are"
    compared = False
    for name in [strategy] if strategy else STRATEGIES:
        old, new = first.predictions(name), second.predictions(name)
        if old and new:
            summary.show_change(name, compare_revisions(old.answers, new.answers), every_image)
            made = {before: first.description(name), later: second.description(name)}
            provenance.show({told: provenance.of(model) for told, model in made.items()})
            compared = True
        elif old or new:
            print(f"{name}: no predictions in {later if old else before}")
    if not compared:
        raise InputError(
            f"{before} and {later}: no predictions of {strategy or 'a strategy'} in both: run `dvc fetch "
            "--all-commits` if they were computed elsewhere, otherwise check a revision out and run `dvc repro`"
        )
