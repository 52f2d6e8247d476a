"""What the trainings of one strategy said of images that they had never seen, and how those were tested."""

from dataclasses import dataclass, replace

import numpy as np

from headstart.foundation.array_types import BoolArray, FloatArray, IntArray
from headstart.foundation.errors import InputError
from headstart.statistics import accuracies, clusters, differences, variance
from headstart.statistics.differences import Difference
from headstart.statistics.intervals import Share
from headstart.statistics.variance import Luck


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What came of testing a strategy. A run is one training, or all those of a cross-validation."""

    labels: IntArray  # true class numbers, shape (images,)
    probabilities: FloatArray  # each image's by a model that never saw it, shape (runs, images, classes)
    # Number of the training within the run that tested the image, shape (runs, images); None where each run is one
    # training that was tested on all of them.
    folds: IntArray | None = None
    # Group numbers, shape (images,), or None where the images are independent of one another.
    groups: IntArray | None = None
    # Share of the training images, drawn anew for every run, that it doesn't train on; see
    # :func:`headstart.statistics.variance.shared_images`. Of no meaning with folds.
    left_out: float = 0.0

    @property
    def runs(self) -> int:
        """How often the strategy was trained and tested as a whole."""
        return len(self.probabilities)

    @property
    def predicted(self) -> IntArray:
        """The most probable class, shape (runs, images); of equally probable ones the first."""
        predicted: IntArray = self.probabilities.argmax(axis=2)
        return predicted

    @property
    def right(self) -> BoolArray:
        """What was classified correctly, shape (runs, images)."""
        right: BoolArray = self.predicted == self.labels
        return right

    def first(self, runs: int) -> "Outcome":
        """The first so many runs alone."""
        folds = None if self.folds is None else self.folds[:runs]
        return replace(self, probabilities=self.probabilities[:runs], folds=folds)

    def share(self, right: BoolArray, among: BoolArray | None = None) -> Share:
        """The mean over runs and images of something that holds or doesn't, with its 95 % interval.

        The interval holds the luck of images, or of groups of them, and of training, as far as there is more than one.

        Args:
            right: shape (runs, images).
            among: the images that count, one at least, shape (images,); None for all.
        """
        kept = np.ones(len(self.labels), dtype=np.bool_) if among is None else among
        right, groups = right[:, kept], None if self.groups is None else clusters.numbered(self.groups[kept])
        if self.folds is None:
            return accuracies.over_runs(right, left_out=self.left_out, groups=groups)
        folds = self.folds[:, kept]
        if min(np.unique(row).size for row in folds) < 2:
            # Of images that one training tested nothing shows the luck of training.
            return accuracies.over_images(right, groups)
        return accuracies.over_folds(right, folds, groups=groups)

    def luck(self, values: FloatArray) -> Luck:
        """What the variance of the mean of ``values``, shape (runs, images), consists of."""
        images = clusters.mean_variance(values.mean(axis=0), self.groups)
        if self.folds is not None:
            return variance.luck_of_folds(images, values, self.folds, self.groups)
        if self.runs == 1:
            return Luck(images.variance, 0.0, images.degrees)
        spread = variance.spread_of_runs(values, self.groups)
        return variance.luck(images, spread, variance.shared_images(self.runs, self.left_out))

    def accuracy(self) -> Share:
        """The share of images classified correctly, with its interval."""
        return self.share(self.right)


def difference(first: Outcome, second: Outcome, seed: int) -> Difference:
    """The accuracy of the first strategy minus that of the second, over the runs that both have.

    Args:
        first: one strategy.
        second: another one, tested on the same images.
        seed: for the sign flips of many groups.

    Raises:
        InputError: if the two were trained on different folds.
    """
    runs = min(first.runs, second.runs)
    one, other = first.first(runs), second.first(runs)
    if one.folds is None or other.folds is None:
        return differences.between_runs(one.right, other.right, left_out=one.left_out, groups=one.groups, seed=seed)
    if not np.array_equal(one.folds, other.folds):
        raise InputError(
            "models: found strategies that were trained on different folds, expected the same ones: "
            "run `dvc repro` to train them again"
        )
    return differences.between_folds(one.right, other.right, one.folds, groups=one.groups)
