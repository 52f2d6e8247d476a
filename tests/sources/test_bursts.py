"""Photographs that one camera took within seconds are kept together, and told where nobody asked for it."""

import io
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ExifTags, Image

from headstart.images import exif
from headstart.images.exif import Shot
from headstart.sources import bursts
from headstart.sources.look_alikes import LookAlikes
from headstart.sources.subset import Subset
from tests import subsets

START = datetime(2024, 5, 1, 12, 0, 0)


def photograph(second: float, camera: str = "Canon", number: int = 0, taken: str | None = None) -> bytes:
    """A small JPEG of noise, taken so many seconds after START."""
    tags = Image.Exif()
    tags[ExifTags.Base.Make], tags[ExifTags.Base.Model] = camera, "EOS\0"
    written = taken or (START + timedelta(seconds=second)).strftime("%Y:%m:%d %H:%M:%S")
    tags.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = written
    pixels = np.random.default_rng([int(second), number]).integers(0, 256, (12, 12, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", exif=tags)
    return file.getvalue()


def test_a_shot_is_what_the_file_says() -> None:
    assert exif.shot(photograph(7)) == Shot("Canon EOS", START + timedelta(seconds=7))


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xd8\xff\xe1\x00\x10Exif\0\0II*\0", photograph(0, taken="0000:00:00 00:00:00")]
)
def test_what_says_nothing_of_use_is_no_shot(data: bytes) -> None:
    assert exif.shot(data) is None


@given(st.lists(st.integers(0, 200), min_size=1, max_size=30), st.lists(st.sampled_from("AB"), min_size=30))
def test_whoever_is_within_ten_seconds_of_another_is_in_its_burst(seconds: list[int], cameras: list[str]) -> None:
    shots = {place: Shot(cameras[place], START + timedelta(seconds=second)) for place, second in enumerate(seconds)}
    found = bursts.find(shots)
    for one in shots:
        near = [
            other
            for other in shots
            if other != one and cameras[one] == cameras[other] and abs(seconds[one] - seconds[other]) <= 10
        ]
        assert (one in found) == bool(near)
        assert all(found[other] == found[one] for other in near)
    assert all(len({cameras[place] for place in found if found[place] == name}) == 1 for name in found.values())


def drawn(tmp_path: Path, alike: LookAlikes = "told") -> Subset:
    """A subset of two classes, each of eight bursts of three pictures, and a picture between two bursts."""
    for offset, name in ((0, "ant"), (5000, "bee")):
        (tmp_path / "source" / name).mkdir(parents=True)
        for number in range(24):
            second = offset + 100 * (number // 3) + 3 * (number % 3)
            (tmp_path / "source" / name / f"{number}.jpg").write_bytes(photograph(second, number=number))
        (tmp_path / "source" / name / "single.jpg").write_bytes(photograph(offset + 50))
    return subsets.drawn(tmp_path, 0.2, alike)


def test_bursts_stay_whole_where_that_is_asked_for(tmp_path: Path) -> None:
    subset = drawn(tmp_path, "grouped")
    groups = subset.frame[subset.frame["group"] != ""].groupby("group")
    assert len(groups) == 16
    assert (groups.size() == 3).all()
    assert (groups["split"].nunique() == 1).all()
    assert "48 images are in 16 bursts (one camera, 10 seconds apart at the most), which stay whole" in subset.notes


def test_otherwise_they_are_told(tmp_path: Path) -> None:
    subset = drawn(tmp_path)
    assert not subset.frame["group"].any()
    (line,) = [note for note in subset.notes if "bursts" in note]
    assert line.endswith("keep each in one split with `dvc exp run -S prepare.group=auto`")


def test_who_wants_no_groups_is_told_of_none(tmp_path: Path) -> None:
    assert not [note for note in drawn(tmp_path, "ignored").notes if "bursts" in note]
