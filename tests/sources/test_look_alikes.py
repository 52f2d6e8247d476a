"""Photographs of one scene become groups where that is asked for: bursts, nearly identical pictures, and chains."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageFilter

from headstart.sources import look_alikes
from headstart.sources.look_alikes import LookAlikes
from headstart.sources.subset import Subset
from tests import subsets

PLACES = st.integers(0, 19)
PAIRS = st.tuples(PLACES, PLACES).filter(lambda pair: pair[0] < pair[1])


@given(st.dictionaries(PLACES, st.sampled_from("AB")), st.lists(PAIRS))
def test_a_group_is_whatever_leads_to_one_another(bursts: dict[int, str], alike: list[tuple[int, int]]) -> None:
    found = look_alikes.groups([f"{place}.jpg" for place in range(20)], bursts, alike)
    assert found.keys() == bursts.keys() | {place for pair in alike for place in pair}
    together = [{place for place in bursts if bursts[place] == name} for name in "AB"] + [set(pair) for pair in alike]
    reached = {place: {place} for place in found}
    for _ in range(20):
        for those in together:
            everything = set().union(*(reached[place] for place in those))
            reached |= dict.fromkeys(everything, everything)
    for place, group in found.items():
        assert {other for other in found if found[other] == group} == reached[place]


def test_the_name_of_a_burst_says_more_than_that_of_a_picture() -> None:
    names = ["a.jpg", "b.jpg", "c.jpg", "d.jpg", "e.jpg"]
    found = look_alikes.groups(names, {1: "Canon 12:00", 2: "Canon 12:00"}, [(0, 1), (3, 4)])
    assert found == {**dict.fromkeys([0, 1, 2], "Canon 12:00"), **dict.fromkeys([3, 4], "like d.jpg")}


def picture(number: int) -> Image.Image:
    blocks = np.random.default_rng(number).integers(30, 210, (6, 8, 3), np.uint8)
    large = Image.fromarray(blocks).resize((400, 300), Image.Resampling.NEAREST)
    return large.filter(ImageFilter.GaussianBlur(5))


def drawn(folder: Path, alike: LookAlikes) -> Subset:
    """A subset of two classes with ten pictures each, three of which are there once more: smaller, lighter, as PNG."""
    for offset, name in ((0, "ant"), (100, "bee")):
        (folder / "source" / name).mkdir(parents=True)
        for number in range(10):
            picture(offset + number).save(folder / "source" / name / f"{number}.jpg")
        again = [picture(offset).resize((100, 75)), picture(offset + 1).point(lambda value: value * 1.15)]
        for number, image in enumerate([*again, picture(offset + 2)]):
            image.save(folder / "source" / name / f"again_{number}.png")
    return subsets.drawn(folder, 0.25, alike)


def test_near_duplicates_stay_together(tmp_path: Path) -> None:
    subset = drawn(tmp_path, "grouped")
    groups = subset.frame[subset.frame["group"] != ""].groupby("group")
    assert len(groups) == 6
    assert (groups.size() == 2).all()
    assert (groups["split"].nunique() == 1).all()
    for _, paths in groups["path"]:
        one, other = sorted(Path(path).stem for path in paths)
        assert other == f"again_{one}" or one == other.removeprefix("again_")
    assert "12 images are nearly identical to others, with which they stay" in subset.notes


@pytest.mark.parametrize("alike", ["told", "ignored"])
def test_nobody_looks_for_them_unasked(tmp_path: Path, alike: LookAlikes) -> None:
    subset = drawn(tmp_path, alike)
    assert not subset.frame["group"].any()
    assert not [note for note in subset.notes if "identical" in note]
