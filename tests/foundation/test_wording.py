import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.foundation.wording import (
    count,
    duration,
    p_value,
    points,
    points_range,
)


@pytest.mark.parametrize(
    ("share", "images", "text"),
    [
        (0.013, 2000, "1.3"),
        (-0.002, 2000, "\N{MINUS SIGN}0.2"),
        (-0.0004, 2000, "0.0"),
        (0.0, 2000, "0.0"),
        (0.00123, 20_000, "0.12"),
        (1.0, 5, "100.0"),
    ],
)
def test_points(share: float, images: int, text: str) -> None:
    assert points(share, images) == text


def test_points_range() -> None:
    assert points_range(-0.001, 0.019, 2000) == "\N{MINUS SIGN}0.1 to 1.9"


@given(st.floats(-1, 1), st.integers(1, 100_000))
def test_points_read_back_to_the_share(share: float, images: int) -> None:
    text = points(share, images).replace("\N{MINUS SIGN}", "-")
    assert abs(float(text) / 100 - share) <= 0.0005 + 1e-12


@pytest.mark.parametrize(
    ("p", "text"),
    [
        (0.0, "p < 0.0001"),
        (0.00031, "p = 0.0003"),
        (0.0024, "p = 0.002"),
        (0.047, "p = 0.047"),
        (0.314, "p = 0.31"),
        (1.0, "p = 1.00"),
    ],
)
def test_p_value(p: float, text: str) -> None:
    assert p_value(p) == text


def test_count() -> None:
    assert [count(n, "image") for n in (0, 1, 2000)] == ["0 images", "1 image", "2,000 images"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.00014, "0.14 ms"),
        (0.0094, "9.4 ms"),
        (0.012, "12 ms"),
        (2.42, "2.4 s"),
        (200.4, "3 min 20 s"),
        (3599.9, "59 min 59 s"),
        (3900.0, "1 h 5 min"),
        (None, "not timed"),
    ],
)
def test_duration(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text
