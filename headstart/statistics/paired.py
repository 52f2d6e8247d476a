"""Whether one strategy really beats another: differences in accuracy on the same test images.

Two strategies that answer the same images are compared image by image. Only the images that exactly one
of them classifies correctly (the discordant ones) separate them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from math import sqrt

import numpy as np
from scipy.optimize import brentq
from scipy.stats import binom, binomtest, norm

from headstart.foundation.array_types import BoolArray, IntArray
from headstart.foundation.errors import InputError
from headstart.foundation.wording import count
from headstart.statistics.corrections import holm
from headstart.statistics.intervals import LEVEL

ALPHA = 1 - LEVEL  # the risk of calling any difference real when none is, over all pairs together
POWER = 0.8  # how often the smallest difference that counts as detectable would be found


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What one strategy predicts for each image of the test split.

    Attributes:
        images: what identifies each image, for example its path in the manifest; all different.
        labels: true class numbers, shape (images,).
        predicted: predicted class numbers, shape (images,).

    Raises:
        InputError: if there are no images, if the lengths differ, or if an image appears twice.
    """

    images: tuple[str, ...]
    labels: IntArray
    predicted: IntArray

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

    @property
    def accuracy(self) -> float:
        """The share of images classified correctly."""
        return float(self.right.mean())


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two strategies on the same test images; differences are shares, first minus second.

    Attributes:
        first, second: names of the strategies; the first is at least as accurate.
        images: how many test images both answered.
        only_first, only_second: how many of them only that one classified correctly.
        difference, low, high: of the accuracies, with Tango's 95 % interval, for this pair before correction.
        p_value: of the exact McNemar test, before correction.
        p_holm: the same after Holm's correction over all pairs; the verdict follows it.
        pairs: how many pairs were compared.
        detectable: the smallest true difference that these images would show in four tests of five, or
            None if they could show none.
    """

    first: str
    second: str
    images: int
    only_first: int
    only_second: int
    difference: float
    low: float
    high: float
    p_value: float
    p_holm: float
    pairs: int
    detectable: float | None

    @property
    def real(self) -> bool:
        """Whether the difference is more than chance explains."""
        return self.p_holm < ALPHA

    @property
    def decidable(self) -> bool:
        """Whether any outcome on so many images could have shown a difference."""
        return decidable(self.images, self.pairs)


@dataclass(frozen=True, slots=True)
class Revision:
    """What a change did to one strategy's answers on the same test images.

    ``fixed`` and ``broken`` name the images that only the later and only the earlier answers place
    right, in the order of the earlier ones; ``difference`` to ``p_value`` are as in :class:`Comparison`,
    later minus earlier.
    """

    fixed: tuple[str, ...]
    broken: tuple[str, ...]
    images: int
    difference: float
    low: float
    high: float
    p_value: float


def compare_all(answers: Mapping[str, Answers]) -> list[Comparison]:
    """Every two strategies compared, in the order in which ``answers`` names them.

    Raises:
        InputError: if two strategies were scored on different test images, or on different labels.
    """
    duels = []
    for one, other in combinations(answers, 2):
        right, other_right = _aligned(one, answers[one], other, answers[other])
        only_one, only_other = int((right & ~other_right).sum()), int((other_right & ~right).sum())
        if only_one >= only_other:
            duels.append((one, other, len(right), only_one, only_other))
        else:
            duels.append((other, one, len(right), only_other, only_one))
    if not duels:
        return []
    p_values = [mcnemar(only_first, only_second) for *_, only_first, only_second in duels]
    p_holms = holm(p_values)
    comparisons = []
    for duel, p, p_holm in zip(duels, p_values, p_holms, strict=True):
        first, second, images, only_first, only_second = duel
        low, high = tango(only_first, only_second, images)
        comparisons.append(
            Comparison(
                first=first,
                second=second,
                images=images,
                only_first=only_first,
                only_second=only_second,
                difference=(only_first - only_second) / images,
                low=low,
                high=high,
                p_value=p,
                p_holm=p_holm,
                pairs=len(duels),
                detectable=detectable(images, only_first + only_second, ALPHA / len(duels)),
            )
        )
    return comparisons


def compare_revisions(before: Answers, after: Answers) -> Revision:
    """What became of one strategy's answers between two revisions.

    Raises:
        InputError: if the revisions were scored on different test images, or on different labels.
    """
    right_before, right_after = _aligned("the first revision", before, "the second revision", after)
    fixed = np.flatnonzero(right_after & ~right_before)
    broken = np.flatnonzero(right_before & ~right_after)
    low, high = tango(len(fixed), len(broken), len(right_before))
    return Revision(
        fixed=tuple(before.images[i] for i in fixed),
        broken=tuple(before.images[i] for i in broken),
        images=len(right_before),
        difference=(len(fixed) - len(broken)) / len(right_before),
        low=low,
        high=high,
        p_value=mcnemar(len(fixed), len(broken)),
    )


def with_strategy(name: str, comparisons: list[Comparison]) -> list[Comparison]:
    """Those of the comparisons that a strategy is part of: what the choice of it hangs on."""
    return [duel for duel in comparisons if name in (duel.first, duel.second)]


def mcnemar(only_first: int, only_second: int) -> float:
    """Two-sided p-value of the exact McNemar test: would a fair coin divide the discordant images so.

    McNemar (1947), Psychometrika 12, 153-157; for comparing classifiers Dietterich (1998), Neural
    Computation 10, 1895-1923. 1 if there are no discordant images.
    """
    discordant = only_first + only_second
    return float(binomtest(only_first, discordant).pvalue) if discordant else 1.0


def tango(only_first: int, only_second: int, images: int) -> tuple[float, float]:
    """The 95 % score interval of the difference between two accuracies on the same images.

    The differences that a score test doesn't reject: Tango (1998), Stat. Med. 17, 891-908. Recommended
    for its coverage by Fagerland, Lydersen and Laake (2014), Stat. Med. 33, 2850-2875. It is a little
    narrower than the exact McNemar test is strict, so a difference that the test calls real has an
    interval without nought in it, while the reverse may fail.

    Args:
        only_first: how many images only the first strategy classifies correctly.
        only_second: how many only the second does.
        images: how many both answered.

    Returns:
        The ends for first minus second, as shares of the images.
    """
    critical = float(norm.ppf(1 - ALPHA / 2)) ** 2
    estimate = (only_first - only_second) / images

    def rejected(difference: float) -> bool:
        # Most likely probability of "only the second is right" if this were the true difference.
        linear = (2 * images - only_first + only_second) * difference - only_first - only_second
        constant = -only_second * difference * (1 - difference)
        likely = (sqrt(max(0.0, linear**2 - 8 * images * constant)) - linear) / (4 * images)
        variance = images * (2 * likely + difference * (1 - difference))
        return (only_first - only_second - images * difference) ** 2 > critical * variance

    def end(outside: float) -> float:
        inside = estimate
        for _ in range(60):  # halves the distance to below the last bit
            middle = (inside + outside) / 2
            inside, outside = (inside, middle) if rejected(middle) else (middle, outside)
        return inside

    return end(-1.0), end(1.0)


def power(images: int, discordance: float, difference: float, alpha: float) -> float:
    """How often the exact McNemar test finds a true difference.

    The conditional power for every possible number of discordant images, weighed by how likely that
    number is: Duffy (1984), Biometrics 40, 1005-1015.

    Args:
        images: in the test split.
        discordance: share of images that exactly one of the strategies classifies correctly, above 0.
        difference: between the accuracies, from 0 to ``discordance``.
        alpha: two-sided level of the test.
    """
    # Numbers of discordant images outside these come up less than once in 10^12 test splits.
    start, end = binom.ppf([1e-12, 1 - 1e-12], images, discordance)
    discordant = np.arange(start, end + 1)
    # The largest count for the weaker strategy at which the test still rejects; -1 where it never does.
    largest = binom.ppf(alpha / 2, discordant, 0.5)
    largest -= binom.cdf(largest, discordant, 0.5) > alpha / 2
    share = (discordance + difference) / (2 * discordance)
    found = binom.cdf(largest, discordant, share) + binom.sf(discordant - largest - 1, discordant, share)
    return float(np.dot(binom.pmf(discordant, images, discordance), found))


def detectable(images: int, discordant: int, alpha: float) -> float | None:
    """The smallest true difference in accuracy that the exact McNemar test detects with 80 % power.

    The strategies are taken to disagree as often as they did: on ``discordant`` of the images, or as
    often as the difference itself demands if that is more. Under Holm's correction the largest
    difference of several has to pass at alpha divided by their number, so that is the level to give.

    Returns:
        A share of the images, or None if no difference could be significant, even between strategies that never
        agree.
    """

    def shortfall(difference: float) -> float:
        return power(images, max(discordant / images, difference), difference, alpha) - POWER

    if shortfall(1.0) < 0:
        return None
    return float(brentq(shortfall, 1e-9, 1.0, xtol=1e-6))


def decidable(images: int, pairs: int) -> bool:
    """Whether the exact test with Holm's correction can reject at all: if one is always right, one never."""
    return mcnemar(images, 0) * pairs < ALPHA


def _aligned(name: str, one: Answers, other_name: str, other: Answers) -> tuple[BoolArray, BoolArray]:
    """Which images each of two classified correctly, in the order of the first, or why they can't be compared."""
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
    order = np.array([position[image] for image in one.images])
    relabelled = np.flatnonzero(one.labels != other.labels[order])
    if relabelled.size:
        image = one.images[relabelled[0]]
        raise InputError(
            f"{name} and {other_name} were scored against different labels: "
            f"{count(relabelled.size, 'image')} changed, for example {image}; expected the same ones: "
            "run `dvc repro` on one split for both"
        )
    return one.right, other.right[order]
