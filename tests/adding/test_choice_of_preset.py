"""What `add` chooses fits the set: every split gets images, nothing that was split already is left out."""

import contextlib
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headstart.adding import choice
from headstart.foundation.errors import InputError
from headstart.images.manifest import SPLITS
from headstart.sources import split
from headstart.sources.source import SourceImage
from tests.pictures import encode, pixels

LAYOUTS: tuple[tuple[str | None, ...], ...] = (
    (None,),
    ("train", "validation", "test"),
    ("train", "validation"),
    ("train", "test"),
    ("train",),
)


def images(counts: dict[tuple[str, str | None], int], width: int = 40, height: int = 30) -> list[SourceImage]:
    """So many images of each class and split."""
    content = encode(pixels(1, height, width))
    return [
        SourceImage(f"{name}/{number}.jpg", name, part, lambda: content)
        for (name, part), count in counts.items()
        for number in range(count)
    ]


# Of each class, so that each split gets one, even if only 5,000 of 12,000 images are drawn.
ENOUGH = 10


@settings(max_examples=40)
@given(
    st.sampled_from(LAYOUTS).flatmap(
        lambda parts: st.fixed_dictionaries(
            {(name, part): st.integers(1, 4000) for name in ("ant", "bee", "cat") for part in parts}
        )
    )
)
def test_every_split_gets_images_of_every_class(counts: dict[tuple[str, str | None], int]) -> None:
    given = images(counts)
    if min(counts.values()) < ENOUGH:
        with contextlib.suppress(InputError):
            check(counts, given)
    else:
        check(counts, given)


def check(counts: dict[tuple[str, str | None], int], given: list[SourceImage]) -> None:
    """What is chosen gives every split an image of every class, and leaves none out without need."""
    chosen = choice.shares(given)
    fed = split.origins({image.split for image in given})
    assert list(chosen) == list(SPLITS)
    total = 0
    for (_, part), count in counts.items():
        sizes = split.sizes([chosen[name] for name in fed[part]], count)
        assert sizes is not None
        assert min(sizes) >= 1
        total += sum(sizes)
    if None in fed:
        assert total <= choice.MOST + len(counts) * len(SPLITS)
        assert total > min(len(given), choice.MOST) * 0.98 - len(counts) * len(SPLITS)
    else:
        assert total == len(given), "all of each split is used"


@pytest.mark.parametrize(
    ("counts", "chosen", "told"),
    [
        ({None: 3}, (0.4, 0.3, 0.3), "training 0.4, validation 0.3, test 0.3 of each class, drawn at random"),
        ({None: 100}, (0.6, 0.2, 0.2), "training 0.6, validation 0.2, test 0.2 of each class, drawn at random"),
        (
            {None: 12_500},
            (0.12, 0.04, 0.04),
            "training 0.12, validation 0.04, test 0.04 of each class, drawn at random: 5,000 of 25,000 images, "
            "because a first run on all of them would take long",
        ),
        (
            {"train": 100, "validation": 50},
            (0.7, 1.0, 0.3),
            "validation: all of its own; training 0.7, test 0.3 of each class under train/, drawn at random",
        ),
        (
            {"train": 100, "validation": 20, "test": 20},
            (1.0, 1.0, 1.0),
            "training: all of its own; validation: all of its own; test: all of its own",
        ),
        (
            {"train": 100, "test": 20},
            (0.8, 0.2, 1.0),
            "test: all of its own; training 0.8, validation 0.2 of each class under train/, drawn at random",
        ),
    ],
)
def test_what_is_chosen_is_told(counts: dict[str | None, int], chosen: tuple[float, ...], told: str) -> None:
    given = images({(name, part): count for part, count in counts.items() for name in ("ant", "bee")})
    shares = choice.shares(given)
    assert tuple(shares.values()) == chosen
    assert choice.explain(given, {"folds": 0, **shares}) == told


@pytest.mark.parametrize(
    ("counts", "folds"),
    [
        ({None: 10}, 5),
        ({None: 9}, 0),
        ({None: 999}, 5),
        ({None: 1000}, 0),
        ({"train": 122, "validation": 77}, 5),
        ({"train": 100, "test": 50}, 0),
    ],
)
def test_few_images_are_tested_in_folds(counts: dict[str | None, int], folds: int) -> None:
    given = images({(name, part): count for part, count in counts.items() for name in ("ant", "bee")})
    chosen = choice.division(given)
    assert list(chosen) == ["folds", *SPLITS]
    assert chosen["folds"] == folds
    assert choice.explain(given, chosen).startswith("5 folds: every image is tested once") == bool(folds)


def test_folds_need_groups_for_each() -> None:
    """A class of nine patients is not tested in five folds, however many images each has."""
    patients = [replace(image, group=str(number % 9)) for number, image in enumerate(images({("ant", None): 90}))]
    assert choice.division([*patients, *images({("bee", None): 90})])["folds"] == 0
    assert choice.division([*images({("ant", None): 90}), *images({("bee", None): 90})])["folds"] == 5


def test_many_images_of_many_classes_are_split() -> None:
    assert choice.division(images({(str(number), None): 199 for number in range(10)}))["folds"] == 5
    assert choice.division(images({(str(number), None): 200 for number in range(10)}))["folds"] == 0


def test_a_class_that_a_split_lacks_is_named() -> None:
    given = images({("ant", "train"): 9, ("ant", "test"): 9, ("bee", "train"): 9})
    with pytest.raises(InputError, match=r"^class 'bee': 0 usable images under test/, too few for one each for test"):
        choice.shares(given)


@pytest.mark.parametrize(
    ("width", "height", "expected"), [(28, 28, "quick"), (64, 48, "quick"), (65, 48, "photos"), (48, 300, "photos")]
)
def test_small_pictures_and_photographs(width: int, height: int, expected: str) -> None:
    given = images({("ant", None): 40, ("bee", None): 40}, width, height)
    chosen = choice.preset(given)
    assert chosen.name == expected
    assert chosen.reason.endswith(f", {width} × {height} pixels in the median")


def test_one_odd_picture_decides_nothing() -> None:
    given = [*images({("ant", None): 5}, 28, 28), *images({("bee", None): 4}, 900, 900)]
    assert choice.preset(given).name == "quick"
