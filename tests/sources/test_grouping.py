"""Names that look like groups, and groups that a source's own splits divide, are found."""

import pytest

from headstart.sources.grouping import divided, likely


def test_groups_in_more_than_one_split_are_found() -> None:
    groups = ["a", "a", "b", "b", "", ""]
    assert divided(groups, ["train", "test", "train", "train", "train", "test"]) == {"a": 2}


def test_names_that_look_like_groups() -> None:
    paths = [f"x/PNEUMONIA/person{p}_bacteria_{p * 9 + n}.jpeg" for p in range(20) for n in range(3)]
    paths += [f"x/NORMAL/IM-0{n:03d}-0001.jpeg" for n in range(20)]
    found = likely(paths)
    assert found is not None
    assert (found.pattern, found.groups, found.images) == ("(?P<group>person[0-9]+)[_-]", 20, 60)
    assert found.example == "person0"
    bursts = likely([f"ok/DSC_{burst:02}_{shot:02}.jpg" for burst in range(6) for shot in range(10)])
    assert bursts is not None
    assert (bursts.groups, bursts.example) == (6, "DSC_00")


@pytest.mark.parametrize(
    "paths",
    [
        [f"cat/{number}.jpg" for number in range(50)],
        [f"cat.{number}.jpg" for number in range(50)],
        [f"Abyssinian_{number}.jpg" for number in range(50)],
        [f"IMG_{number:04}.jpg" for number in range(50)],
        [f"{7919 * number:010}_{15485863 * number:010x}.jpg" for number in range(1, 50)],
        [f"img{number}_n.jpg" for number in range(50)],
        [],
    ],
)
def test_names_that_do_not(paths: list[str]) -> None:
    assert likely(paths) is None
