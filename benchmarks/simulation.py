"""How often intervals hold the truth and how often "beats" is false, on simulated sets whose truth is known.

A picture is a vector of features drawn about the mean of its class; a head is linear, so that what it would reach on
all the pictures there could be follows from its weights. Two heads see some features in common and some of their own.
Pictures of one group are alike. Every number comes from one seed.
"""

from argparse import Namespace
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.stats import norm
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from benchmarks import arguments, report
from headstart.foundation import entry
from headstart.foundation.array_types import BoolArray, FloatArray, IntArray
from headstart.foundation.progress import track
from headstart.statistics import accuracies, differences
from headstart.statistics.differences import Difference
from headstart.statistics.intervals import LEVEL, Share

SIZES = (100, 300, 1000)

# Enough to tell 93 % from 95 %: the standard error is 0.7 points.
_SETS = 1000

_RIDGE = 0.1


@dataclass(frozen=True, slots=True)
class World:
    """What pictures are like, and heads.

    Attributes:
        shared: number of features that both heads see.
        own: number of features that only one head sees, for each.
        shared_distance: of the classes' means from 0 along the shared features, in standard deviations.
        distances: the same along the first and the second head's own features.
        jitter: luck of a training on given pictures, relative to the weights' length.
        group: pictures in a group.
        alike: correlation of the features within a group.
    """

    shared: int = 10
    own: int = 20
    shared_distance: float = 0.8
    distances: tuple[float, float] = (1.0, 1.0)
    jitter: float = 0.2
    group: int = 1
    alike: float = 0.0


class Pictures(NamedTuple):
    """Features (pictures, features), labels of -1 and 1 and group numbers, both (pictures,)."""

    features: FloatArray
    labels: FloatArray
    groups: IntArray


class Scored(NamedTuple):
    """Two heads on one set.

    Attributes:
        first, second: correctness, shape (runs or repeats, test pictures).
        expected: mean over the trainings of what each head would reach on all pictures, exactly.
        groups: of the test pictures, or None.
        folds: of each test picture, shape (repeats, test pictures); None for a single split.
    """

    first: BoolArray
    second: BoolArray
    expected: tuple[float, float]
    groups: IntArray | None
    folds: IntArray | None


def draw(world: World, pictures: int, source: np.random.Generator) -> Pictures:
    """Draw a set of pictures; a group is of one class."""
    groups = np.arange(pictures) // world.group
    number = int(groups[-1]) + 1
    labels = source.choice([-1.0, 1.0], number)[groups]
    means = _means(world)
    common = source.normal(size=(number, len(means)))[groups]
    single = source.normal(size=(pictures, len(means)))
    noise = np.sqrt(world.alike) * common + np.sqrt(1 - world.alike) * single
    return Pictures(labels[:, None] * means + noise, labels, groups)


def split(
    world: World, pictures: int, runs: int, left_out: float, source: np.random.Generator, tested: float = 0.4
) -> Scored:
    """Score both heads on the same test pictures, each run trained on a redrawn part of the others.

    Args:
        world: what to draw from.
        pictures: in the whole set.
        runs: trainings of each head.
        left_out: share of the others that a run does not train on.
        source: of all luck.
        tested: share of the pictures in the test split.
    """
    drawn = draw(world, pictures, source)
    shuffled = _numbers(drawn.groups, pictures, source)
    test = shuffled < tested * shuffled.max()
    pool = np.flatnonzero(~test)
    kept = np.zeros((runs, pictures), dtype=np.bool_)
    for row in kept:
        row[source.permutation(pool)[: round(len(pool) * (1 - left_out))]] = True
    tests = np.broadcast_to(test, kept.shape)
    right, expected = _score(world, drawn, kept, tests, source)
    groups = drawn.groups[test] if world.group > 1 else None
    return Scored(right[0][:, test], right[1][:, test], expected, groups, None)


def cross_validation(world: World, pictures: int, folds: int, repeats: int, source: np.random.Generator) -> Scored:
    """Score both heads on every picture, by models that never saw it nor its group."""
    drawn = draw(world, pictures, source)
    numbers = np.stack([_numbers(drawn.groups, pictures, source) % folds for _ in range(repeats)])
    right = np.empty((2, repeats, pictures), dtype=np.bool_)
    expected = []
    for repeat, fold in enumerate(numbers):
        tests = fold == np.arange(folds)[:, None]  # (folds, pictures)
        per_fold, reached = _score(world, drawn, ~tests, tests, source)
        right[:, repeat] = (per_fold & tests).any(axis=1)
        expected.append(reached)
    first, second = np.mean(expected, axis=0)
    groups = drawn.groups if world.group > 1 else None
    return Scored(right[0], right[1], (float(first), float(second)), groups, numbers)


def _means(world: World) -> FloatArray:
    parts = [(world.shared, world.shared_distance), *((world.own, distance) for distance in world.distances)]
    return np.concatenate([np.full(number, distance / np.sqrt(max(number, 1))) for number, distance in parts])


def _numbers(groups: IntArray, pictures: int, source: np.random.Generator) -> IntArray:
    """A random number for each picture, the same within a group, from 0 to the number of groups - 1."""
    numbers: IntArray = source.permutation(int(groups[-1]) + 1)[groups]
    return numbers


def _score(
    world: World, drawn: Pictures, kept: BoolArray, tests: BoolArray, source: np.random.Generator
) -> tuple[BoolArray, tuple[float, float]]:
    """Train both heads on the kept pictures of each run; correctness on all (2, runs, pictures), what they'd reach."""
    means, shared = _means(world), np.arange(world.shared)
    right, expected = [], []
    for start in (world.shared, world.shared + world.own):
        seen = np.concatenate([shared, np.arange(start, start + world.own)])
        x, y = drawn.features[:, seen], drawn.labels
        products = np.stack([x[rows].T @ x[rows] for rows in kept])  # (runs, features, features)
        products += _RIDGE * kept.sum(axis=1)[:, None, None] * np.eye(len(seen))
        sums = np.where(kept, y, 0.0) @ x  # (runs, features)
        weights = np.linalg.solve(products, sums[:, :, None])[:, :, 0]
        lengths = np.linalg.norm(weights, axis=1, keepdims=True)
        weights += world.jitter * lengths / np.sqrt(len(seen)) * source.normal(size=weights.shape)
        right.append((weights @ x.T > 0) == (y > 0))
        expected.append(float(norm.cdf(weights @ means[seen] / np.linalg.norm(weights, axis=1)).mean()))
    return np.stack(right), (expected[0], expected[1])


@dataclass(frozen=True, slots=True)
class Design:
    """A way to test, and how it is judged.

    Attributes:
        name: for the table.
        score: draws a set of so many pictures and scores both heads on it.
        compare: judges the two.
        accuracy: the first head's accuracy with its interval.
    """

    name: str
    score: Callable[[World, int, np.random.Generator], Scored]
    compare: Callable[[Scored], Difference]
    accuracy: Callable[[Scored], Share]


def _runs(name: str, runs: int, left_out: float) -> Design:
    return Design(
        name,
        lambda world, pictures, source: split(world, pictures, runs, left_out, source),
        lambda got: differences.between_runs(got.first, got.second, left_out=left_out, groups=got.groups),
        lambda got: accuracies.over_runs(got.first, left_out=left_out, groups=got.groups),
    )


def _folds(name: str, folds: int, repeats: int) -> Design:
    def needed(got: Scored) -> IntArray:
        assert got.folds is not None, "a cross-validation has folds"
        return got.folds

    return Design(
        name,
        lambda world, pictures, source: cross_validation(world, pictures, folds, repeats, source),
        lambda got: differences.between_folds(got.first, got.second, needed(got), groups=got.groups),
        lambda got: accuracies.over_folds(got.first, needed(got), groups=got.groups),
    )


ONE_TRAINING = _runs("split, 1 run", 1, 0.2)
RUNS = _runs("split, 5 runs", 5, 0.2)
FOLDS = _folds("5 folds", 5, 1)
REPEATED = _folds("5 folds × 3", 5, 3)
DESIGNS = (ONE_TRAINING, RUNS, FOLDS, REPEATED)

# Two heads that are equally good and see other things, and one head trained twice.
HEADS = World()
TWINS = World(shared=30, own=0, shared_distance=1.3, jitter=0.6)


def better(world: World) -> World:
    """The same pictures, of which the first head sees more than the second."""
    return World(
        world.shared,
        world.own or 10,
        world.shared_distance,
        (world.distances[0], 0.4 * world.distances[0]),
        world.jitter,
        world.group,
        world.alike,
    )


def grouped(world: World, size: int = 5, alike: float = 0.7) -> World:
    """The same pictures in groups that are alike."""
    return World(world.shared, world.own, world.shared_distance, world.distances, world.jitter, group=size, alike=alike)


class Coverage(NamedTuple):
    """Shares of the simulated sets.

    Attributes:
        accuracy: whose interval held the first head's accuracy.
        difference: whose interval held the difference.
        beats: that called the difference real.
        wrong: that called it real the wrong way round, or where there is none.
        half_width: mean of the interval of the difference, a share of the pictures.
    """

    accuracy: float
    difference: float
    beats: float
    wrong: float
    half_width: float


def coverage(design: Design, world: World, pictures: int, sets: int, seed: int) -> Coverage:
    """Judge so many simulated sets; the truth is the mean over them of what trained heads would reach."""
    judged, reached = [], []
    with threadpool_limits(limits=1):
        for number in range(sets):
            got = design.score(world, pictures, np.random.default_rng([seed, number]))
            judged.append((design.compare(got), design.accuracy(got)))
            reached.append(got.expected)
    first, second = np.mean(reached, axis=0)
    # Heads that see the same or as much are equally good; their mean differs from 0 by the luck of the simulation.
    truth = 0.0 if world.own == 0 or world.distances[0] == world.distances[1] else first - second
    real = [duel for duel, _ in judged if duel.p_value < 1 - LEVEL]
    return Coverage(
        accuracy=float(np.mean([share.low <= first <= share.high for _, share in judged])),
        difference=float(np.mean([duel.low <= truth <= duel.high for duel, _ in judged])),
        beats=len(real) / sets,
        wrong=sum(duel.value * truth <= 0 for duel in real) / sets,
        half_width=float(np.mean([(duel.high - duel.low) / 2 for duel, _ in judged])),
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Read the command line, simulate, print."""
    asked = parse(argv)
    worlds = {"heads": HEADS, "twins": TWINS, "in groups": grouped(HEADS)}
    cases = [(name, world, design, size) for name, world in worlds.items() for design in DESIGNS for size in SIZES]
    rows = []
    for name, world, design, size in track(cases, "simulations", len(cases), " cases"):
        equal = coverage(design, world, size, asked.sets, asked.seed)
        unequal = coverage(design, better(world), size, asked.sets, asked.seed + 1)
        shares = (equal.accuracy, equal.difference, equal.beats, unequal.difference, unequal.beats, unequal.wrong)
        cells = (*(f"{100 * share:.1f}" for share in shares), f"±{100 * equal.half_width:.1f}")
        rows.append((f"{name}, {design.name}, {size:,}", *cells))
    columns = ("sets", "accuracy", "difference", "false", "difference, unequal", "found", "wrong way", "points")
    report.show(f"Percent of {asked.sets:,} simulated sets", columns, rows)
    return 0


def parse(argv: Sequence[str] | None) -> Namespace:
    """Read the command line. Defaults take some ten minutes."""
    parser = arguments.parser("simulation", __doc__, "--sets 200")
    parser.add_argument("--sets", type=arguments.whole(10), default=_SETS, metavar="N", help="simulated for each case")
    parser.add_argument("--seed", type=arguments.whole(0), default=0, metavar="N", help="of all luck")
    return parser.parse_args(argv)


if __name__ == "__main__":
    entry.run(main)
