"""Training networks without a pretrained base: what the two strategies that do so have in common."""

import time
from typing import cast

from headstart.base import precision, runtime
from headstart.base.lazy import keras
from headstart.foundation.framing import Framing
from headstart.foundation.resume import Resumable
from headstart.images import assignments
from headstart.images.assignments import Assignment
from headstart.models import architectures, models, pixels
from headstart.models.samples import Stored
from headstart.models.strategies import stage_of
from headstart.settings.schema import Augmentation, Params, Scratch
from headstart.training import context as contexts
from headstart.training import strategy
from headstart.training.strategy import Learner, Parts
from headstart.training.training import Trainer, Training


def train(name: str, params: Params, augmentation: Augmentation | None) -> None:
    """Train a network, and write it as the strategy ``name``.

    Args:
        name: the strategy's.
        params: all settings.
        augmentation: how training images change, anew in every epoch; None leaves them as they are.

    Raises:
        InputError: the images are too small for the network, one doesn't decode, or the disk has no room for them.
    """
    stage = stage_of(name)
    settings = cast(Scratch, getattr(params, stage))
    architectures.check_size(settings, stage)
    runtime.start(params.seed)
    chosen = precision.choose(params.precision)
    runtime.set_policy(chosen.policy)
    framing = Framing(settings.image_size, params.extract_features.fit, params.prepare.white_level)
    context = contexts.begin(name, params, [], framing, augmentation, chosen.policy)
    started = time.monotonic()
    decoded = pixels.read(context.frame, framing, context.state)
    grey = pixels.are_grey(decoded[: len(assignments.spans(context.frame).trained)])
    network = architectures.describe(settings, framing, chosen.policy, grey)
    print(f"{architectures.in_words(network)}, {chosen.reason}")
    plain = Stored(decoded[None])
    sha256s = list(context.frame["sha256"])

    def build(seed: int) -> "keras.Model":
        return architectures.build(network, len(context.classes), seed)

    trainer = Trainer(build(params.seed), settings)

    def train_once(assignment: Assignment, state: Resumable) -> Training:
        models.become(trainer.model, build(assignment.seed))
        examples = plain.samples(assignment.train, context.labels(assignment.train))
        views = pixels.views(examples, sha256s, augmentation, assignment.seed)
        return strategy.fit(context, assignment, trainer, views, plain, state)

    # Images, views, rows, columns: mirrored left to right.
    images = [plain, Stored(decoded[None, :, :, ::-1])][: 1 + params.test_time_flip]
    parts = Parts(network=network)
    strategy.train(context, Learner(trainer.model, train_once, images, parts, time.monotonic() - started))
