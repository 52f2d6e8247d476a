"""How much work each stage has, by the settings and the number of images: passes of the base, epochs, examples."""

import math
from dataclasses import dataclass, replace

from headstart.models.strategies import HEADS, stage_of
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
class Trainings:
    """How often a strategy is trained."""

    tested: int  # trainings that are tested: the repeats, each on every fold
    kept: int  # 1 with folds, for the model that is kept, which trains on all images; otherwise 0


def trainings(params: Params, stage: str) -> Trainings:
    """Return how often a stage trains."""
    repeats = params.repeats if stage in map(stage_of, HEADS) else params.repeats_of_networks
    folds = params.prepare.folds
    return Trainings(repeats * max(1, folds), min(1, folds))


def at_once(params: Params, counts: Counts) -> Counts:
    """Return the images of the training of the model that is kept, where there are folds: all of them, none tested."""
    validation = round(float(params.prepare.validation) * counts.images)
    return replace(counts, train=counts.images - validation, validation=validation, test=0)


@dataclass(frozen=True)
class Spans:
    """How many images are trained on in some training, and how many are validated or tested on in some."""

    trained: int
    unseen: int


def spans(params: Params, counts: Counts) -> Spans:
    """Return how many images take part in which way: with folds all of them in both."""
    if params.prepare.folds:
        return Spans(counts.images, counts.images)
    return Spans(counts.train, counts.validation + counts.test)


@dataclass(frozen=True)
class Passes:
    """How often the base runs over an image."""

    plain: int  # images as they are, and mirrored ones
    views: int  # augmented ones

    @property
    def total(self) -> int:
        """Of all kinds."""
        return self.plain + self.views


def extraction(params: Params, counts: Counts) -> Passes:
    """Return the passes of extract_features, which fills up the last batch of images that are taken alike."""
    settings = params.extract_features
    there = spans(params, counts)
    trained, unseen = (
        math.ceil(images / settings.batch_size) * settings.batch_size for images in (there.trained, there.unseen)
    )
    plain = trained if params.prepare.folds else trained + unseen
    return Passes(plain=plain + (unseen if params.test_time_flip else 0), views=settings.views * trained)


def asked(params: Params, counts: Counts) -> int:
    """Return how many images a training is asked about once it is over, mirrored ones included."""
    return (counts.validation + counts.test) * (1 + params.test_time_flip)


def rows(params: Params, counts: Counts) -> dict[str, int]:
    """Return how many feature maps each array that extract_features writes holds, by its path without the suffix.

    The trunk's are written where one is kept.
    """
    there = spans(params, counts)
    views = params.extract_features.views * there.trained
    found = {
        "features/images": counts.images,
        "features/views": views,
        "trunk/images": there.unseen,
        "trunk/views": views,
    }
    if params.test_time_flip:
        found |= {f"flipped/{kind}/images": there.unseen for kind in ("features", "trunk")}
    return found
