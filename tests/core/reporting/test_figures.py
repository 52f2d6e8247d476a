"""Pictures hold what they should, and the same picture is the same bytes."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from stages.core.reporting.figures import Tile, gallery

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
