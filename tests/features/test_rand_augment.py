"""Each operation does what its name says, in the direction and to the strength that were drawn."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from headstart.features import rand_augment
from headstart.features.rand_augment import OPERATIONS
from tests.pictures import pixels

Pixels = npt.NDArray[np.uint8]
GEOMETRIC = ["rotate", "shear_x", "shear_y", "translate_x", "translate_y"]
PHOTOMETRIC = [name for name in OPERATIONS if name not in ("identity", *GEOMETRIC)]

pictures = hnp.arrays(np.uint8, st.tuples(st.integers(3, 9), st.integers(3, 9), st.just(3)))
levels = st.integers(-10, 10).map(lambda tenths: tenths / 10)


def painted(name: str, level: float, picture: Pixels) -> Pixels:
    return rand_augment.paint(picture, np.array([OPERATIONS.index(name)]), np.array([level]))


def placed(name: str, level: float, size: int = 100) -> npt.NDArray[np.float64]:
    maps: npt.NDArray[np.float64] = rand_augment.maps(np.array([[OPERATIONS.index(name)]]), np.array([[level]]), size)
    first: npt.NDArray[np.float64] = np.asarray(maps[0])
    return first


def test_all_of_the_papers_operations_are_there() -> None:
    named = "identity autocontrast equalize rotate solarize color posterize contrast brightness sharpness shear_x "
    named += "shear_y translate_x translate_y"
    assert set(OPERATIONS) == set(named.split())
    assert len(OPERATIONS) == 14


def test_every_operation_and_direction_is_drawn_as_often() -> None:
    operations, strengths = rand_augment.choose(np.random.default_rng(0).random((7000, 4)), magnitude=7)
    assert operations.shape == strengths.shape == (7000, 2)
    # 1,000 expected of each; five standard deviations are 152.
    assert np.abs(np.bincount(operations.ravel(), minlength=14) - 1000).max() < 152
    assert set(np.unique(strengths)) == {-0.7, 0.7}
    assert abs((strengths > 0).mean() - 0.5) < 0.025


@given(hnp.arrays(np.float64, (3, 6), elements=st.floats(0, 1, exclude_max=True)), st.integers(0, 10))
def test_any_numbers_make_operations(numbers: npt.NDArray[np.float64], magnitude: int) -> None:
    operations, strengths = rand_augment.choose(numbers, magnitude)
    assert ((operations >= 0) & (operations < 14)).all()
    assert (np.abs(strengths) == magnitude / 10).all()


@given(pictures, levels)
def test_changes_of_place_do_not_repaint(picture: Pixels, level: float) -> None:
    for name in ("identity", *GEOMETRIC):
        assert not rand_augment.repaints([OPERATIONS.index(name)])
        np.testing.assert_array_equal(painted(name, level, picture), picture)


@pytest.mark.parametrize("name", ["identity", *PHOTOMETRIC])
def test_changes_of_colour_leave_everything_in_its_place(name: str) -> None:
    assert rand_augment.repaints([OPERATIONS.index(name)]) == (name != "identity")
    np.testing.assert_array_equal(placed(name, 0.7), np.eye(3))


@given(pictures)
def test_without_magnitude_nothing_but_stretching_is_left(picture: Pixels) -> None:
    for name in set(PHOTOMETRIC) - {"autocontrast", "equalize"}:
        np.testing.assert_array_equal(painted(name, 0.0, picture), picture, name)
    for name in GEOMETRIC:
        np.testing.assert_array_equal(placed(name, 0.0), np.eye(3), name)


@pytest.mark.parametrize(
    ("name", "point", "source"),
    [
        # What the view shows at a point, from the middle of a picture of 100 pixels.
        ("shear_x", (0, 10), (3, 10)),
        ("shear_y", (10, 0), (10, 3)),
        ("translate_x", (0, 0), (-45.3, 0)),
        ("translate_y", (0, 0), (0, -45.3)),
        ("rotate", (20, 0), (20 * np.cos(np.pi / 6), 10)),
    ],
)
def test_geometry_ends_where_the_paper_ends(name: str, point: tuple[float, float], source: tuple[float, float]) -> None:
    np.testing.assert_allclose(placed(name, 1.0) @ [*point, 1], [*source, 1], atol=0.05)
    np.testing.assert_allclose(placed(name, -1.0) @ placed(name, 1.0) @ [0, 0, 1], [0, 0, 1], atol=1e-9)


def test_geometry_is_done_in_the_order_drawn() -> None:
    names = ["rotate", "equalize", "translate_x", "shear_y"]
    operations = np.array([[OPERATIONS.index(name) for name in names]])
    found = rand_augment.maps(operations, np.array([[0.5, 0.5, -0.3, 1.0]]), 100)[0]
    expected = placed("rotate", 0.5) @ placed("translate_x", -0.3) @ placed("shear_y", 1.0)
    np.testing.assert_allclose(found, expected)


def test_colours_are_changed_in_the_order_drawn() -> None:
    picture = pixels(3)
    order = np.array([OPERATIONS.index("solarize"), OPERATIONS.index("rotate"), OPERATIONS.index("brightness")])
    found = rand_augment.paint(picture, order, np.array([0.5, 1.0, -0.5]))
    np.testing.assert_array_equal(found, painted("brightness", -0.5, painted("solarize", 0.5, picture)))
    assert not np.array_equal(found, painted("solarize", 0.5, painted("brightness", -0.5, picture)))


@given(pictures, levels)
def test_solarizing_inverts_what_is_bright(picture: Pixels, level: float) -> None:
    bright = picture >= round(256 * (1 - abs(level)))
    np.testing.assert_array_equal(painted("solarize", level, picture), np.where(bright, 255 - picture, picture))


@given(pictures, levels)
def test_posterizing_keeps_the_first_bits(picture: Pixels, level: float) -> None:
    lost = round(4 * abs(level))
    np.testing.assert_array_equal(painted("posterize", level, picture), picture >> lost << lost)


@given(pictures, levels)
def test_brightness_is_a_factor(picture: Pixels, level: float) -> None:
    expected = np.clip((1 + 0.9 * level) * picture.astype(np.float64), 0, 255)
    np.testing.assert_allclose(painted("brightness", level, picture), expected, atol=1)


@given(pictures, levels)
def test_contrast_is_a_factor_on_the_distance_from_grey(picture: Pixels, level: float) -> None:
    red, green, blue = picture.reshape(-1, 3).astype(np.float64).T
    mean = (0.299 * red + 0.587 * green + 0.114 * blue).mean()
    expected = np.clip(mean + (1 + 0.9 * level) * (picture - mean), 0, 255)
    np.testing.assert_allclose(painted("contrast", level, picture), expected, atol=2)


def test_colour_goes_and_comes() -> None:
    picture = pixels(1)
    spread = [np.ptp(painted("color", level, picture).astype(int), axis=2).mean() for level in (-1.0, 0.0, 1.0)]
    assert spread[0] < 0.2 * spread[1] < spread[1] < spread[2]


def test_sharpness_goes_and_comes() -> None:
    picture = np.random.default_rng(0).integers(60, 190, (20, 20, 3), np.uint8)
    edges = [np.abs(np.diff(painted("sharpness", level, picture).astype(int), axis=1)).mean() for level in (-1, 0, 1)]
    assert edges[0] < 0.7 * edges[1]
    assert edges[2] > 1.3 * edges[1]


@given(pictures, levels)
def test_autocontrast_stretches_each_channel_to_the_whole_range(picture: Pixels, level: float) -> None:
    found = painted("autocontrast", level, picture)
    for channel in range(3):
        before, after = picture[..., channel], found[..., channel]
        if np.ptp(before):
            assert after.min() == 0
            assert after.max() >= 254
        else:
            np.testing.assert_array_equal(after, before)


def test_equalizing_spreads_values_evenly_and_keeps_their_order() -> None:
    dark = (np.random.default_rng(0).random((64, 64, 3)) ** 3 * 100).astype(np.uint8)
    found = painted("equalize", 0.5, dark)
    for channel in range(3):
        before, after = dark[..., channel].ravel(), found[..., channel].ravel()
        assert (np.diff(after[np.argsort(before, kind="stable")].astype(int)) >= 0).all()
        quarters = np.histogram(after, 4, (0, 256))[0] / after.size
        assert np.abs(quarters - 0.25).max() < 0.15
        assert np.histogram(before, 4, (0, 256))[0].max() / before.size > 0.8


@pytest.mark.parametrize("name", PHOTOMETRIC)
@pytest.mark.parametrize("level", [-1.0, 1.0])
def test_a_painted_picture_is_a_picture(name: str, level: float) -> None:
    for picture in (pixels(0), np.zeros((24, 32, 3), np.uint8)):
        found = painted(name, level, picture)
        assert found.dtype == np.uint8
        assert found.shape == picture.shape
