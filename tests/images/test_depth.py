"""More than 8 bits a channel: scaled linearly, by one white for a whole set."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.images.depth import peak, to_eight_bits
from headstart.images.unreadable import UnreadableImage


@given(st.integers(1, 65535), st.integers(0, 65535))
def test_values_up_to_white_are_scaled_and_those_above_are_white(white: int, value: int) -> None:
    (found,) = to_eight_bits(np.array([value], np.uint16), white)
    assert abs(int(found) - min(value, white) * 255 / white) <= 0.5


def test_the_brightest_pixel_of_an_image_does_not_matter() -> None:
    dark, bright = np.array([100, 200], np.uint16), np.array([100, 60_000], np.uint16)
    assert to_eight_bits(dark)[0] == to_eight_bits(bright)[0]


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (np.array([-1, 5], np.int16), "pixels below 0: not supported, shift and scale them to 0 to 65535"),
        (np.array([70_000], np.int32), "pixels of more than 16 bits: not supported, convert it to PNG"),
        (np.array([1.5]), "floating-point pixels outside 0 to 1: not supported, convert it to PNG"),
        (np.array([np.nan]), "floating-point pixels outside 0 to 1: not supported, convert it to PNG"),
    ],
)
def test_other_values_are_refused(values: np.ndarray, reason: str) -> None:
    with pytest.raises(UnreadableImage) as refused:
        to_eight_bits(values)
    assert refused.value.reason == reason


def test_the_peak_is_of_integers() -> None:
    assert peak(np.array([[3, 4095]], np.uint16)) == 4095
    assert peak(np.array([0.5])) is None
