"""A view is what Keras's layers would make of the image, and the same view whenever it is made."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.features import rand_augment
from headstart.features.affine import affine, in_pixels, rotation
from headstart.features.augmentation import Draws, augment, draw, paint
from headstart.settings.schema import Augmentation
from tests.augmented import ALL, augmented, changing

pytest_plugins = ["tests.pipeline_fixtures"]
pytestmark = pytest.mark.usefixtures("tensorflow")

SIZE = 48
DIGESTS = [f"{number:064x}" for number in range(400)]
FILLS = {"reflect": "symmetric", "nearest": "edge", "constant": "constant", "wrap": "wrap"}
GEOMETRY = ("zoom", "rotation", "shear", "flip", "shift_horizontal", "shift_vertical", "randaugment")

digests = st.lists(st.integers(0, 2**64).map("{:064x}".format), min_size=1, max_size=6, unique=True)
settings_drawn = st.builds(
    Augmentation,
    flip=st.sampled_from(["none", "horizontal", "vertical", "both"]),
    rotation=st.floats(0, 0.5),
    zoom=st.floats(0, 0.9),
    shift_horizontal=st.floats(0, 0.5),
    shift_vertical=st.floats(0, 0.5),
    shear=st.floats(0, 1),
    brightness=st.floats(0, 1),
    contrast=st.floats(0, 1),
    fill=st.sampled_from(sorted(FILLS)),
    randaugment=st.integers(0, 3),
    randaugment_magnitude=st.integers(0, 10),
)


def smooth_images(count: int = 2, size: int = SIZE) -> npt.NDArray[np.float32]:
    """Pictures of a few long waves, so that interpolation costs little; (count, size, size, 3), 0 to 255."""
    rows, columns = np.mgrid[0:size, 0:size]
    waves = [
        np.sin(rows / (6 + image) + channel) + np.cos(columns / (7 + channel) + 2 * image)
        for image in range(count)
        for channel in range(3)
    ]
    stacked = np.stack(waves, axis=-1).reshape(size, size, count, 3).transpose(2, 0, 1, 3)
    return (127.5 + 60 * stacked).astype(np.float32)


def noise(count: int = 8, size: int = SIZE) -> npt.NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (count, size, size, 3), np.uint8)


def drawn(settings: Augmentation, view: int = 0) -> Draws:
    """Draws for many images."""
    return draw(settings, DIGESTS, view, seed=1, size=SIZE)


def whole(settings: Augmentation, view: int = 0) -> npt.NDArray[np.float64]:
    """The maps of many images, (images, 3, 3), about the corner."""
    maps = drawn(settings, view).maps.astype(np.float64)
    return np.concatenate([maps, np.ones((len(maps), 1))], axis=1).reshape(-1, 3, 3)


def matrices(settings: Augmentation, view: int = 0) -> npt.NDArray[np.float64]:
    """The linear part of the maps, (images, 2, 2)."""
    return whole(settings, view)[:, :2, :2]


def mapped(images: npt.NDArray[Any], maps: npt.NDArray[Any], fill: str = "reflect") -> npt.NDArray[np.float32]:
    """The images under affine maps alone."""
    tones = np.tile(np.array([1, 0], np.float32), (len(images), 1))
    return np.asarray(augment(images, maps.astype(np.float32), tones, changing(fill=fill)))


def toned(images: npt.NDArray[Any], contrast: float, brightness: float) -> npt.NDArray[np.float32]:
    """The images under one change of contrast and brightness alone."""
    maps = np.tile(np.array([1, 0, 0, 0, 1, 0, 0, 0], np.float32), (len(images), 1))
    tones = np.tile(np.array([contrast, brightness], np.float32), (len(images), 1))
    return np.asarray(augment(images, maps, tones, changing(contrast=0.5, brightness=0.5)))


def moved(x: float = 0, y: float = 0, size: int = SIZE) -> npt.NDArray[np.float64]:
    """The map, (1, 8), by which content moves ``x`` pixels to the right and ``y`` down."""
    return in_pixels(affine(x=-x, y=-y), size).reshape(1, 9)[:, :8]


@given(settings_drawn, digests, st.integers(0, 9), st.integers(0, 2**31 - 1), st.randoms(use_true_random=False))
def test_a_view_depends_on_image_view_and_seed_alone(
    settings: Augmentation, names: list[str], view: int, seed: int, random: Any
) -> None:
    together = draw(settings, names, view, seed, SIZE)
    order = list(range(len(names)))
    random.shuffle(order)
    shuffled = draw(settings, [names[i] for i in order], view, seed, SIZE)
    alone = draw(settings, names[:1], view, seed, SIZE)
    for name in together._fields:
        whole = getattr(together, name)
        np.testing.assert_array_equal(getattr(shuffled, name), whole[order])
        np.testing.assert_array_equal(getattr(alone, name)[0], whole[0])
    assert [one.shape for one in together] == [(len(names), width) for width in (8, 2, *[settings.randaugment] * 2)]
    assert together.maps.dtype == np.float32
    assert together.tones.dtype == np.float32


@pytest.mark.parametrize("other", [{"view": 1, "seed": 1}, {"view": 0, "seed": 2}])
def test_views_and_seeds_differ(other: dict[str, int]) -> None:
    first, second = drawn(ALL), draw(ALL, DIGESTS, **other, size=SIZE)
    assert (first.maps != second.maps).any(axis=1).all()
    assert (first.tones != second.tones).all()
    assert (first.operations != second.operations).any(axis=1).mean() > 0.9


def test_views_are_the_same_on_every_machine() -> None:
    """Written down once: another machine, process or version of NumPy must draw the same."""
    simple = draw(changing(flip="both", rotation=0.2, zoom=0.3), ["ab" * 32], view=3, seed=42, size=96)
    expected = [[1.0314282, -0.04927441, 0.8476921, 0.04927441, 1.0314282, -3.8333769, 0, 0]]
    np.testing.assert_allclose(simple.maps, expected, rtol=1e-6)
    everything = draw(ALL, ["ab" * 32], view=3, seed=42, size=96)
    expected = [[1.0181632, 0.19748287, -9.8370857, -0.22947389, 1.0060524, 27.868906, 0, 0]]
    np.testing.assert_allclose(everything.maps, expected, rtol=1e-6)
    np.testing.assert_allclose(everything.tones, [[0.95281392, 39.651596]], rtol=1e-6)
    assert [rand_augment.OPERATIONS[number] for number in everything.operations[0]] == ["sharpness", "color", "rotate"]
    np.testing.assert_allclose(everything.levels, [[-0.6, 0.6, -0.6]])


@given(digests, st.integers(0, 9), st.integers(32, 300), st.sampled_from(sorted(FILLS)))
def test_without_changes_nothing_is_drawn(names: list[str], view: int, size: int, fill: str) -> None:
    found = draw(changing(fill=fill), names, view, 0, size)
    identity = np.tile(np.array([1, 0, 0, 0, 1, 0, 0, 0], np.float32), (len(names), 1))
    np.testing.assert_array_equal(found.maps, identity)
    np.testing.assert_array_equal(found.tones, np.tile(np.array([1, 0], np.float32), (len(names), 1)))
    assert found.operations.size == 0


@pytest.mark.parametrize("fill", FILLS)
def test_without_changes_the_view_is_the_image(fill: str) -> None:
    images = noise(3)
    draws = draw(changing(fill=fill), DIGESTS[:3], 0, 0, SIZE)
    assert paint(images, draws) is images
    found = augmented(images, changing(fill=fill), DIGESTS[:3], 0, 0)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, images)
    # Nor does drawing nothing for contrast and brightness change a bit where they are switched on.
    np.testing.assert_array_equal(toned(images, 1.0, 0.0), images)


@pytest.mark.parametrize("size", [48, 49])
@pytest.mark.parametrize(("flip", "axes"), [("horizontal", {2}), ("vertical", {1}), ("both", {1, 2})])
def test_a_flip_is_an_exact_mirror(flip: Any, axes: set[int], size: int) -> None:
    settings, images = changing(flip=flip), noise(8, size)
    maps = draw(settings, DIGESTS[:8], 0, 0, size).maps
    seen = set()
    for image, found, view in zip(images, augmented(images, settings, DIGESTS[:8], 0, 0), maps, strict=True):
        mirrored = tuple(axis for axis, scale in ((2, view[0]), (1, view[4])) if scale < 0)
        seen |= set(mirrored)
        np.testing.assert_array_equal(found, np.flip(image, tuple(axis - 1 for axis in mirrored)))
    assert seen == axes


@pytest.mark.parametrize("flip", ["horizontal", "vertical", "both"])
def test_each_way_is_mirrored_half_the_time(flip: Any) -> None:
    found = matrices(changing(flip=flip))
    shares = [(found[:, i, i] < 0).mean() for i in range(2)]
    for share, mirrors in zip(shares, (flip != "vertical", flip != "horizontal"), strict=True):
        # 400 draws: five standard deviations are 0.125.
        assert abs(share - 0.5) < 0.125 if mirrors else share == 0


def test_rotations_fill_their_range() -> None:
    found = matrices(changing(rotation=0.1))
    turns = np.arctan2(found[:, 1, 0], found[:, 0, 0]) / (2 * np.pi)
    np.testing.assert_allclose(np.linalg.det(found), 1, rtol=1e-5)
    assert np.abs(turns).max() <= 0.1
    assert np.histogram(turns, 4, (-0.1, 0.1))[0].min() > 60


def test_zooms_fill_their_range() -> None:
    found = matrices(changing(zoom=0.2))
    assert (found[:, 0, 1] == 0).all()
    np.testing.assert_array_equal(found[:, 0, 0], found[:, 1, 1])
    assert np.histogram(found[:, 0, 0], 4, (0.8, 1.2))[0].min() > 60
    assert (np.abs(found[:, 0, 0] - 1) <= 0.2 + 1e-6).all()


def test_shifts_fill_their_range() -> None:
    found = whole(changing(shift_horizontal=0.2, shift_vertical=0.4))
    np.testing.assert_array_equal(found[:, :2, :2], np.tile(np.eye(2), (400, 1, 1)))
    for axis, largest in ((0, 0.2 * SIZE), (1, 0.4 * SIZE)):
        assert np.abs(found[:, axis, 2]).max() <= largest
        assert np.histogram(found[:, axis, 2], 4, (-largest, largest))[0].min() > 60
    assert abs(np.corrcoef(found[:, 0, 2], found[:, 1, 2])[0, 1]) < 0.25


def test_shears_fill_their_range() -> None:
    found = matrices(changing(shear=0.3))
    assert (found[:, [0, 1], [0, 1]] == 1).all()
    for tangents in (found[:, 0, 1], found[:, 1, 0]):
        assert np.abs(tangents).max() <= 0.3
        assert np.histogram(tangents, 4, (-0.3, 0.3))[0].min() > 60


def test_contrast_and_brightness_fill_their_range() -> None:
    contrasts, brightnesses = drawn(changing(contrast=0.4, brightness=0.2)).tones.T
    assert np.histogram(contrasts, 4, (0.6, 1.4))[0].min() > 60
    assert (np.abs(contrasts - 1) <= 0.4 + 1e-6).all()
    assert np.histogram(brightnesses, 4, (-51, 51))[0].min() > 60
    assert (np.abs(brightnesses) <= 51).all()


def test_one_change_leaves_the_others_as_they_were() -> None:
    """The whole map is the product of what each change draws when it is the only one, in the order documented."""
    product = np.eye(3)
    for name in GEOMETRY:
        product = product @ whole(changing(randaugment_magnitude=6, **{name: getattr(ALL, name)}))
    np.testing.assert_allclose(whole(ALL), product, atol=2e-4)
    np.testing.assert_array_equal(drawn(ALL).tones[:, 0], drawn(changing(contrast=ALL.contrast)).tones[:, 0])
    np.testing.assert_array_equal(drawn(ALL).tones[:, 1], drawn(changing(brightness=ALL.brightness)).tones[:, 1])


def test_more_operations_begin_with_the_same_ones() -> None:
    few, many = (drawn(changing(randaugment=count, randaugment_magnitude=3)) for count in (2, 5))
    np.testing.assert_array_equal(many.operations[:, :2], few.operations)
    np.testing.assert_array_equal(many.levels[:, :2], few.levels)


def test_the_centre_stays() -> None:
    maps = whole(changing(flip="both", rotation=0.2, zoom=0.3, shear=0.2))
    centre = (SIZE - 1) / 2
    np.testing.assert_allclose((maps @ [centre, centre, 1])[:, :2], centre, atol=1e-4)


@pytest.mark.parametrize("number", range(4))
def test_views_are_what_keras_layers_make(number: int) -> None:
    """Zoom, rotation and flip, one after the other, as Keras's own layers do them with fixed factors."""
    import keras

    settings = changing(flip="horizontal", rotation=0.1, zoom=0.2)
    maps = draw(settings, [DIGESTS[number]] * 2, 0, seed=1, size=SIZE).maps
    linear = maps[0, [0, 1, 3, 4]].reshape(2, 2)
    zoom = np.sqrt(abs(np.linalg.det(linear)))
    mirrored = np.linalg.det(linear) < 0
    rotation = linear / zoom @ np.diag([-1 if mirrored else 1, 1])
    turn = np.arctan2(rotation[1, 0], rotation[0, 0]) / (2 * np.pi)

    images = smooth_images()
    layers = [keras.layers.RandomZoom((zoom - 1, zoom - 1)), keras.layers.RandomRotation((turn, turn))]
    expected = images
    for layer in layers:
        expected = np.asarray(layer(expected, training=True))
    if mirrored:
        expected = expected[:, :, ::-1]

    # Outside the circle the layers' intermediate pictures have lost what ours still reads.
    rows, columns = np.mgrid[0:SIZE, 0:SIZE] - (SIZE - 1) / 2
    inside = np.hypot(rows, columns) < SIZE / 2 / 1.2 - 2
    found = mapped(images, maps)
    difference, change = np.abs(found - expected)[:, inside], np.abs(found - images)[:, inside]
    assert difference.max() < 3
    assert change.max() > 10 * difference.max()


@pytest.mark.parametrize(("fill", "padding"), FILLS.items())
@pytest.mark.parametrize(("right", "down"), [(5, 0), (0, 7), (-3, 4), (-SIZE // 2, SIZE // 2)])
def test_a_shift_by_whole_pixels_moves_the_content(fill: str, padding: Any, right: int, down: int) -> None:
    images = noise(2)
    padded = np.pad(images, ((0, 0), (SIZE, SIZE), (SIZE, SIZE), (0, 0)), padding)
    expected = padded[:, SIZE - down : 2 * SIZE - down, SIZE - right : 2 * SIZE - right]
    np.testing.assert_array_equal(mapped(images, np.tile(moved(right, down), (2, 1)), fill), expected)


def test_a_shift_is_so_many_sides() -> None:
    settings = changing(shift_horizontal=0.5, shift_vertical=0.25, fill="constant")
    images = np.zeros((8, SIZE, SIZE, 1), np.uint8)
    images[:, SIZE // 2, SIZE // 2] = 255
    found = augmented(images, settings, DIGESTS[:8], 0, 1)
    rows, columns = np.mgrid[0:SIZE, 0:SIZE]
    maps = drawn(settings).maps[:8]
    for picture, (right, down) in zip(found[..., 0], -maps[:, [2, 5]], strict=True):
        assert abs(right) <= SIZE / 2
        assert abs(down) <= SIZE / 4
        # The dot's centre of mass, wherever interpolation spreads it.
        np.testing.assert_allclose((picture * columns).sum() / picture.sum(), SIZE / 2 + right, atol=1e-3)
        np.testing.assert_allclose((picture * rows).sum() / picture.sum(), SIZE / 2 + down, atol=1e-3)


@pytest.mark.parametrize("quarters", [1, 2, 3])
@pytest.mark.parametrize("size", [48, 49])
def test_a_quarter_turn_is_exact(quarters: int, size: int) -> None:
    images = noise(2, size)
    maps = in_pixels(rotation(quarters * np.pi / 2), size).reshape(1, 9)[:, :8]
    found = mapped(images, np.tile(maps, (2, 1)))
    np.testing.assert_allclose(found, np.rot90(images, quarters, axes=(1, 2)), atol=0.01)


@pytest.mark.parametrize(
    ("fill", "mode"),
    [("reflect", "reflect"), ("nearest", "nearest"), ("constant", "grid-constant"), ("wrap", "grid-wrap")],
)
def test_views_are_what_scipy_makes(fill: str, mode: str) -> None:
    """Every geometric change at once, outside the image as well as inside."""
    from scipy import ndimage

    images = smooth_images(4)
    moderate = ALL.model_copy(update={"randaugment": 0})
    maps = draw(moderate, DIGESTS[:4], 0, 1, SIZE).maps
    found = mapped(images, maps, fill)
    rows, columns = np.mgrid[0:SIZE, 0:SIZE]
    for image, view, (a0, a1, a2, b0, b1, b2, _, _) in zip(images, found, maps, strict=True):
        # Between an image's last pixels and the first ones of its repetition nothing is interpolated.
        places = np.stack([a0 * columns + a1 * rows + a2, b0 * columns + b1 * rows + b2])
        seam = (fill == "wrap") & (places % SIZE > SIZE - 1).any(axis=0)
        assert seam.mean() < 0.1
        for channel in range(3):
            matrix, offset = [[b1, b0], [a1, a0]], [b2, a2]
            expected = ndimage.affine_transform(image[..., channel], matrix, offset, order=1, mode=mode)
            np.testing.assert_allclose(view[..., channel][~seam], expected[~seam], atol=0.1)


def test_brightness_is_added() -> None:
    images = np.array([0, 100, 200, 255], np.uint8)[:, None, None, None] * np.ones((1, 4, 4, 3), np.uint8)
    assert toned(images, 1.0, 51.0)[:, 0, 0, 0].tolist() == [51, 151, 251, 255]
    assert toned(images, 1.0, -51.0)[:, 0, 0, 0].tolist() == [0, 49, 149, 204]


def test_contrast_is_about_each_channels_mean() -> None:
    images = (noise() // 4 + np.array([20, 80, 140])).astype(np.uint8)
    means = images.mean(axis=(1, 2), keepdims=True)
    for factor in (0.0, 0.5, 1.5):
        np.testing.assert_allclose(toned(images, factor, 0.0), means + factor * (images - means), atol=1e-3)


@given(settings_drawn)
def test_values_stay_within_the_range_of_a_picture(settings: Augmentation) -> None:
    images = noise(2, 32)
    found = augmented(images, settings, DIGESTS[:2], 0, 0)
    assert found.shape == images.shape
    assert found.min() >= 0
    assert found.max() <= 255


def test_outside_the_image_is_mirrored() -> None:
    """No black corners, and no value that the image does not have."""
    images = np.full((8, SIZE, SIZE, 3), 200, np.uint8)
    strongly = changing(flip="both", rotation=0.5, zoom=0.9)
    np.testing.assert_allclose(augmented(images, strongly, DIGESTS[:8], 0, 0), 200, rtol=1e-5)


def test_compiled_and_eager_agree() -> None:
    import tensorflow as tf

    images = noise(4)
    draws = draw(ALL, DIGESTS[:4], 0, 0, SIZE)
    pixels = tf.TensorSpec((None, SIZE, SIZE, 3), tf.uint8)
    compiled = tf.function(
        lambda batch, maps, tones: augment(batch, maps, tones, ALL),
        input_signature=[pixels, tf.TensorSpec((None, 8)), tf.TensorSpec((None, 2))],
    )
    found = compiled(paint(images, draws), draws.maps, draws.tones)
    np.testing.assert_allclose(found, augmented(images, ALL, DIGESTS[:4], 0, 0), atol=1e-2)


@pytest.mark.parametrize("workers", [1, 3])
def test_a_batch_is_its_images(workers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """To the last bit: not the company of a batch, nor the threads that paint, may make a difference."""
    monkeypatch.setattr("headstart.foundation.threads._MOST_WORKERS", workers)
    images = noise(12)
    together = augmented(images, ALL, DIGESTS[:12], 0, 0)
    for number in range(12):
        one = slice(number, number + 1)
        np.testing.assert_array_equal(augmented(images[one], ALL, DIGESTS[one], 0, 0)[0], together[number])
