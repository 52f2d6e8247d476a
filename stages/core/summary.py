"""The comparison as a person reads it in a terminal."""

from collections.abc import Mapping
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from stages.core.paired import compare_all, detectable_in_words, headline
from stages.core.predictions import Predictions


def show(
    metrics: Mapping[str, Mapping[str, Any]],
    predictions: Mapping[str, Predictions],
    seconds: Mapping[str, float | None],
) -> None:
    """Print the table of strategies, which of them wins, and which differences are real.

    Args:
        metrics: metrics/evaluation.json.
        predictions: of each strategy on the test split.
        seconds: of training, None where they are not known.
    """
    answers = {name: predictions[name].answers for name in metrics}
    comparisons = compare_all(answers)
    console = Console(highlight=False)
    console.print(_table(metrics, seconds))
    console.print(f"[bold]{_sentence(headline(answers, comparisons))}[/bold]", soft_wrap=True)
    for comparison in comparisons:
        console.print(f"  {_sentence(comparison.verdict)}", soft_wrap=True, markup=False)
    if comparisons:
        console.print(f"  {_sentence(detectable_in_words(comparisons))}", soft_wrap=True, markup=False)


def _table(metrics: Mapping[str, Mapping[str, Any]], seconds: Mapping[str, float | None]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("test split", no_wrap=True)
    for name in ("accuracy (95 %)", "log loss", "AUC", "F1", "trained in", "weights"):
        table.add_column(name, justify="right", no_wrap=True)
    best = max(row["accuracy"] for row in metrics.values())
    for strategy, row in metrics.items():
        spent = seconds.get(strategy)
        table.add_row(
            strategy,
            f"{row['accuracy']:.3f} ({row['accuracy_low']:.3f}–{row['accuracy_high']:.3f})",
            _number(row["log_loss"]),
            _number(row["roc_auc"]),
            _number(row["f1"]),
            "not timed" if spent is None else f"{spent:.1f} s",
            _rounded(row["trained_parameters"]),
            style="bold" if row["accuracy"] == best else "",
        )
    return table


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.3f}"


def _rounded(count: int) -> str:
    return f"{count / 1e6:.1f} M" if count >= 1e6 else f"{count:,}"


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:] + "."
