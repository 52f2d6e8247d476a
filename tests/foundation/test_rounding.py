"""What is written has as many digits as every run agrees on, and no fewer than tell results apart."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.foundation.rounding import DIGITS, rounded

floats = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e300, max_value=1e300)


@given(floats)
def test_floats_stay_what_they_are_to_nine_digits(value: float) -> None:
    assert rounded(value) == pytest.approx(value, rel=5 * 10.0**-DIGITS, abs=5e-324)
    assert rounded(rounded(value)) == rounded(value)


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_no_two_numbers_of_float32_become_one(value: float) -> None:
    assert np.float32(rounded(value)) == np.float32(value)


@pytest.mark.parametrize("value", [0.1, 2 / 3, 12345.678901234, 3.2e-31])
def test_the_last_digits_do_not_matter(value: float) -> None:
    near = value
    for _ in range(20):
        near = math.nextafter(near, math.inf)
    assert near != value
    assert rounded(near) == rounded(value)


def test_everything_else_is_left_alone() -> None:
    given = {"a": [1, True, None, "0.1234567890123"], "b": {"c": (2**70, 0.12345678901)}, "d": -0.0}
    found = rounded(given)
    assert found == {"a": [1, True, None, "0.1234567890123"], "b": {"c": [2**70, 0.123456789]}, "d": 0.0}
    assert [type(value) for value in found["a"]] == [int, bool, type(None), str]


def test_what_is_no_number_stays_so() -> None:
    assert math.isnan(rounded(math.nan))
    assert rounded(math.inf) == math.inf
