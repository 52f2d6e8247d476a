from collections.abc import Callable
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageEnhance, ImageFilter

from headstart.foundation.array_types import GreyArray
from headstart.images.near_duplicates import near_duplicates, perceptual_hashes, thumbnail


def picture(seed: int) -> Image.Image:
    """A smooth random picture of 160 x 120 pixels, with edges."""
    source = np.random.default_rng(seed)
    blocks = Image.fromarray(source.integers(30, 210, size=(6, 8, 3), dtype=np.uint8))
    return blocks.resize((160, 120), Image.Resampling.NEAREST).filter(ImageFilter.GaussianBlur(5))


def small(image: Image.Image) -> GreyArray:
    return thumbnail(np.asarray(image.convert("L")))


def recompressed(image: Image.Image) -> Image.Image:
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=30)
    return Image.open(buffer)


def halved(image: Image.Image) -> Image.Image:
    return image.resize((image.width // 2, image.height // 2), Image.Resampling.BICUBIC)


def greyed(image: Image.Image) -> Image.Image:
    return image.convert("L")


def brightened(image: Image.Image) -> Image.Image:
    return ImageEnhance.Brightness(image).enhance(1.2)


def naive_hash(thumbnail: GreyArray) -> str:
    """Zauner (2010), section 3.2.1, by the definition of the cosine transform; 64 signs."""
    n = np.arange(32)
    waves = np.array([[np.cos(np.pi * k * (2 * x + 1) / 64) for x in n] for k in range(8)])
    low = (waves @ thumbnail.astype(float) @ waves.T).ravel()
    median = sorted(low[1:])[31]
    return "".join("1" if value > median else "0" for value in low)


@pytest.mark.parametrize("seed", range(5))
def test_hashes_are_the_signs_of_the_cosine_transform(seed: int) -> None:
    shrunk = small(picture(seed))
    (found,) = perceptual_hashes(shrunk[None])
    assert "".join(f"{byte:08b}" for byte in found.tobytes()) == naive_hash(shrunk)


def test_a_thumbnail_averages_areas() -> None:
    grey = np.zeros((64, 96), dtype=np.uint8)
    grey[:, ::3] = 120
    assert thumbnail(grey).shape == (32, 32)
    assert (thumbnail(grey) == 40).all()


@pytest.mark.parametrize("change", [recompressed, halved, greyed, brightened])
def test_changed_pictures_are_found_and_different_ones_are_not(change: Callable[[Image.Image], Image.Image]) -> None:
    originals = [picture(seed) for seed in range(20)]
    thumbnails = np.stack([small(image) for image in originals + [change(image) for image in originals]])
    found = near_duplicates(thumbnails, ["train"] * 20 + ["test"] * 20)
    assert sorted((pair.first, pair.second) for pair in found) == [(i, i + 20) for i in range(20)]
    assert all(0.99 <= pair.correlation <= 1 + 1e-12 for pair in found)


def test_pairs_within_a_split_are_no_leak() -> None:
    shrunk = small(picture(0))
    assert near_duplicates(np.stack([shrunk, shrunk]), ["train", "train"]) == []


def test_the_most_alike_come_first_and_every_pair_once() -> None:
    original = picture(0)
    thumbnails = np.stack([small(original), small(halved(original)), small(original)])
    found = near_duplicates(thumbnails, ["train", "validation", "test"])
    assert [(pair.first, pair.second) for pair in found] == [(0, 2), (0, 1), (1, 2)]
    assert found[0].correlation == pytest.approx(1)


def test_alike_hashes_of_different_shapes_are_not_listed() -> None:
    # Strong noise changes many pixels and few of the lowest frequencies' signs.
    shrunk = small(picture(3))
    noise = np.random.default_rng(0).integers(-25, 25, size=shrunk.shape)
    noisy = np.clip(shrunk.astype(int) + noise, 0, 255).astype(np.uint8)
    both = np.stack([shrunk, noisy])
    first, second = perceptual_hashes(both)
    assert np.bitwise_count(first ^ second) <= 10
    assert near_duplicates(both, ["train", "test"]) == []


def test_blocks_miss_no_pair(monkeypatch: pytest.MonkeyPatch) -> None:
    thumbnails = np.stack([small(picture(seed)) for seed in [*range(9), *range(9)]])
    splits = ["train"] * 9 + ["test"] * 9
    whole = near_duplicates(thumbnails, splits)
    monkeypatch.setattr("headstart.images.near_duplicates._BLOCK", 4)
    assert len(whole) == 9
    assert near_duplicates(thumbnails, splits) == whole


@given(st.lists(st.integers(0, 255), max_size=5))
def test_flat_pictures_have_no_shape_to_compare(greys: list[int]) -> None:
    thumbnails = np.array([np.full((32, 32), grey) for grey in greys], dtype=np.uint8).reshape(-1, 32, 32)
    assert near_duplicates(thumbnails, [f"split {i}" for i in range(len(greys))]) == []
