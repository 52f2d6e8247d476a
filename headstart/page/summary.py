"""The comparison as printed in the terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from headstart.foundation.free_text import shown
from headstart.foundation.wording import count, duration, large, percent, points, sentence
from headstart.page import verdicts
from headstart.scoring import results
from headstart.statistics.comparisons import Comparison, with_strategy
from headstart.statistics.revisions import Change

# How many of the images that a revision fixed or broke are listed.
_NAMED = 10


def show(
    metrics: Mapping[str, Mapping[str, Any]],
    compared: Mapping[str, Any],
    seconds: Mapping[str, float | None],
    repeats: Mapping[str, pd.DataFrame],
) -> None:
    """Print the table of strategies, which of them wins, and which differences are significant.

    Args:
        metrics: metrics/evaluation.json.
        compared: metrics/comparison.json.
        seconds: of training, None where they are not known.
        repeats: the trainings of each strategy that was trained more than once.
    """
    comparisons = results.comparisons(compared)
    winner = results.winner(metrics)
    row = metrics[winner]
    console = _console()
    images = row["images"]
    console.print(_table(metrics, seconds, winner, images))
    if missed := verdicts.never_recognised(compared["never_recognised"]):
        console.print(f"[bold]{escape(sentence(missed))}[/bold]", soft_wrap=True)
    headline = verdicts.headline(winner, metrics, images, comparisons)
    console.print(f"[bold]{sentence(headline)}[/bold]", soft_wrap=True)
    of_winner = with_strategy(winner, comparisons)
    lines = [verdicts.comparison(duel) for duel in of_winner]
    if left := len(comparisons) - len(of_winner):
        lines.append(f"the page compares the other {count(left, 'pair')}")
    if comparisons:
        lines += filter(None, [_cheaper(winner, metrics, comparisons, compared["margin"], seconds)])
        lines.append(verdicts.detectable(of_winner))
    lines.append(verdicts.guessing(compared["majority"], images))
    lines.append(verdicts.worst_class(compared["classes"][winner]))
    lines += verdicts.scope(winner, metrics)
    lines += [_spread(name, table, images) for name, table in repeats.items()]
    for line in lines:
        console.print(f"  {shown(sentence(line))}", soft_wrap=True, markup=False)


def _cheaper(
    winner: str,
    metrics: Mapping[str, Mapping[str, Any]],
    comparisons: Sequence[Comparison],
    margin: float,
    seconds: Mapping[str, float | None],
) -> str:
    """The cheapest strategy that will do, with what it costs on this machine where that is known."""
    said = verdicts.cheaper(winner, metrics, comparisons, margin)
    found = verdicts.cheapest(winner, metrics, comparisons, margin)
    if found is None:
        return said
    cheap, dear = seconds.get(found[0].first), seconds.get(winner)
    return f"{said}; it trained in {duration(cheap)}, not {duration(dear)}" if cheap and dear else said


def show_change(strategy: str, change: Change, every_image: bool) -> None:
    """Print how one strategy's predictions changed between two revisions.

    Args:
        strategy: its name.
        change: how they changed.
        every_image: whether to name every image that was fixed or broken, or the first few.
    """
    console = _console()
    console.print(f"{strategy}: {verdicts.revision(change)}.", soft_wrap=True, markup=False, style="bold")
    for outcome, images in (("fixed", change.fixed), ("broken", change.broken)):
        for line in _named(outcome, images, every_image):
            console.print(f"  {line}", soft_wrap=True, markup=False)


def show_caution() -> None:
    """Print what a comparison of revisions can't know."""
    _console().print(
        "One training of each is compared, on the same test images as in every earlier comparison: the more often "
        "they decide what is kept, the more a result suits these images alone.",
        soft_wrap=True,
        markup=False,
    )


def _named(outcome: str, images: Sequence[str], every_image: bool) -> list[str]:
    named = images if every_image else images[:_NAMED]
    lines = [f"{outcome}  {shown(image)}" for image in named]
    if left := len(images) - len(named):
        lines.append(f"{outcome}  {count(left, 'more image')}: --all lists them")
    return lines


def _table(
    metrics: Mapping[str, Mapping[str, Any]], seconds: Mapping[str, float | None], winner: str, images: int
) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("strategy", no_wrap=True)
    for name in ("accuracy (95 %)", "log loss", "AUC", "trained in", "weights"):
        table.add_column(name, justify="right", no_wrap=True)
    for strategy, row in metrics.items():
        span = f"{points(row['accuracy_low'], images)}–{points(row['accuracy_high'], images)}"
        table.add_row(
            strategy,
            f"{percent(row['accuracy'], images)} ({span})",
            _number(row["log_loss"]),
            _number(row["roc_auc"]),
            duration(seconds.get(strategy)),
            large(row["trained_parameters"]),
            style="bold" if strategy == winner else "",
        )
    return table


def _spread(name: str, repeats: pd.DataFrame, images: int) -> str:
    values = repeats["val_accuracy"]
    low, high = (percent(value, images) for value in (values.min(), values.max()))
    return f"{name}, trained {len(values)} times: validation accuracy {low} to {high}"


def _console() -> Console:
    return Console(highlight=False)


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.3f}"
