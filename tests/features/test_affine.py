import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.features.affine import affine, in_pixels, rotation

numbers = st.floats(-3, 3)


@given(st.tuples(*[numbers] * 6), st.tuples(numbers, numbers))
def test_a_map_is_what_its_numbers_say(entries: tuple[float, ...], point: tuple[float, float]) -> None:
    x, y = point
    xx, xy, dx, yx, yy, dy = entries
    np.testing.assert_allclose(
        affine(*entries) @ [x, y, 1], [xx * x + xy * y + dx, yx * x + yy * y + dy, 1], atol=1e-12
    )


def test_numbers_and_arrays_go_together() -> None:
    found = affine(xx=np.array([1.0, 2.0, 3.0]), y=5.0)
    assert found.shape == (3, 3, 3)
    np.testing.assert_array_equal(found[2], [[3, 0, 0], [0, 1, 5], [0, 0, 1]])
    np.testing.assert_array_equal(affine(), np.eye(3))


@given(st.floats(-7, 7), st.floats(-7, 7))
def test_angles_add_up(first: float, second: float) -> None:
    np.testing.assert_allclose(rotation(first) @ rotation(second), rotation(first + second), atol=1e-12)


@pytest.mark.parametrize("size", [4, 5])
def test_the_middle_stays_where_it_is(size: int) -> None:
    middle = [(size - 1) / 2, (size - 1) / 2, 1]
    maps = in_pixels(rotation(np.array([0.3, 1.0])) @ affine(xx=2.0, xy=0.5), size)
    np.testing.assert_allclose(maps @ middle, [middle, middle])
