"""Counts and fractions divide a class without losing or inventing an image."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.sources.source import SourceImage
from headstart.sources.split import needed, ordered, origins, sizes


def images(*names: str, class_name: str = "cat") -> list[SourceImage]:
    """Images that nobody reads."""
    return [SourceImage(name, class_name, None, bytes) for name in names]


def test_where_splits_are_drawn_from() -> None:
    assert origins({None}) == {None: ["train", "validation", "test"]}
    assert origins({"train", "validation", "test"}) == {
        "train": ["train"],
        "validation": ["validation"],
        "test": ["test"],
    }
    assert origins({"train", "test"}) == {"train": ["train", "validation"], "test": ["test"]}
    assert origins({"train", "validation"}) == {"train": ["train", "test"], "validation": ["validation"]}
    assert origins({"train"}) == {"train": ["train", "validation", "test"]}
    assert origins({"test"}) == {"train": ["train", "validation"], "test": ["test"]}


@pytest.mark.parametrize(
    ("counts", "available", "expected"),
    [
        ([10, 5, 10], 25, [10, 5, 10]),
        ([10, 5, 10], 1000, [10, 5, 10]),
        ([10, 5, 10], 24, None),
        ([0.6, 0.2, 0.2], 5, [3, 1, 1]),
        ([0.6, 0.2, 0.2], 7, [4, 2, 1]),
        ([0.6, 0.2, 0.2], 3, None),
        ([0.5, 0.25], 100, [50, 25]),
        ([1.0], 7, [7]),
        ([1.0], 1, [1]),
        ([1.0], 0, None),
        ([0.5, 3], 6, [3, 3]),
        ([0.9, 3], 6, None),
        ([0.001], 10, None),
    ],
)
def test_sizes(counts: list[int | float], available: int, expected: list[int] | None) -> None:
    assert sizes(counts, available) == expected


@given(st.lists(st.integers(1, 100), min_size=1, max_size=3), st.integers(0, 10_000))
def test_fractions_that_make_a_whole_leave_nothing_over(weights: list[int], available: int) -> None:
    counts = [weight / sum(weights) for weight in weights]
    found = sizes(counts, available)
    if found is None:
        assert any(round(count * available) <= 1 for count in counts)
    else:
        assert sum(found) == available
        assert all(abs(size - count * available) <= 1 for size, count in zip(found, counts, strict=True))


def test_how_many_must_be_usable() -> None:
    assert needed([10, 5, 10], 1000) == 25
    assert needed([0.5, 5], 1000) == 1000


def test_the_chapters_order_is_by_number() -> None:
    found = images("cat.10.jpg", "cat.9.jpg", "cat.0.jpg")
    assert ordered(found, "number", seed=1) == ordered(found, "number", seed=2) == [2, 1, 0]


def test_the_random_order_depends_on_the_seed_alone() -> None:
    names = [f"{number}.jpg" for number in range(50)]
    found = [names[place] for place in ordered(images(*names), "random", seed=1)]
    assert found != names
    assert sorted(found) == sorted(names)
    wrapped = [f"wrap/cat/{name}" for name in reversed(names)]
    assert [wrapped[place] for place in ordered(images(*wrapped), "random", seed=1)] == [f"wrap/cat/{n}" for n in found]
    assert [names[place] for place in ordered(images(*names), "random", seed=2)] != found
    # Another class is shuffled in another way, and what is added leaves the order of the rest alone.
    assert [names[place] for place in ordered(images(*names, class_name="dog"), "random", seed=1)] != found
    more = [*names, "new.jpg"]
    assert [more[place] for place in ordered(images(*more), "random", seed=1) if more[place] != "new.jpg"] == found
