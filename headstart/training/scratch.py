"""Training networks without a pretrained base: what the two strategies that do so have in common."""

import time
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from headstart.base import runtime
from headstart.base.precision import Precision
from headstart.foundation import paths
from headstart.foundation.framing import Framing
from headstart.foundation.resume import Resumable
from headstart.images import manifest
from headstart.models import architectures, pixels
from headstart.models.architectures import Network
from headstart.models.samples import Samples
from headstart.settings.schema import Augmentation, Scratch
from headstart.training import strategy, training
from headstart.training.training import Training

if TYPE_CHECKING:
    import keras


class Prepared(NamedTuple):
    """What a network is trained with.

    Attributes:
        train: the training images, decoded.
        sha256s: digests of their files.
        validation: the validation images, decoded.
        classes: names, in the order of the labels.
        network: what is to be trained.
        seconds: it took to decode the images, as far as no interrupted run had.
    """

    train: Samples
    sha256s: list[str]
    validation: Samples
    classes: list[str]
    network: Network
    seconds: float


def prepare(settings: Scratch, framing: Framing, precision: Precision, state: Resumable) -> Prepared:
    """Decode the images and choose the network's precision and channels.

    Args:
        settings: of the strategy.
        framing: how pictures become what the network sees.
        precision: what networks compute in from now on.
        state: of the stage; it must outlive the result.

    Raises:
        InputError: an image doesn't decode, or the disk has no room for them.
    """
    started = time.monotonic()
    runtime.set_policy(precision.policy)
    frame = manifest.read(paths.MANIFEST)
    train, validation = (pixels.read(frame, split, framing, state) for split in ("train", "validation"))
    network = architectures.describe(settings, framing, precision.policy, pixels.are_grey(train))
    print(f"{architectures.in_words(network)}, {precision.reason}")
    return Prepared(
        train=train,
        sha256s=list(frame.loc[frame["split"] == "train", "sha256"]),
        validation=validation,
        classes=manifest.class_names(frame),
        network=network,
        seconds=time.monotonic() - started,
    )


def train(
    name: str,
    settings: Scratch,
    augmentation: Augmentation | None,
    prepared: Prepared,
    repeats: int,
    seed: int,
    state: Resumable,
) -> None:
    """Train a network, and write it as the strategy ``name``.

    Args:
        name: the strategy's.
        settings: of the training.
        augmentation: how training images change, anew in every epoch; None leaves them as they are.
        prepared: the images and the network.
        repeats: how often it is trained.
        seed: the run's seed.
        state: of the stage.
    """
    classes, network = prepared.classes, prepared.network

    def train_once(own_seed: int, part: Resumable) -> tuple["keras.Model", Training]:
        model = architectures.build(network, len(classes), own_seed)
        views = pixels.views(prepared.train, prepared.sha256s, augmentation, own_seed)
        follow = partial(strategy.write_history, name)
        return model, training.fit(model, views, prepared.validation, settings, own_seed, part, follow=follow)

    outcome = strategy.repeat(repeats, seed, state, train_once)
    outcome = outcome._replace(seconds=prepared.seconds + outcome.seconds)
    strategy.finish(name, outcome, state, classes, network=network)
