"""What a change did to strategies: the same test images before and after it."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from headstart.foundation.array_types import BoolArray, IntArray
from headstart.foundation.errors import InputError
from headstart.foundation.wording import count
from headstart.statistics import clusters, corrections
from headstart.statistics.differences import between_runs
from headstart.statistics.paired import ALPHA, decidable


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What one strategy predicts for each image of the test split.

    Attributes:
        images: what identifies each image, for example its path in the manifest; all different.
        labels: true class numbers, shape (images,).
        predicted: predicted class numbers, shape (images,).
        groups: the images' groups, shape (images,), or None where they are independent of one another.

    Raises:
        InputError: if there are no images, if the lengths differ, or if an image appears twice.
    """

    images: tuple[str, ...]
    labels: IntArray
    predicted: IntArray
    groups: IntArray | None = None

    def __post_init__(self) -> None:
        if not self.images or not len(self.images) == len(self.labels) == len(self.predicted):
            raise InputError(
                f"predictions: found {len(self.images)} images, {len(self.labels)} labels and "
                f"{len(self.predicted)} predicted classes, expected one of each for every test image: "
                "run `dvc repro` to predict again"
            )
        if len(set(self.images)) < len(self.images):
            twice = next(image for image in self.images if self.images.count(image) > 1)
            raise InputError(
                f"predictions: found {twice} more than once, expected every test image once: "
                "run `dvc repro` to predict again"
            )

    @property
    def right(self) -> BoolArray:
        """Which images were classified correctly, shape (images,)."""
        right: BoolArray = self.labels == self.predicted
        return right


@dataclass(frozen=True, slots=True)
class Change:
    """What a change did to one strategy's answers on the same test images.

    Attributes:
        fixed, broken: the images that only the later, and only the earlier answers classify correctly, in the order of
            the earlier ones.
        images, groups: how many images, in how many groups.
        difference, low, high: of the accuracies, later minus earlier, with the 95 % interval.
        p_value: before correction.
        p_holm: after Holm's correction over all strategies of the two revisions.
        strategies: how many those are.
    """

    fixed: tuple[str, ...]
    broken: tuple[str, ...]
    images: int
    groups: int
    difference: float
    low: float
    high: float
    p_value: float
    p_holm: float
    strategies: int

    @property
    def real(self) -> bool:
        """Whether the difference is more than chance explains."""
        return self.p_holm < ALPHA

    @property
    def decidable(self) -> bool:
        """Whether any outcome on so many images, or groups, could have shown a difference."""
        return decidable(self.groups, self.strategies)


def compare_revisions(before: Mapping[str, Answers], after: Mapping[str, Answers], seed: int) -> dict[str, Change]:
    """What became of the answers of each strategy that both revisions have.

    One training each is compared: it says something of these models, not of the strategies.

    Args:
        before: the earlier answers by strategy.
        after: the later ones.
        seed: for the sign flips of many groups.

    Raises:
        InputError: if the revisions were scored on different test images, or on different labels.
    """
    duels = {}
    for name in before:
        if name in after:
            first, second = before[name], after[name]
            order = _order(first, second)
            groups = None if first.groups is None else clusters.numbered(first.groups)
            now = second.right[order]
            found = between_runs(now[None], first.right[None], groups=groups, seed=seed)
            duels[name] = (found, now & ~first.right, first.right & ~now)
    corrected = corrections.holm([found.p_value for found, _, _ in duels.values()])
    return {
        name: Change(
            fixed=_named(before[name], fixed),
            broken=_named(before[name], broken),
            images=found.images,
            groups=found.groups,
            difference=found.value,
            low=found.low,
            high=found.high,
            p_value=found.p_value,
            p_holm=p_holm,
            strategies=len(duels),
        )
        for (name, (found, fixed, broken)), p_holm in zip(duels.items(), corrected, strict=True)
    }


def _named(answers: Answers, chosen: BoolArray) -> tuple[str, ...]:
    return tuple(answers.images[i] for i in np.flatnonzero(chosen))


def _order(one: Answers, other: Answers) -> IntArray:
    """Where the other's answers to each image of the first are, or why the two can't be compared."""
    name, other_name = "the first revision", "the second revision"
    position = {image: i for i, image in enumerate(other.images)}
    missing = [image for image in one.images if image not in position]
    extra = set(other.images).difference(one.images)
    if missing or extra:
        stray, has, lacks = (missing[0], name, other_name) if missing else (min(extra), other_name, name)
        raise InputError(
            f"{name} and {other_name} were scored on different test images: "
            f"{count(len(missing) + len(extra), 'image')} not in both, for example {stray}, "
            f"which {has} has and {lacks} lacks; expected the same: run `dvc repro` on one split for both"
        )
    order = np.array([position[image] for image in one.images], dtype=np.int64)
    relabelled = np.flatnonzero(one.labels != other.labels[order])
    if relabelled.size:
        image = one.images[relabelled[0]]
        raise InputError(
            f"{name} and {other_name} were scored against different labels: "
            f"{count(relabelled.size, 'image')} changed, for example {image}; expected the same ones: "
            "run `dvc repro` on one split for both"
        )
    return order
