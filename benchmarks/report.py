"""Results as tables of a terminal's width."""

from collections.abc import Iterable, Sequence

from rich import box
from rich.console import Console
from rich.table import Table


def show(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]], last: str = "") -> None:
    """Print a table, numbers to the right.

    Args:
        title: a line above it.
        columns: headings; the first is that of the rows' names.
        rows: the cells.
        last: name of a row that sums up, set apart in bold.
    """
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left", overflow="fold")
    for row in rows:
        table.add_row(*row, style="bold" if row[0] == last else "")
    console = Console(highlight=False)
    console.print(title, style="bold", soft_wrap=True, markup=False)
    console.print(table)


def say(lines: Iterable[str]) -> None:
    """Print lines as they are, however long."""
    console = Console(highlight=False)
    for line in lines:
        console.print(line, soft_wrap=True, markup=False)
