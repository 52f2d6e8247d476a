import pytest

from headstart.statistics.decisions import Amount, amount, at_most_worse
from headstart.statistics.intervals import Share


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.05, 0.11, Amount.SMALL),  # 60 test images that could show 18 points: still more images pay
        (-0.004, 0.008, Amount.LARGE),
        (0.001, 0.008, Amount.LARGE),  # pays, but less than anybody cares for
        (-0.01, 0.03, Amount.OPEN),
        (0.0, 0.03, Amount.OPEN),
        (-0.01, 0.01, Amount.OPEN),
    ],
)
def test_the_interval_of_the_gain_decides_whether_a_set_is_small(low: float, high: float, expected: Amount) -> None:
    assert amount(Share((low + high) / 2, low, high), margin=0.01) is expected


def test_without_a_curve_it_is_open() -> None:
    assert amount(None, margin=0.01) is Amount.OPEN


@pytest.mark.parametrize(
    ("low", "expected"), [(-0.008, 0.008), (-0.012, None), (-0.01, None), (0.0, 0.0), (0.02, 0.0), (-0.5, None)]
)
def test_only_an_interval_that_excludes_the_margin_shows_that_little_is_lost(
    low: float, expected: float | None
) -> None:
    assert at_most_worse(low, margin=0.01) == expected
