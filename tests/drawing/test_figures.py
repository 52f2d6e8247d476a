"""Pictures hold what they should, and the same picture is the same bytes."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from headstart.drawing.figures import Strip, Tile, gallery, sheet

RED, BLUE = (255, 0, 0), (0, 0, 255)


def tile(colour: tuple[int, int, int], caption: str = "cat, said to be\ndog (0.98)") -> Tile:
    return Tile(np.full((20, 20, 3), colour, np.uint8), caption)


def drawn(path: Path, tiles: list[Tile], title: str = "title", empty: str = "nothing") -> npt.NDArray[np.uint8]:
    gallery(path / "g.png", title, tiles, empty)
    with Image.open(path / "g.png") as image:
        return np.array(image.convert("RGB"))


def blobs(pixels: npt.NDArray[np.uint8], colour: tuple[int, int, int]) -> int:
    """How many tiles of a colour stand side by side in the first row that has some."""
    here = (pixels == colour).all(axis=-1)
    row = here[here.any(axis=1).argmax() + 5]
    return int((np.diff(row.astype(int)) == 1).sum())


def test_every_tile_is_drawn(tmp_path: Path) -> None:
    pixels = drawn(tmp_path, [tile(RED)] * 6 + [tile(BLUE)] * 2)
    assert (blobs(pixels, RED), blobs(pixels, BLUE)) == (6, 2)


def test_rows_are_added_as_they_are_needed(tmp_path: Path) -> None:
    heights = [len(drawn(tmp_path, [tile(RED)] * count)) for count in (1, 6, 7, 13)]
    assert heights[0] == heights[1] < heights[2] < heights[3]


def test_where_there_is_nothing_it_is_said(tmp_path: Path) -> None:
    said, silent = (drawn(tmp_path, [], empty=text) for text in ("no test image was classified wrongly", ""))
    assert said.shape == silent.shape
    assert (said != silent).any()


@pytest.mark.parametrize(
    "text", ["$\\frac{1}{0}$", "a$b", "<script>", "\\", "{}", "%s", "", " ", "\n", "a\r\tb", "x" * 255]
)
def test_any_text_is_drawn_as_it_is(tmp_path: Path, text: str) -> None:
    drawn(tmp_path, [tile(RED, text)], title=text)


def test_letters_that_the_font_lacks_do_no_harm(tmp_path: Path) -> None:
    drawn(tmp_path, [tile(RED, "🐱, said to be 犬 or كلب")], title="猫")


def test_long_names_do_not_squeeze_the_pictures(tmp_path: Path) -> None:
    short, long = (drawn(tmp_path, [tile(RED, name)] * 2) for name in ("cat\ndog", "x" * 200 + "\n" + "y " * 100))
    assert long.shape == short.shape
    assert blobs(long, RED) == 2
    assert (long == RED).all(axis=-1).sum() > 0.5 * (short == RED).all(axis=-1).sum()


def test_the_same_picture_is_the_same_bytes(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        drawn(tmp_path / folder, [tile(RED), tile(BLUE)])
    assert (tmp_path / "one" / "g.png").read_bytes() == (tmp_path / "two" / "g.png").read_bytes()


def test_the_file_says_nothing_of_when_and_by_what_it_was_made(tmp_path: Path) -> None:
    drawn(tmp_path, [tile(RED)])
    with Image.open(tmp_path / "g.png") as image:
        assert set(image.info) <= {"dpi"}


def strip(height: int, width: int, number: int, caption: str = "block1_conv1, 48 × 48 × 64") -> Strip:
    return Strip(np.random.default_rng(number).integers(0, 256, (height, width, 3), np.uint8), caption)


def sheet_drawn(path: Path, columns: list[list[Strip]], title: str = "title") -> npt.NDArray[np.uint8]:
    sheet(path / "s.png", title, columns)
    with Image.open(path / "s.png") as image:
        return np.array(image.convert("RGB"))


def stands_in(pixels: npt.NDArray[np.uint8], part: npt.NDArray[np.uint8]) -> bool:
    """Whether ``part`` is somewhere in a picture, pixel by pixel."""
    height, width = part.shape[:2]
    starts = np.argwhere((pixels[: -height + 1, : -width + 1] == part[0, 0]).all(axis=2))
    return any((pixels[row : row + height, column : column + width] == part).all() for row, column in starts)


@pytest.mark.parametrize("width", [300, 333, 1086, 1257])
def test_strips_are_drawn_pixel_by_pixel(tmp_path: Path, width: int) -> None:
    columns = [[strip(40, width, 1), strip(71, width - 50, 2)], [strip(33, 211, 3)]]
    pixels = sheet_drawn(tmp_path, columns)
    assert all(stands_in(pixels, one.pixels) for column in columns for one in column)
    assert pixels.shape[1] == width + 211 + 3 * 16


def test_a_strip_has_its_caption_above_it(tmp_path: Path) -> None:
    said, silent = (sheet_drawn(tmp_path, [[strip(60, 300, 1, text)]]) for text in ("block1_conv1", " "))
    changed = np.flatnonzero((said != silent).any(axis=(1, 2)))
    assert said.shape == silent.shape
    assert changed.size
    assert changed.max() < len(said) - 60 - 16


@pytest.mark.parametrize("text", ["$\\frac{1}{0}$", "", "\n", "x" * 500, "猫 🐱\nكلب", "a | b\n" * 5])
def test_any_caption_fits(tmp_path: Path, text: str) -> None:
    one = strip(60, 300, 1, text)
    pixels = sheet_drawn(tmp_path, [[one]], title=text)
    assert stands_in(pixels, one.pixels)
    assert pixels.shape[1] == 300 + 2 * 16


def test_the_same_sheet_is_the_same_bytes(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        sheet_drawn(tmp_path / folder, [[strip(60, 300, 1)]])
    assert (tmp_path / "one" / "s.png").read_bytes() == (tmp_path / "two" / "s.png").read_bytes()
