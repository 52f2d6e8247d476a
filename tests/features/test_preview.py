"""The sheet shows training images and what augmentation really makes of them, whatever their classes are called."""

import shutil
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from PIL import Image

from headstart.features import preview
from headstart.foundation import paths
from headstart.foundation.framing import Framing
from headstart.images import images, manifest
from headstart.settings import params
from headstart.settings.schema import Augmentation
from tests.augmented import ALL, augmented, changing
from tests.pipeline import IMAGE_SIZE

pytest_plugins = ["tests.pipeline_fixtures"]
pytestmark = pytest.mark.usefixtures("tensorflow")

HOSTILE = ("<script>alert(1)</script>", "x" * 300, "猫 🐱 مرحبا", "a\nb\tc\x00\x1b[31m\u202e")


def drawn(frame: pd.DataFrame, settings: Augmentation) -> npt.NDArray[np.uint8]:
    preview.draw(frame, settings, Framing(IMAGE_SIZE), seed=7)
    with Image.open(paths.PREVIEW) as sheet:
        assert (sheet.format, sheet.mode, sheet.info) == ("PNG", "RGB", {})
        return np.asarray(sheet)


def tiles(sheet: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """The pictures of four rows and ten columns, (4, 10, 112, 112, 3), where there is one line of title."""
    return np.array([[_cut(sheet, 70 + row * 138, 10 + column * 118) for column in range(10)] for row in range(4)])


def _cut(sheet: npt.NDArray[np.uint8], top: int, left: int) -> npt.NDArray[np.uint8]:
    return sheet[top : top + 112, left : left + 112]


def enlarged(values: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    picture = Image.fromarray(np.rint(values).astype(np.uint8))
    return np.asarray(picture.resize((112, 112), Image.Resampling.LANCZOS))


@pytest.mark.parametrize(
    ("classes", "expected"),
    [("bbbaaa", ["a3", "b0", "a4", "b1"]), ("abcdef", ["a0", "b1", "c2", "d3"]), ("aab", ["a0", "b2", "a1"])],
)
def test_classes_take_turns(classes: str, expected: list[str]) -> None:
    rows = [("0", "a", "test"), *((f"{name}{place}", name, "train") for place, name in enumerate(classes))]
    assert list(manifest.previewed(pd.DataFrame(rows, columns=["path", "class", "split"]))["path"]) == expected


def test_it_shows_the_views_that_are_trained_on(pipeline: Path) -> None:
    frame = manifest.read(paths.MANIFEST)
    settings = changing(rotation=0.1, brightness=0.2)
    found = tiles(drawn(frame, settings))
    rows = manifest.previewed(frame)
    pixels = np.stack([images.load(paths.PREPARED / path, Framing(IMAGE_SIZE)) for path in rows["path"]])
    for number in range(4):
        np.testing.assert_array_equal(found[number, 0], enlarged(pixels[number]))
        for view in range(9):
            expected = augmented(pixels, settings, list(rows["sha256"]), view, seed=7)
            np.testing.assert_array_equal(found[number, 1 + view], enlarged(expected[number]))


def test_without_augmentation_all_pictures_of_a_row_are_alike(pipeline: Path) -> None:
    found = tiles(drawn(manifest.read(paths.MANIFEST), changing()))
    np.testing.assert_array_equal(found, np.repeat(found[:, :1], 10, axis=1))


def test_it_needs_no_image_but_those_of_training(pipeline: Path) -> None:
    frame = manifest.read(paths.MANIFEST)
    before = drawn(frame, ALL)
    for split in ("validation", "test"):
        shutil.rmtree(paths.PREPARED / split)
    np.testing.assert_array_equal(drawn(frame, ALL), before)


def test_the_same_sheet_has_the_same_bytes(pipeline: Path) -> None:
    given = params.load()
    written = paths.PREVIEW.read_bytes()
    preview.draw(manifest.read(paths.MANIFEST), given.augmentation, Framing(IMAGE_SIZE), given.seed)
    assert paths.PREVIEW.read_bytes() == written


def test_any_name_of_a_class_can_be_drawn(pipeline: Path) -> None:
    frame = manifest.read(paths.MANIFEST)
    train = frame["split"] == "train"
    plain = drawn(frame, changing())
    hostile = frame.assign(**{"class": [HOSTILE[place % 4] for place in range(len(frame))]})
    assert train.sum() >= 4
    assert drawn(hostile, changing()).shape == plain.shape


def test_letters_beyond_ascii_are_drawn() -> None:
    missing = preview._font().getmask("\ufffe")
    for letter in "éßжαű":
        assert bytes(preview._font().getmask(letter)) != bytes(missing)


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        (changing(), "nothing is switched on"),
        (changing(flip="horizontal", rotation=0.02), "flip horizontal, rotation 0.02, fill reflect"),
        (
            changing(shear=0.5, fill="wrap", randaugment=2, randaugment_magnitude=9),
            "shear 0.5, fill wrap, randaugment 2, randaugment_magnitude 9",
        ),
        (changing(zoom=0.1, randaugment_magnitude=9), "zoom 0.1, fill reflect"),
    ],
)
def test_it_says_what_is_switched_on(settings: Augmentation, text: str) -> None:
    assert preview.described(settings) == text
