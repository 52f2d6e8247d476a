"""What a change fixed and broke, image by image, and whether it is more than chance."""

import numpy as np
import numpy.typing as npt
import pytest

from headstart.foundation.array_types import IntArray
from headstart.foundation.errors import InputError
from headstart.statistics.paired import mcnemar, tango
from headstart.statistics.revisions import Answers, Change, compare_revisions
from tests.statistics.test_comparisons import naive_holm


def answers(right: npt.ArrayLike, labels: IntArray | None = None, groups: IntArray | None = None) -> Answers:
    """Answers to images test/0, test/1, … of which those where ``right`` is true are right."""
    rights = np.asarray(right, dtype=bool)
    classes = np.zeros(len(rights), dtype=np.int64) if labels is None else labels
    images = tuple(f"test/{i}" for i in range(len(rights)))
    return Answers(images, classes, np.where(rights, classes, 1 - classes), groups)


def change(fixed: int, broken: int, images: int, groups: IntArray | None = None) -> tuple[Answers, Answers]:
    """Before and after a change that fixed and broke so many."""
    before, after = np.ones(images, dtype=bool), np.ones(images, dtype=bool)
    before[:fixed], after[fixed : fixed + broken] = False, False
    return answers(before, groups=groups), answers(after, groups=groups)


def revision(before: Answers, after: Answers) -> Change:
    return compare_revisions({"head": before}, {"head": after}, 0)["head"]


def test_images_fixed_and_broken_are_named() -> None:
    found = revision(answers([True, False, False, True]), answers([False, True, True, True]))
    assert found.fixed == ("test/1", "test/2")
    assert found.broken == ("test/0",)
    assert (found.difference, found.p_value) == (0.25, 1.0)
    assert not found.decidable


def test_a_strategy_alone_is_judged_by_the_exact_test() -> None:
    found = revision(*change(40, 14, 2000))
    assert (found.low, found.high) == tango(40, 14, 2000)
    assert found.p_value == found.p_holm == mcnemar(40, 14)
    assert found.real


def test_strategies_are_corrected_for_one_another() -> None:
    """Five changes of which one would pass by itself; what one of two revisions lacks does not count."""
    pairs = {f"s{i}": change(21 - 3 * i, 8, 2000) for i in range(5)}
    before = {name: first for name, (first, _) in pairs.items()}
    after = {name: second for name, (_, second) in pairs.items()}
    found = compare_revisions({**before, "old": before["s0"]}, {**after, "new": after["s0"]}, 0)
    assert list(found) == list(pairs)
    assert [one.p_holm for one in found.values()] == pytest.approx(naive_holm([one.p_value for one in found.values()]))
    assert found["s0"].p_value < 0.05 < found["s0"].p_holm
    assert {one.strategies for one in found.values()} == {5}
    assert not found["s0"].real


def test_nothing_changed_is_called_a_change_in_no_more_than_a_twentieth() -> None:
    """Five strategies answer 200 images anew, equally well: uncorrected, a fifth of comparisons finds something."""
    false = 0
    for seed in range(200):
        source = np.random.default_rng(seed)
        before, after = ({f"s{i}": answers(source.random(200) < 0.8) for i in range(5)} for _ in range(2))
        false += any(one.real for one in compare_revisions(before, after, 0).values())
    assert false <= 17


def test_images_in_groups_are_counted_by_group() -> None:
    groups = np.arange(60) // 10
    found = revision(*change(30, 0, 60, groups))
    assert (found.groups, found.images) == (6, 60)
    assert found.p_value == pytest.approx(2 / 2**3)
    assert mcnemar(30, 0) < 1e-8


def test_answers_are_matched_by_image_and_not_by_order() -> None:
    before, after = change(40, 14, 300)
    order = np.random.default_rng(0).permutation(300)
    shuffled = Answers(tuple(after.images[i] for i in order), after.labels[order], after.predicted[order])
    assert revision(before, shuffled) == revision(before, after)


def test_different_test_images_are_refused() -> None:
    with pytest.raises(
        InputError,
        match=r"^the first revision and the second revision were scored on different test images: 2 images not in "
        r"both, for example test/3, which the second revision has and the first revision lacks; expected the same: "
        r"run `dvc repro` on one split for both$",
    ):
        revision(answers([True] * 3), answers([True] * 5))
    with pytest.raises(InputError, match="1 image not in both, for example test/2, which the first revision has"):
        revision(answers([True] * 3), answers([True] * 2))


def test_different_labels_are_refused() -> None:
    with pytest.raises(InputError, match=r"different labels: 1 image changed, for example test/1; expected the same"):
        revision(answers([True] * 3), answers([True] * 3, np.array([0, 1, 0])))


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (("a", "b"), [0], "^predictions: found 2 images, 1 labels and 1 predicted classes, expected one of each"),
        ((), [], "^predictions: found 0 images"),
        (("a", "b", "a"), [0, 0, 0], "^predictions: found a more than once, expected every test image once"),
    ],
)
def test_answers_that_contradict_themselves_are_refused(
    images: tuple[str, ...], labels: list[int], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        Answers(images, np.array(labels), np.array(labels))
