"""Pictures of any shape in a square: what is seen, where it lies, and the same at any size and orientation."""

import io
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from headstart.foundation.framing import Fit, Framing
from headstart.images.fitting import PAD, onto_picture
from headstart.images.images import decode, square
from tests.pictures import encode, pixels

FITS = get_args(Fit)


def far(one: np.ndarray, other: np.ndarray) -> int:
    return int(np.abs(one.astype(int) - other.astype(int)).max())


def resized(values: np.ndarray, size: int) -> np.ndarray:
    return np.asarray(Image.fromarray(values).resize((size, size), Image.Resampling.BILINEAR))


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_stretch_gives_the_bytes_it_always_gave(kind: str) -> None:
    """Pillow's own resizing of the whole image, with the box that a reduced JPEG asks for."""
    data = encode(pixels(1, 301, 640), kind)
    with Image.open(io.BytesIO(data)) as image:
        drafted = image.draft(None, (64, 64))
        expected = image.convert("RGB").resize((32, 32), Image.Resampling.BILINEAR, drafted[1] if drafted else None)
    np.testing.assert_array_equal(square(data, Framing(32)), np.asarray(expected))


@pytest.mark.parametrize("fit", FITS)
def test_a_square_picture_is_the_same_in_every_fit(fit: Fit) -> None:
    for side in (8, 32, 75):
        data = encode(pixels(2, side, side), "PNG")
        assert far(square(data, Framing(32, fit)), square(data, Framing(32))) <= 1


@pytest.mark.parametrize(("height", "width"), [(60, 101), (101, 60), (7, 5), (1, 40), (40, 1), (300, 299)])
def test_crop_is_the_middle_and_pad_the_whole_on_grey(height: int, width: int) -> None:
    picture = pixels(3, height, width)
    data = encode(picture, "PNG")
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    middle = picture[top : top + side, left : left + side]
    np.testing.assert_array_equal(square(data, Framing(32, "crop")), resized(middle, 32))
    side = max(height, width)
    top, left = (side - height) // 2, (side - width) // 2
    canvas = np.full((height + 2 * top, width + 2 * left, 3), PAD, np.uint8)
    canvas[top : top + height, left : left + width] = picture
    assert far(square(data, Framing(32, "pad")), resized(canvas, 32)) <= 1


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_turned_picture_is_fitted_as_an_upright_one(kind: str, orientation: int, fit: Fit) -> None:
    upright = pixels(4, 301, 530)
    turns = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: np.rot90(upright, 1),
        7: upright[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(upright, -1),
    }
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = encode(np.ascontiguousarray(turns[orientation]), kind, exif=exif, quality=97)
    expected = square(encode(upright, "PNG"), Framing(40, fit))
    assert far(square(stored, Framing(40, fit)), expected) <= (8 if kind == "JPEG" else 1)


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize(("height", "width"), [(600, 801), (301, 1001), (2000, 303)])
def test_a_large_jpeg_is_fitted_as_if_it_were_decoded_whole(height: int, width: int, fit: Fit) -> None:
    smooth = Image.fromarray(pixels(5)).resize((width, height), Image.Resampling.BICUBIC)
    data = encode(smooth, "JPEG", quality=95)
    whole = encode(decode(data), "PNG")
    assert far(square(data, Framing(32, fit)), square(whole, Framing(32, fit))) <= 5


@settings(max_examples=60)
@given(st.integers(1, 90), st.integers(1, 90), st.integers(4, 40), st.sampled_from(FITS))
def test_grey_stays_grey_and_nothing_is_made_up(height: int, width: int, size: int, fit: Fit) -> None:
    found = square(encode(pixels(6, height, width)[..., 0], "PNG"), Framing(size, fit))
    assert found.shape == (size, size, 3)
    assert (found == found[..., :1]).all()
    values = pixels(6, height, width)[..., 0]
    assert found.min() >= min(values.min(), PAD) - 1
    assert found.max() <= max(values.max(), PAD) + 1


def test_padding_a_long_strip_takes_little_memory() -> None:
    data = encode(Image.new("L", (3, 900_000), 255), "PNG")
    found = square(data, Framing(32, "pad"))
    assert found.shape == (32, 32, 3)
    assert set(np.unique(found[:, :14])) == {PAD}


@pytest.mark.parametrize(("height", "width"), [(60, 90), (90, 60), (64, 64), (61, 90)])
@pytest.mark.parametrize("fit", FITS)
def test_a_map_of_the_square_lies_where_the_network_looked(fit: Fit, height: int, width: int) -> None:
    """A bright spot of the picture is bright in the square; taken for a map, it must come back to its place."""
    picture = np.zeros((height, width), np.uint8)
    picture[34:42, 30:38] = 255
    seen = np.asarray(square(encode(picture, "PNG"), Framing(48, fit))[..., 0] / 255, np.float32)
    seen[seen < 0.5] = 0  # without the grey of the padding
    found = onto_picture(seen, height, width, fit)
    assert found.shape == (height, width)
    rows, columns = np.nonzero(found > 0.5)
    assert (rows.mean(), columns.mean()) == (pytest.approx(37.5, abs=1), pytest.approx(33.5, abs=1))
    if fit == "crop" and width > height:
        assert not found[:, : (width - height) // 2].any(), "it saw nothing of the sides"
