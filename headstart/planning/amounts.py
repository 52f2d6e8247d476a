"""How much work each stage has, by the settings and the number of images: passes of the base, epochs, examples."""

import math
from dataclasses import dataclass

from headstart.planning.counts import Counts
from headstart.settings.schema import Optimization, Params

# Part of the epochs beyond the patience that a training goes through before it stops early, by what is trained: means
# over clothes, insects and flowers. Single trainings lay between a fifth and all of them.
_GOES_ON = {"train_scratch": 0.6, "train_scratch_augmented": 0.5, "train_head": 0.5, "train_augmented": 0.5}
_FINETUNE_GOES_ON = 0.7

# Of the statistics: folds of the suspects' classifier, resamples of the bootstrap, ridges that a point of the learning
# curve tries, images that it learns from at the most. They are repeated here because importing them from where they are
# used takes seconds, which the first line of `make run` has not; a test holds them equal.
FOLDS = 5
RESAMPLES = 2000
RIDGES = 7
MOST_IMAGES = 4096


@dataclass(frozen=True)
class Epochs:
    """How many epochs a training goes through: what to expect, and the most."""

    likely: int
    most: int


def epochs(settings: Optimization, stage: str) -> Epochs:
    """Return how many epochs a training would go through.

    Early stopping makes it uncertain; without it, every epoch is run.
    """
    most = settings.epochs
    if not 0 < settings.patience < most:
        return Epochs(most, most)
    share = _GOES_ON.get(stage, _FINETUNE_GOES_ON)
    return Epochs(round(settings.patience + share * (most - settings.patience)), most)


@dataclass(frozen=True)
class Passes:
    """How often the base runs over an image.

    Attributes:
        plain: images as they are, and mirrored ones.
        views: augmented ones.
    """

    plain: int
    views: int

    @property
    def total(self) -> int:
        """Of all kinds."""
        return self.plain + self.views


def extraction(params: Params, counts: Counts) -> Passes:
    """Return the passes of extract_features, which fills up the last batch of each split."""
    settings = params.extract_features
    train, validation, test = (
        math.ceil(images / settings.batch_size) * settings.batch_size
        for images in (counts.train, counts.validation, counts.test)
    )
    mirrored = validation + test if params.test_time_flip else 0
    return Passes(plain=train + validation + test + mirrored, views=settings.views * train)


def scored(params: Params, counts: Counts) -> int:
    """Return how many images a strategy is asked about in the evaluation, mirrored ones included."""
    return (counts.validation + counts.test) * (1 + params.test_time_flip)


def rows(params: Params, counts: Counts) -> dict[str, int]:
    """Return how many feature maps each array that extract_features writes holds, by its path without the suffix.

    The trunk's are written where one is kept.
    """
    views = params.extract_features.views * counts.train
    found = {
        "features/train": counts.train,
        "features/validation": counts.validation,
        "features/test": counts.test,
        "features/train_views": views,
        "trunk/validation": counts.validation,
        "trunk/test": counts.test,
        "trunk/train_views": views,
    }
    if params.test_time_flip:
        for kind in ("features", "trunk"):
            found |= {f"flipped/{kind}/{name}": found[f"{kind}/{name}"] for name in ("validation", "test")}
    return found
