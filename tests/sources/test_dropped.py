"""The list of what was dropped names every file; its summary stays short and safe to print."""

import csv
from pathlib import Path

from headstart.sources.dropped import in_brackets, summary, write
from headstart.sources.source import Dropped


def test_the_list_keeps_every_text(tmp_path: Path) -> None:
    names = ["b\n10", "b\n9", "=cmd()", "nan", 'a"b', "a,b", "\U0001f431", "a\rb"]
    write([Dropped(name, "1e3", "text: not supported") for name in names], tmp_path / "dropped.csv")
    with (tmp_path / "dropped.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["name", "class", "reason"]
    assert sorted(row[0] for row in rows[1:]) == sorted(names)
    assert [row[0] for row in rows[1:] if row[0].startswith("b")] == ["b\n9", "b\n10"]
    assert {tuple(row[1:]) for row in rows[1:]} == {("1e3", "text: not supported")}


def test_the_list_does_not_depend_on_the_order_of_finding(tmp_path: Path) -> None:
    items = [Dropped(str(number), "", "reason") for number in range(20)]
    write(items, tmp_path / "one")
    write(items[::-1], tmp_path / "other")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


def test_the_summary_counts_reasons_and_shows_an_example() -> None:
    items = [
        Dropped("a\x1b[31m", "cat", "empty file"),
        *[Dropped(str(n), "", "text: not supported") for n in range(1200)],
    ]
    assert summary(items) == ["1,200 × text: not supported, such as '0'", "1 × empty file, such as 'a\\x1b[31m'"]
    many = [Dropped("x", "", f"reason {number}") for number in range(12)]
    assert len(summary(many)) == 9
    assert summary(many)[-1] == "4 for other reasons"
    assert summary([]) == []


def test_within_a_message_details_are_dropped() -> None:
    items = [Dropped("x", "", f"duplicate: the same bytes as {number}") for number in range(3)]
    assert in_brackets(items) == " (3 dropped: 3 × duplicate)"
    items += [Dropped("x", "", reason) for reason in ("a", "b", "c")]
    assert in_brackets(items) == " (6 dropped: 3 × duplicate; 1 × a; 1 × b; …)"
    assert in_brackets([]) == ""
