"""How often intervals hold the truth and how often "beats" is false, on small sets drawn from a large one.

Each small set is compared as Headstart compares: heads trained on a part of it, tested on the rest of it, the winner
chosen on validation pictures, its pairs corrected for one another. The truth is what the same heads reach on all the
pictures of the large set that are not in the small one. Heads are least-squares classifiers on the base's features,
fast enough for thousands of trainings; all but one see channels that each training draws anew, so that trainings have
luck of their own, and two of them are the same strategy, so that no difference between them is ever true.
"""

import contextlib
from argparse import Namespace
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image
from scipy.linalg import cho_factor, cho_solve
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from benchmarks import arguments, project, report
from headstart.foundation import entry, paths
from headstart.foundation.array_types import FloatArray, IntArray
from headstart.foundation.arrays import open_array
from headstart.foundation.framing import Framing
from headstart.foundation.progress import track
from headstart.images import images, manifest
from headstart.models import pooling
from headstart.statistics.comparisons import Comparison, between, compare
from headstart.statistics.intervals import Share
from headstart.statistics.outcome import Outcome
from stages import extract_features, prepare

SIZES = (100, 300, 1000)
FOLDS = 5
# Enough to tell 92 % from 95 %: the standard error is 1.1 points.
_SETS = 400
# Share of a set that is tested on where it is split once, and of the others that is validated on.
_TESTED, _VALIDATED = 0.3, 0.2
# Penalty on the weights, relative to the mean eigenvalue of the features' products.
_RIDGE = 0.3
_GROUP = 5

# The strategies, and what share of the channels a training sees.
HEADS: Mapping[str, float] = {"whole": 1.0, "narrow": 0.25, "twin": 0.25, "poor": 0.05}
TWINS = ("narrow", "twin")


class Pool(NamedTuple):
    """A large labelled set: features (pictures, channels), labels and group numbers (pictures,)."""

    features: FloatArray
    labels: IntArray
    groups: IntArray


@dataclass(frozen=True, slots=True)
class Design:
    """A way to test: so many runs on one split, or repeats of a cross-validation; of pictures alone or in groups."""

    runs: int
    folds: bool
    grouped: bool

    @property
    def name(self) -> str:
        """For the table."""
        way = f"{FOLDS} folds" if self.folds else "split"
        times = "" if self.runs == 1 else f" × {self.runs}" if self.folds else f", {self.runs} runs"
        return f"{way}{times}{', groups' if self.grouped else ''}"


DESIGNS = tuple(Design(runs, folds, grouped) for grouped in (False, True) for folds in (False, True) for runs in (1, 3))


class Judged(NamedTuple):
    """One small set: what Headstart says, and what each head reaches on all other pictures, the mean over trainings."""

    accuracies: dict[str, Share]
    comparisons: list[Comparison]
    reached: dict[str, float]


class Coverage(NamedTuple):
    """Shares of the small sets.

    Attributes:
        accuracy: whose interval held a head's accuracy, mean over the heads.
        difference: whose interval held a difference, mean over the pairs.
        false: in which a difference was called real that is not there, or is the other way round.
        twins: in which the same strategy, trained twice, differs with p < 0.05 by itself.
        found: in which the best head was rightly found to beat the worst, where validation chose it.
        half_width: mean of the intervals of the differences, a share of the pictures.
    """

    accuracy: float
    difference: float
    false: float
    twins: float
    found: float
    half_width: float


def alike(features: FloatArray, labels: IntArray, size: int, seed: int) -> IntArray:
    """Put pictures of a class that lie close together into groups of ``size``: stand-ins for bursts, or patients."""
    groups = np.empty(len(labels), dtype=np.int64)
    number, source = 0, np.random.default_rng(seed)
    for k in np.unique(labels):
        waiting = source.permutation(np.flatnonzero(labels == k))
        while waiting.size:
            distances = np.square(features[waiting] - features[waiting[0]]).sum(axis=1)
            order = np.argsort(distances, kind="stable")
            groups[waiting[order[:size]]] = number
            number += 1
            waiting = np.delete(waiting, order[:size])
    return groups


def judge(pool: Pool, design: Design, size: int, seed: int) -> Judged:
    """Draw a small set, train and test every head on it, compare them, and ask all other pictures."""
    source = np.random.default_rng(seed)
    units = pool.groups if design.grouped else np.arange(len(pool.labels))
    drawn = _draw(units, size, source)
    rest = np.setdiff1d(np.arange(len(pool.labels)), drawn)
    parts = _parts(units[drawn], design, source)  # (runs, pictures): the training that tests a picture; -1: none
    tested = (parts >= 0).all(axis=0)
    classes = int(pool.labels.max()) + 1
    said = {name: np.zeros((design.runs, len(drawn)), dtype=np.int64) for name in HEADS}
    on_validation: dict[str, list[float]] = {name: [] for name in HEADS}
    on_rest: dict[str, list[float]] = {name: [] for name in HEADS}
    for run, numbers in enumerate(parts):
        for part in np.unique(numbers[numbers >= 0]):
            others = np.flatnonzero(numbers != part)
            validated = others[np.isin(units[drawn][others], _share(units[drawn][others], _VALIDATED, source))]
            train = np.setdiff1d(others, validated)
            for name, share in HEADS.items():
                weights = _train(pool, drawn[train], classes, share, source)
                predicted = {where: _predict(pool, rows, weights) for where, rows in (("set", drawn), ("rest", rest))}
                said[name][run, numbers == part] = predicted["set"][numbers == part]
                right = predicted["set"][validated] == pool.labels[drawn[validated]]
                on_validation[name].append(float(right.mean()))
                on_rest[name].append(float((predicted["rest"] == pool.labels[rest]).mean()))
    groups = np.unique(pool.groups[drawn[tested]], return_inverse=True)[1] if design.grouped else None
    outcomes = {
        name: Outcome(
            labels=pool.labels[drawn[tested]],
            probabilities=np.eye(classes)[rows[:, tested]],
            folds=parts[:, tested] if design.folds else None,
            groups=groups,
        )
        for name, rows in said.items()
    }
    winner = max(HEADS, key=lambda name: float(np.mean(on_validation[name])))
    return Judged(
        {name: one.accuracy() for name, one in outcomes.items()},
        compare(outcomes, winner, seed),
        {name: float(np.mean(reached)) for name, reached in on_rest.items()},
    )


def coverage(pool: Pool, design: Design, size: int, sets: int, seed: int) -> Coverage:
    """Judge so many small sets.

    One training on one split is a statement about that very model, and its truth is what that model reaches. All
    others are about strategies: the truth is the mean over all sets, and twins don't differ.
    """
    with threadpool_limits(limits=1):
        judged = [judge(pool, design, size, seed + number) for number in range(sets)]
    mean = {name: float(np.mean([one.reached[name] for one in judged])) for name in HEADS}
    of_models = design.runs == 1 and not design.folds
    best, worst = max(mean, key=lambda name: mean[name]), min(mean, key=lambda name: mean[name])
    held, pairs, false, twins, found, widths = [], [], [], [], [], []
    for one in judged:
        truth = one.reached if of_models else mean
        held += [share.low <= truth[name] <= share.high for name, share in one.accuracies.items()]
        wrong = False
        for duel in one.comparisons:
            equal = not of_models and {duel.first, duel.second} == set(TWINS)
            gap = 0.0 if equal else truth[duel.first] - truth[duel.second]
            pairs.append(duel.low <= gap <= duel.high)
            widths.append((duel.high - duel.low) / 2)
            wrong |= duel.real and gap <= 0
        false.append(wrong)
        same, ends = between(*TWINS, one.comparisons), between(best, worst, one.comparisons)
        assert same, "both twins are compared"
        assert ends, "the best and the worst are compared"
        twins.append(same.by_itself)
        found.append(ends.real and ends.difference > 0)
    shares = [float(np.mean(values)) for values in (held, pairs, false, twins, found, widths)]
    return Coverage(*shares)


def pictures(source: Path, per_class: int, size: int, pixels: int) -> Pool:
    """Take so many pictures per class: the base's features averaged over positions, or pixels; standardised.

    Args:
        source: folder, archive or catalog entry.
        per_class: how many.
        size: side of the pictures that the base sees. Its weights are those of the current folder, random ones if
            there are none.
        pixels: side of the grey pictures whose pixels take the place of the base's features; 0 for features.
    """
    with project.temporary() as folder:
        if paths.DOWNLOADS.exists():
            (folder / paths.DOWNLOADS).parent.mkdir(parents=True)
            (folder / paths.DOWNLOADS).symlink_to(paths.DOWNLOADS.resolve())
        changes = {
            "prepare.source": str(source.resolve()),
            "prepare.train": per_class,
            "prepare.validation": 1,
            "prepare.test": 1,
            "extract_features.image_size": size,
            "extract_features.views": 0,
            "extract_features.trunk": "none",
            "precision": "float32",
        }
        project.give_params(folder, changes)
        project.give_weights(folder)
        with contextlib.chdir(folder):
            prepare.main()
            frame = manifest.read(paths.MANIFEST)
            if pixels:
                pooled = np.stack([_grey(paths.PREPARED / path, pixels) for path in frame["path"]])
            else:
                extract_features.main()
                pooled = pooling.average(open_array(paths.FEATURES / "images.npy"))
    labels = manifest.labels_of(frame, np.arange(len(frame)))
    features = (pooled - pooled.mean(axis=0)) / np.maximum(pooled.std(axis=0), 1e-9)
    return Pool(features, labels, alike(features, labels, _GROUP, seed=0))


def main(argv: Sequence[str] | None = None) -> int:
    """Read the command line, extract, judge, print."""
    asked = parse(argv)
    pool = pictures(asked.images, asked.per_class, asked.size, asked.pixels)
    cases = [(design, size) for design in DESIGNS for size in asked.sizes]
    rows = []
    for design, size in track(cases, "coverage", len(cases), " cases"):
        found = coverage(pool, design, size, asked.sets, asked.seed)
        cells = [f"{100 * share:.1f}" for share in found[:-1]]
        rows.append((f"{design.name}, {size:,}", *cells, f"±{100 * found.half_width:.1f}"))
        # A run takes long: what is known is printed at once, and again as a table.
        report.say([" ".join(rows[-1])])
    columns = ("sets", "accuracy", "difference", "false", "twins", "found", "points")
    title = f"Percent of {asked.sets:,} sets drawn from {len(pool.labels):,} pictures of {asked.images.stem}"
    report.show(title, columns, rows)
    return 0


def parse(argv: Sequence[str] | None) -> Namespace:
    """Read the command line. Defaults take some forty minutes."""
    parser = arguments.parser("coverage", __doc__, "--images data/sources/dogs-vs-cats.zip --per-class 2000 --size 64")
    parser.add_argument(
        "--images", type=Path, default=Path("data/catalog/fashion_mnist.yaml"), help="folder, archive or catalog entry"
    )
    parser.add_argument("--per-class", type=arguments.whole(10), default=1000, metavar="N", help="pictures to take")
    parser.add_argument("--size", type=arguments.whole(32), default=48, metavar="PIXELS", help="side, for the base")
    parser.add_argument(
        "--pixels", type=arguments.whole(0), default=0, metavar="N",
        help="take the pixels of N × N grey pictures in place of the base's features, which is faster; 0: features",
    )  # fmt: skip
    parser.add_argument(
        "--sizes", type=arguments.whole(20), nargs="+", default=list(SIZES), metavar="N", help="pictures of a small set"
    )
    parser.add_argument("--sets", type=arguments.whole(10), default=_SETS, metavar="N", help="small sets per case")
    parser.add_argument("--seed", type=arguments.whole(0), default=0, metavar="N", help="of the first small set")
    return parser.parse_args(argv)


def _grey(path: Path, side: int) -> FloatArray:
    """The grey values of a picture shrunk to a square, shape (pixels,)."""
    shown = Image.fromarray(images.load(path, Framing(side)))
    return np.asarray(shown.convert("L"), dtype=np.float64).ravel()


def _draw(units: IntArray, size: int, source: np.random.Generator) -> IntArray:
    """Draw whole units until there are ``size`` pictures; return their places, ascending."""
    order = source.permutation(np.unique(units))
    counts = np.bincount(units)[order]
    taken = order[: int(np.searchsorted(np.cumsum(counts), size)) + 1]
    return np.flatnonzero(np.isin(units, taken))


def _share(units: IntArray, share: float, source: np.random.Generator) -> IntArray:
    """Draw about this share of the units, one at least."""
    names = source.permutation(np.unique(units))
    return names[: max(1, round(share * len(names)))]


def _parts(units: IntArray, design: Design, source: np.random.Generator) -> IntArray:
    """The training of each run that tests a picture, shape (runs, pictures); -1 where none does."""
    names, members = np.unique(units, return_inverse=True)
    if design.folds:
        dealt = [source.permutation(len(names)) % FOLDS for _ in range(design.runs)]
        return np.stack([numbers[members] for numbers in dealt])
    tested = np.isin(units, _share(units, _TESTED, source))
    return np.tile(np.where(tested, 0, -1), (design.runs, 1))


def _train(
    pool: Pool, rows: IntArray, classes: int, share: float, source: np.random.Generator
) -> tuple[IntArray, FloatArray]:
    """The channels that are seen and the weights of each class, by least squares with a ridge."""
    channels = pool.features.shape[1]
    seen = np.sort(source.permutation(channels)[: max(1, round(share * channels))])
    x = np.column_stack([pool.features[np.ix_(rows, seen)], np.ones(len(rows))])
    products = x.T @ x
    products[np.diag_indices(len(seen))] += _RIDGE * np.trace(products) / len(products)
    targets = np.eye(classes)[pool.labels[rows]]
    return seen, cho_solve(cho_factor(products), x.T @ targets)


def _predict(pool: Pool, rows: IntArray, head: tuple[IntArray, FloatArray]) -> IntArray:
    seen, weights = head
    scores = pool.features[np.ix_(rows, seen)] @ weights[:-1] + weights[-1]
    predicted: IntArray = scores.argmax(axis=1)
    return predicted


if __name__ == "__main__":
    entry.run(main)
