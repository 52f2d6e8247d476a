"""Every image is tested once in a run, by a training that has seen neither it nor its group."""

import re
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headstart.foundation.errors import InputError
from headstart.images import assignments, manifest
from headstart.images.assignments import KEPT, Assignment, assign


def made(counts: dict[str, int], groups: dict[int, str] | None = None, split: str = manifest.FOLDS) -> pd.DataFrame:
    """A manifest with so many images of each class; ``groups`` of some rows."""
    classes = [name for name, count in counts.items() for _ in range(count)]
    return pd.DataFrame(
        {
            "class": classes,
            "group": [(groups or {}).get(row, "") for row in range(len(classes))],
            "split": split,
            "sha256": [f"{row:064x}" for row in range(len(classes))],
        }
    )


COUNTS = st.dictionaries(st.sampled_from(["ant", "bee", "cat"]), st.integers(8, 40), min_size=2)


@st.composite
def grouped(draw: st.DrawFn) -> pd.DataFrame:
    """Manifests of which some images are in groups of up to five, of one class each."""
    counts = draw(COUNTS)
    groups: dict[int, str] = {}
    first = 0
    for name, count in counts.items():
        size = draw(st.integers(1, min(5, count // 8)))
        groups |= {first + row: f"{name}{row // size}" for row in range(count) if size > 1}
        first += count
    return made(counts, groups)


@given(grouped(), st.integers(2, 5), st.sampled_from([0.1, 0.25, 0.5]), st.integers(1, 3), st.integers(0, 2**31))
@settings(deadline=None, max_examples=40)
def test_every_image_is_tested_once_in_a_run_by_a_training_that_never_saw_its_group(
    frame: pd.DataFrame, folds: int, validation: float, repeats: int, seed: int
) -> None:
    found = assign(frame, folds, validation, repeats, seed)
    *tested, kept = found
    assert [(one.run, one.fold) for one in tested] == [(run, fold) for run in range(repeats) for fold in range(folds)]
    assert (kept.run, kept.fold, len(kept.test)) == (KEPT, KEPT, 0)
    for run in range(repeats):
        rows = np.concatenate([one.test for one in tested if one.run == run])
        assert sorted(rows.tolist()) == list(range(len(frame)))
    for one in found:
        parts = [set(rows.tolist()) for rows in (one.train, one.validation, one.test)]
        assert sorted(row for part in parts for row in part) == list(range(len(frame)))
        where = {row: number for number, part in enumerate(parts) for row in part}
        for _, members in frame[frame["group"] != ""].groupby("group"):
            assert len({where[row] for row in members.index}) == 1
        for part in parts[:2]:
            assert set(frame["class"].iloc[sorted(part)]) == set(frame["class"])


@given(COUNTS, st.integers(2, 6), st.integers(0, 1000))
@settings(deadline=None, max_examples=40)
def test_folds_are_alike_in_classes_and_in_size(counts: dict[str, int], folds: int, seed: int) -> None:
    frame = made(counts)
    *tested, _ = assign(frame, folds, 0.2, 1, seed)
    for name, count in counts.items():
        shares = [Counter(frame["class"].iloc[one.test])[name] for one in tested]
        assert max(shares) - min(shares) <= 1, (name, count)
        for one in tested:
            ours = Counter(frame["class"].iloc[one.validation])[name]
            assert abs(ours - 0.2 * (count - Counter(frame["class"].iloc[one.test])[name])) <= 1
    sizes = [len(one.test) for one in tested]
    assert max(sizes) - min(sizes) <= len(counts)


def rows(found: list[Assignment]) -> list[list[int]]:
    return [part.tolist() for one in found for part in (one.train, one.validation, one.test)]


def test_the_seed_and_the_repeat_decide_the_folds_and_nothing_else_does() -> None:
    frame = made({"ant": 20, "bee": 30})
    found = assign(frame, 4, 0.2, 3, seed=1)
    assert rows(found) == rows(assign(frame, 4, 0.2, 3, seed=1))
    assert rows(found) != rows(assign(frame, 4, 0.2, 3, seed=2))
    tests = [tuple(map(tuple, (one.test for one in found if one.run == run))) for run in range(3)]
    assert len(set(tests)) == 3
    # The first repeats are those of a run of fewer.
    assert rows(assign(frame, 4, 0.2, 2, seed=1))[:24] == rows(found)[:24]
    assert len({one.seed for one in found}) == 13
    assert [one.title for one in found[:5:4]] == ["fold 1 of 4, repeat 1 of 3", "fold 1 of 4, repeat 2 of 3"]


def test_without_folds_a_repeat_has_the_splits_and_a_seed_of_its_own() -> None:
    frame = made({"ant": 3, "bee": 3}).assign(split=["train", "train", "validation", "validation", "test", "test"])
    first, second = assign(frame, 0, 0.2, 2, seed=7)
    assert rows([first]) == rows([second]) == [[0, 1], [2, 3], [4, 5]]
    assert first.seed == 7 != second.seed
    assert (first.run, first.fold, first.title) == (0, 0, "repeat 1 of 2")
    assert assign(frame, 0, 0.2, 1, seed=7)[0].title == ""
    assert assignments.spans(frame) == (range(2), range(2, 6))
    assert assignments.spans(made({"ant": 3, "bee": 3})) == (range(6), range(6))


def test_too_few_images_for_the_folds_are_told() -> None:
    message = re.escape("class 'bee' has 4 images, and prepare.folds=5 needs 5: add images, or lower prepare.folds")
    with pytest.raises(InputError, match=message):
        assign(made({"ant": 20, "bee": 4}), 5, 0.2, 1, 0)
    three_groups = {row: f"g{row % 3}" for row in range(20, 40)}
    with pytest.raises(InputError, match=r"class 'bee' has 3 groups, and prepare\.folds=2 needs 4"):
        assign(made({"ant": 20, "bee": 20}, three_groups), 2, 0.2, 1, 0)
