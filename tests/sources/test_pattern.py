"""A regular expression of the user's own reads class, group and split off paths."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.foundation.errors import InputError
from headstart.foundation.expression import compiled
from headstart.sources.layout import Label, Unlabelled
from headstart.sources.pattern import read
from headstart.sources.reading import Reading
from headstart.sources.sources import open_files
from tests.pictures import fill, jpeg

NOTHING = Unlabelled("nothing")


def found(text: str, *paths: str, known: Label | Unlabelled = NOTHING) -> list[Label | Unlabelled]:
    return read(text, paths, [known] * len(paths), [None] * len(paths), "source")[0]


def test_classes_groups_and_splits_are_read() -> None:
    text = r"(?P<split>\w+)/(?P<class>[^/]+)_(?P<group>p[0-9]+)_"
    assert found(text, "x/train/cat_p1_9.jpg", "x/val/big dog_p22_1.jpg") == [
        Label("cat", "train", "p1"),
        Label("big dog", "validation", "p22"),
    ]


def test_a_pattern_for_groups_alone_leaves_classes_and_splits() -> None:
    known = Label("cat", "test")
    paths = ["a/person1_2.jpg", "a/other.jpg"]
    labels, notes = read("(?P<group>person[0-9]+)", paths, [known, known], ["test", "test"], "source")
    assert labels == [Label("cat", "test", "person1"), known]
    assert notes == ["prepare.pattern finds a group in all but 1 of 2 images, such as 'a/other.jpg'"]


def test_what_does_not_match_is_dropped_and_the_first_five_are_named() -> None:
    paths = ["cat_1.jpg", *(f"{number}.jpg" for number in range(7))]
    labels, notes = read("(?P<class>[a-z]+)_", paths, [NOTHING] * 8, [None] * 8, "source")
    assert labels == [Label("cat", None), *[Unlabelled("no class: prepare.pattern doesn't match")] * 7]
    assert notes == [
        "prepare.pattern matches all but 7 of 8 images, such as '0.jpg', '1.jpg', '2.jpg', '3.jpg', '4.jpg'"
    ]


def test_a_pattern_that_matches_nothing_is_refused() -> None:
    message = "source: prepare.pattern=(?P<class>x) matches none of 7 images, such as '0', '1', '2', '3', '4'"
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        found("(?P<class>x)", *map(str, range(7)))


def test_a_split_that_is_none_is_refused() -> None:
    with pytest.raises(InputError, match=r"prepare.pattern finds .* split .*'b/cat.jpg'"):
        found(r"(?P<split>.+)/(?P<class>\w+)", "train/cat.jpg", "b/cat.jpg")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("(", "a regular expression (missing ), unterminated subpattern at position 0), such as (?P<class>"),
        ("cat", "a regular expression with the named group class or group, and perhaps split, such as (?P<class>"),
        ("(?P<split>cat)", "with the named group class or group"),
        ("(?P<class>cat)(?P<clas>x)", "with the named group class or group"),
    ],
)
def test_what_is_no_pattern_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        compiled(text)


@given(st.text("ab/_1", max_size=8), st.lists(st.text("ab/_1.", min_size=1, max_size=12), min_size=1, max_size=8))
def test_what_is_read_is_what_the_expression_finds(prefix: str, paths: list[str]) -> None:
    text = f"{re.escape(prefix)}(?P<class>[ab]+)(?:_(?P<group>[ab1]))?"
    matches = [re.search(text, path) for path in paths]
    if not any(matches):
        with pytest.raises(InputError, match="matches none of"):
            found(text, *paths)
        return
    expected = [Label(match["class"], None, match["group"] or "") if match else None for match in matches]
    assert [label if isinstance(label, Label) else None for label in found(text, *paths)] == expected


def test_a_flat_folder_below_splits_is_read(tmp_path: Path) -> None:
    names = [f"{split}/p{n}-{kind}.jpg" for split in ("train", "test") for n in range(2) for kind in ("cat", "dog")]
    fill(tmp_path, {name: jpeg(number) for number, name in enumerate(names)})
    with open_files(tmp_path, Reading(pattern=r"(?P<group>p[0-9]+)-(?P<class>[a-z]+)[.]")) as source:
        assert {(image.class_name, image.split, image.group) for image in source.images} == {
            (kind, split, group) for kind in ("cat", "dog") for split in ("train", "test") for group in ("p0", "p1")
        }
    with open_files(tmp_path, Reading(pattern="(?P<class>cat|dog)", resplit=True)) as source:
        assert {image.split for image in source.images} == {None}
