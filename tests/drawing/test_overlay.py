"""An overlay lights up what is hot and leaves the rest as it is."""

import numpy as np
import pytest

from headstart.drawing.overlay import overlay
from tests.pictures import pixels


def test_where_nothing_speaks_for_a_class_the_image_stays() -> None:
    image = pixels(1, 60, 60)
    np.testing.assert_array_equal(overlay(image, np.zeros((6, 6), np.float32)), image)


@pytest.mark.parametrize("side", [1, 3, 11, 60])
def test_it_changes_the_hottest_place_most(side: int) -> None:
    image = np.zeros((60, 60, 3), np.uint8)
    heat = np.zeros((side, side), np.float32)
    heat[0, -1] = 1
    laid = overlay(image, heat).astype(int).sum(axis=2)
    assert overlay(image, heat).shape == image.shape
    row, column = np.unravel_index(laid.argmax(), laid.shape)
    assert row < 60 / side
    assert column >= 60 - 60 / side
    if side > 3:
        assert laid[40:, :20].max() == 0
