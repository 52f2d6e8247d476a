"""No group is divided between splits, and the splits get what they ask for as nearly as that allows."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from headstart.images.division import Unit, divide

SPLITS = ("train", "validation", "test")
SIZES = st.lists(st.integers(1, 20), min_size=3, max_size=40)


def filled(units: list[Unit], goes: list[str | None]) -> dict[str, Counter[str]]:
    counts = {split: Counter[str]() for split in SPLITS}
    for unit, split in zip(units, goes, strict=True):
        if split is not None:
            counts[split].update(unit.classes)
    return counts


@given(SIZES, SIZES)
def test_fractions_place_every_group_and_miss_by_less_than_a_group(cats: list[int], dogs: list[int]) -> None:
    units = [Unit({"cat": size}) for size in cats] + [Unit({"dog": size}) for size in dogs]
    sizes = {"cat": cats, "dog": dogs}
    targets = {
        split: {name: fraction * sum(found) for name, found in sizes.items()}
        for split, fraction in zip(SPLITS, (0.6, 0.2, 0.2), strict=True)
    }
    goes = divide(units, targets, everything=True)
    assert None not in goes
    assert goes == divide(units, targets, everything=True)
    counts = filled(units, goes)
    for name, found in sizes.items():
        # With three groups each split gets one, however large.
        assert all(counts[split][name] for split in SPLITS)
        if len(found) >= 10 * max(found) / (sum(found) / len(found)):
            assert all(abs(counts[split][name] - targets[split][name]) < 2 * max(found) for split in SPLITS)


@given(SIZES.filter(lambda sizes: sum(sizes) > 60), st.integers(1, 10))
def test_numbers_take_no_more_groups_than_needed(sizes: list[int], asked: int) -> None:
    units = [Unit({"cat": size}) for size in sizes]
    targets = {split: {"cat": float(asked)} for split in SPLITS}
    goes = divide(units, targets, everything=False)
    counts = filled(units, goes)
    for split in SPLITS:
        assert counts[split]["cat"] > 0
        assert counts[split]["cat"] - asked < max(sizes)


@given(st.integers(3, 60), st.tuples(st.integers(1, 20), st.integers(1, 20), st.integers(1, 20)))
def test_single_images_are_divided_exactly(images: int, asked: tuple[int, int, int]) -> None:
    if sum(asked) > images:
        return
    units = [Unit({"cat": 1})] * images
    targets = {split: {"cat": float(count)} for split, count in zip(SPLITS, asked, strict=True)}
    counts = filled(units, divide(units, targets, everything=sum(asked) == images))
    assert {split: counts[split]["cat"] for split in SPLITS} == dict(zip(SPLITS, asked, strict=True))


def test_three_large_groups_give_one_to_each() -> None:
    units = [Unit({"cat": 100})] * 3
    targets = {"train": {"cat": 180.0}, "validation": {"cat": 60.0}, "test": {"cat": 60.0}}
    assert sorted(map(str, divide(units, targets, everything=True))) == sorted(SPLITS)


def test_groups_of_several_classes_stay_whole_and_balanced() -> None:
    units = [Unit({"cat": 3, "dog": 1}), Unit({"cat": 1, "dog": 3})] * 10
    targets = {
        "train": {"cat": 24.0, "dog": 24.0},
        "validation": {"cat": 8.0, "dog": 8.0},
        "test": {"cat": 8.0, "dog": 8.0},
    }
    counts = filled(units, divide(units, targets, everything=True))
    assert all(counts[split] == Counter(targets[split]) for split in SPLITS)
