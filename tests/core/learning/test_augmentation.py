"""A view is what Keras's layers would make of the image, and the same view whenever it is made."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.core.learning.augmentation import augment, transforms
from stages.core.schema import Augmentation

pytest_plugins = ["tests.pipeline_fixtures"]
pytestmark = pytest.mark.usefixtures("tensorflow")

SIZE = 48
NOTHING = Augmentation(flip="none", rotation=0.0, zoom=0.0)
ALL = Augmentation(flip="both", rotation=0.2, zoom=0.3)
DIGESTS = [f"{number:064x}" for number in range(400)]

digests = st.lists(st.integers(0, 2**64).map("{:064x}".format), min_size=1, max_size=6, unique=True)
settings_drawn = st.builds(
    Augmentation,
    flip=st.sampled_from(["none", "horizontal", "vertical", "both"]),
    rotation=st.floats(0, 0.5),
    zoom=st.floats(0, 0.9),
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


def matrices(settings: Augmentation, view: int = 0, size: int = SIZE) -> npt.NDArray[np.float64]:
    """The linear part of many views' maps, (views, 2, 2)."""
    maps = transforms(settings, DIGESTS, view, seed=1, size=size).astype(np.float64)
    return maps[:, [0, 1, 3, 4]].reshape(-1, 2, 2)


def augmented(images: npt.NDArray[Any], maps: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return np.asarray(augment(images, maps))


@given(settings_drawn, digests, st.integers(0, 9), st.integers(0, 2**31 - 1), st.randoms(use_true_random=False))
def test_a_view_depends_on_image_view_and_seed_alone(
    settings: Augmentation, drawn: list[str], view: int, seed: int, random: Any
) -> None:
    together = transforms(settings, drawn, view, seed, SIZE)
    order = list(range(len(drawn)))
    random.shuffle(order)
    np.testing.assert_array_equal(transforms(settings, [drawn[i] for i in order], view, seed, SIZE), together[order])
    np.testing.assert_array_equal(transforms(settings, drawn[:1], view, seed, SIZE)[0], together[0])
    assert together.shape == (len(drawn), 8)
    assert together.dtype == np.float32


@pytest.mark.parametrize("other", [{"view": 1, "seed": 1}, {"view": 0, "seed": 2}])
def test_views_and_seeds_differ(other: dict[str, int]) -> None:
    first = transforms(ALL, DIGESTS, 0, 1, SIZE)
    assert (transforms(ALL, DIGESTS, **other, size=SIZE) != first).any(axis=1).all()


def test_views_are_the_same_on_every_machine() -> None:
    """Written down once: another machine, process or version of NumPy must draw the same."""
    found = transforms(ALL, ["ab" * 32], view=3, seed=42, size=96)
    expected = [[1.0314282, -0.04927441, 0.8476921, 0.04927441, 1.0314282, -3.8333769, 0, 0]]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@given(digests, st.integers(0, 9), st.integers(32, 300))
def test_without_changes_the_map_is_the_identity(drawn: list[str], view: int, size: int) -> None:
    identity = np.tile(np.array([1, 0, 0, 0, 1, 0, 0, 0], np.float32), (len(drawn), 1))
    np.testing.assert_array_equal(transforms(NOTHING, drawn, view, 0, size), identity)


def test_without_changes_the_view_is_the_image() -> None:
    images = np.random.default_rng(0).integers(0, 256, (3, SIZE, SIZE, 3), np.uint8)
    found = augmented(images, transforms(NOTHING, DIGESTS[:3], 0, 0, SIZE))
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, images)


@pytest.mark.parametrize("size", [48, 49])
@pytest.mark.parametrize(("flip", "axes"), [("horizontal", {2}), ("vertical", {1}), ("both", {1, 2})])
def test_a_flip_is_an_exact_mirror(flip: Any, axes: set[int], size: int) -> None:
    settings = Augmentation(flip=flip, rotation=0.0, zoom=0.0)
    images = np.random.default_rng(0).integers(0, 256, (8, size, size, 3), np.uint8)
    maps = transforms(settings, DIGESTS[:8], 0, 0, size)
    seen = set()
    for image, found, view in zip(images, augmented(images, maps), maps, strict=True):
        mirrored = tuple(axis for axis, scale in ((2, view[0]), (1, view[4])) if scale < 0)
        seen |= set(mirrored)
        np.testing.assert_array_equal(found, np.flip(image, tuple(axis - 1 for axis in mirrored)))
    assert seen == axes


@pytest.mark.parametrize("flip", ["horizontal", "vertical", "both"])
def test_each_way_is_mirrored_half_the_time(flip: Any) -> None:
    found = matrices(Augmentation(flip=flip, rotation=0.0, zoom=0.0))
    shares = [(found[:, i, i] < 0).mean() for i in range(2)]
    for share, mirrors in zip(shares, (flip != "vertical", flip != "horizontal"), strict=True):
        # 400 draws: five standard deviations are 0.125.
        assert abs(share - 0.5) < 0.125 if mirrors else share == 0


def test_rotations_fill_their_range() -> None:
    found = matrices(Augmentation(flip="none", rotation=0.1, zoom=0.0))
    turns = np.arctan2(found[:, 1, 0], found[:, 0, 0]) / (2 * np.pi)
    np.testing.assert_allclose(np.linalg.det(found), 1, rtol=1e-5)
    assert np.abs(turns).max() <= 0.1
    assert np.histogram(turns, 4, (-0.1, 0.1))[0].min() > 60


def test_zooms_fill_their_range() -> None:
    found = matrices(Augmentation(flip="none", rotation=0.0, zoom=0.2))
    assert (found[:, 0, 1] == 0).all()
    np.testing.assert_array_equal(found[:, 0, 0], found[:, 1, 1])
    assert np.histogram(found[:, 0, 0], 4, (0.8, 1.2))[0].min() > 60
    assert (np.abs(found[:, 0, 0] - 1) <= 0.2 + 1e-6).all()


def test_one_change_leaves_the_others_as_they_were() -> None:
    """Switching the flip on must not draw another rotation for the same view."""
    plain = matrices(Augmentation(flip="none", rotation=0.1, zoom=0.2))
    mirrored = matrices(Augmentation(flip="horizontal", rotation=0.1, zoom=0.2))
    turned_back = mirrored @ np.diag([-1, 1])
    same = np.isclose(mirrored, plain).all(axis=(1, 2)) | np.isclose(turned_back, plain).all(axis=(1, 2))
    assert same.all()


def test_the_centre_stays() -> None:
    maps = transforms(ALL, DIGESTS, 0, 0, SIZE).astype(np.float64)
    centre = (SIZE - 1) / 2
    x = maps[:, 0] * centre + maps[:, 1] * centre + maps[:, 2]
    y = maps[:, 3] * centre + maps[:, 4] * centre + maps[:, 5]
    np.testing.assert_allclose(np.stack([x, y]), centre, atol=1e-4)


@pytest.mark.parametrize("number", range(4))
def test_views_are_what_keras_layers_make(number: int) -> None:
    """Zoom, rotation and flip, one after the other, as Keras's own layers do them with fixed factors."""
    import keras

    settings = Augmentation(flip="horizontal", rotation=0.1, zoom=0.2)
    maps = transforms(settings, [DIGESTS[number]] * 2, 0, seed=1, size=SIZE)
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
    found = augmented(images, maps)
    difference, change = np.abs(found - expected)[:, inside], np.abs(found - images)[:, inside]
    assert difference.max() < 3
    assert change.max() > 10 * difference.max()


def test_outside_the_image_is_mirrored() -> None:
    """No black corners, and no value that the image does not have."""
    images = np.full((8, SIZE, SIZE, 3), 200, np.uint8)
    strongly = Augmentation(flip="both", rotation=0.5, zoom=0.9)
    np.testing.assert_allclose(augmented(images, transforms(strongly, DIGESTS[:8], 0, 0, SIZE)), 200, rtol=1e-5)


def test_compiled_and_eager_agree() -> None:
    import tensorflow as tf

    images, maps = smooth_images(4), transforms(ALL, DIGESTS[:4], 0, 0, SIZE)
    compiled = tf.function(augment)(tf.constant(images), tf.constant(maps))
    np.testing.assert_allclose(compiled, augmented(images, maps), atol=1e-3)


def test_a_batch_is_its_images() -> None:
    images, maps = smooth_images(4), transforms(ALL, DIGESTS[:4], 0, 0, SIZE)
    together = augmented(images, maps)
    for number in range(4):
        one = slice(number, number + 1)
        np.testing.assert_array_equal(augmented(images[one], maps[one])[0], together[number])
