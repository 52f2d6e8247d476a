"""Names sort as people count, and come out as every file system can store them."""

import re
from random import Random

from hypothesis import example, given
from hypothesis import strategies as st

from headstart.images.names import by_number, distinct, file_name, natural, portable

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)


def test_numbers_count_as_numbers() -> None:
    names = ["cat.0.jpg", "cat.1.jpg", "cat.9.jpg", "cat.10.jpg", "cat.100.jpg", "dog.2.jpg"]
    assert sorted(names, key=natural) == names
    assert sorted(Random(1).sample(names, len(names)), key=natural) == names
    assert natural("007") == natural("7") != natural("8")
    huge = "9" * 5000
    assert natural(huge) < natural("1" + huge)


@given(st.lists(st.text("ab01.9", max_size=8)), st.randoms(use_true_random=False))
def test_the_order_does_not_depend_on_how_names_arrive(names: list[str], random: Random) -> None:
    shuffled = random.sample(names, len(names))
    assert sorted(shuffled, key=by_number) == sorted(names, key=by_number)


def test_images_are_ordered_by_file_name_first() -> None:
    paths = ["b/1.jpg", "a/2.jpg", "a/10.jpg", "a/1.jpg"]
    assert sorted(paths, key=by_number) == ["a/1.jpg", "b/1.jpg", "a/2.jpg", "a/10.jpg"]
    assert file_name("a/b/c.jpg") == "c.jpg"
    assert file_name("c.jpg") == "c.jpg"


def test_names_that_fit_stay() -> None:
    names = ["cat.0.jpg", "IMG_2024-01-01.JPEG", "x", "_", "a" * 100]
    assert portable(names) == names


HOSTILE = [
    "", ".", "..", "a/b", "a\\b", "-rf", ".hidden", "CON", "nul.jpg", "a b", "a\nb", "caf\u00e9.jpg", "cafe\u0301.jpg",
    "\U0001f431.png", "\u732b", "\u72ac", "x" * 255, "x.", "Cat", "cat", "a:b", "*", "nan", "1e3", "=cmd()",
    "a.jpg", "A.JPG", "same", "same", "cat" + "." * 99 + "jpg",
]  # fmt: skip


@given(st.lists(TEXTS))
@example(HOSTILE)
@example(["a", "a", "A", "a-0123456789ab"])
def test_any_names_become_different_file_names_that_can_be_stored_everywhere(names: list[str]) -> None:
    found = portable(names, [str(place) for place in range(len(names))])
    assert len(found) == len(names)
    assert len({name.lower() for name in found}) == len(names)
    for name in found:
        assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}", name)
        assert not name.endswith(".")
        assert not re.match(r"(con|nul|aux|prn|com1|lpt1)(\.|$)", name, re.IGNORECASE)


@given(TEXTS, TEXTS)
def test_a_name_comes_out_the_same_in_any_company(name: str, other: str) -> None:
    if name.lower() != other.lower():
        assert portable([name, other])[0] == portable([name])[0]


def test_extensions_and_what_can_be_read_stay() -> None:
    assert portable(["Caf\u00e9 au lait.JPG"])[0].startswith("Cafe_au_lait-")
    assert portable(["Caf\u00e9 au lait.JPG"])[0].endswith(".JPG")
    assert portable(["\u732b"])[0].startswith("x-")


def test_equal_names_are_told_apart_by_what_they_are() -> None:
    found = distinct(["a/1.jpg", "a/1.jpg", "b/1.jpg"], ["x/a/1.jpg", "y/a/1.jpg", "b/1.jpg"])
    assert len(set(found)) == 3
    assert found[2] == "b/1.jpg"
    assert all(re.fullmatch(r"a/1-[0-9a-f]{12}\.jpg", name) for name in found[:2])
    assert distinct(["a/1.jpg"] * 2, ["x/a/1.jpg", "z"])[0] == found[0]


def test_even_equal_names_of_equal_things_are_told_apart() -> None:
    assert len(set(distinct(["same"] * 5, ["same"] * 5))) == 5
