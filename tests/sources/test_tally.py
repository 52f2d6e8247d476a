"""Classes and their counts, in a table that fits on a screen."""

import pandas as pd

from headstart.sources.tally import lines


def frame(counts: dict[tuple[str, str], int]) -> pd.DataFrame:
    rows = [place for place, count in counts.items() for _ in range(count)]
    return pd.DataFrame(rows, columns=["class", "split"])


def test_classes_their_counts_and_what_always_the_largest_would_reach() -> None:
    counts = {("ok", "train"): 1200, ("ok", "validation"): 5, ("ok", "test"): 12}
    counts |= {("defect", "train"): 10, ("defect", "validation"): 1, ("defect", "test"): 2}
    assert lines(frame(counts), {"defect": 3}) == [
        "  class   train  validation  test  unused",
        "  ok      1,200           5    12       0",
        "  defect     10           1     2       3",
        "always predicting 'ok' would be correct for 85.7% of the test images",
    ]


def test_many_classes_are_summed_up() -> None:
    counts = {(f"class {number:03}", split): 1 for number in range(500) for split in ("train", "validation", "test")}
    found = lines(frame(counts), {})
    assert len(found) <= 20
    assert found[-2].split() == ["485", "other", "classes", "485", "485", "485", "0"]


def test_names_that_a_terminal_would_obey_are_shown_harmless() -> None:
    counts = {(name, split): 1 for name in ("\x1b[31m", "x" * 99) for split in ("train", "validation", "test")}
    assert all(line.isprintable() and len(line) < 100 for line in lines(frame(counts), {}))
