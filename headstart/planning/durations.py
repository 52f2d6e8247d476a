"""How long each stage would take: the amounts of work, times what a unit of it takes on this machine."""

import os
from dataclasses import dataclass

from headstart.models.strategies import STRATEGIES, TRANSFER
from headstart.planning import amounts
from headstart.planning.counts import Counts
from headstart.planning.measured import Measured, Training
from headstart.pretrained.imagenet import CANONICAL
from headstart.settings.schema import Optimization, Params

# Bytes a second over an ordinary connection. Nothing is downloaded to find out.
_NETWORK = 10e6
# Bytes a second that DVC hashes and copies into its cache.
_CACHED = 300e6
# A step forward and back takes about three times a step forward: each layer has two products more.
_FORWARD = 1 / 3
# Passes over the features until the logistic regression of the suspects has come to rest.
_PASSES = 400
# The same for each penalty of the probe, which starts where the one before has ended. Each is two products: forward and
# back.
_PASSES_OF_PROBE = 40
# What is the same work in every run, in starts of Python, so that it is longer where the processor is slower: importing
# what a stage draws and counts with, compiling a model's validation, drawing.
_DVC = 0.25
_START_OF_DVC = 1.0
_PREVIEW = 0.7
_VALIDATION = 2.0
_REPORT = 5.0
_EVALUATION = 3.0
_EXPLANATION = 6.0
# Passes of the base that a heat map is worth: forward, and back for each of two classes.
_BACK = 3


@dataclass(frozen=True)
class Seconds:
    """What to expect, and the most it may take."""

    likely: float
    most: float


def of_stages(params: Params, counts: Counts, measured: Measured) -> dict[str, Seconds]:
    """Return the seconds of every stage that takes more than a start of Python: that, and what DVC adds, included."""
    likely, most = (_seconds(params, counts, measured, longest) for longest in (False, True))
    return {stage: Seconds(likely[stage], most[stage]) for stage in likely}


def of_any_stage(measured: Measured) -> float:
    """Return the seconds that a stage takes which does next to nothing."""
    return (1 + _DVC) * measured.python


def of_dvc(written: int, measured: Measured) -> float:
    """Return the seconds that DVC adds to a run: its start, and hashing and keeping so many bytes."""
    return _START_OF_DVC * measured.python + written / _CACHED


def _seconds(params: Params, counts: Counts, measured: Measured, longest: bool) -> dict[str, float]:
    plain = of_any_stage(measured)
    start = plain + measured.tensorflow

    def training(stage: str) -> float:
        settings: Optimization = getattr(params, stage)
        expected = amounts.epochs(settings, stage)
        epochs = expected.most if longest else expected.likely
        often = amounts.trainings(params, stage)
        of_all = 0.0
        for number, images in ((often.tested, counts), (often.kept, amounts.at_once(params, counts))):
            if number:
                _, epoch = _TRAINED[stage](params, images, measured)
                asked = amounts.asked(params, images) * _ask(params, stage, measured)
                of_all += number * (measured.trainings[stage].build + epochs * epoch + asked)
        once, _ = _TRAINED[stage](params, counts, measured)
        return start + once + measured.trainings[stage].compile + _VALIDATION * measured.python + of_all

    return {
        "backbone": plain + _backbone(params, measured),
        "prepare": plain + _prepare(counts, measured),
        "preview": start + _PREVIEW * measured.python,
        "extract_features": start + _extraction(params, counts, measured),
        **{stage: training(stage) for stage in _TRAINED},
        "train_probe": start + _probe(params, counts, measured),
        "evaluate": plain + _evaluation(params, counts, measured),
        "explain": start + _explanation(params, measured),
        "report": plain + _REPORT * measured.python,
    }


def _backbone(params: Params, measured: Measured) -> float:
    own = params.backbone.name in CANONICAL
    fetched = 4 * measured.base.weights / _NETWORK if params.backbone.weights == "imagenet" else 0.0
    return fetched + (0.0 if own else measured.tensorflow + measured.build)


def _prepare(counts: Counts, measured: Measured) -> float:
    return counts.images * measured.check / _workers() + counts.download / _NETWORK


def _extraction(params: Params, counts: Counts, measured: Measured) -> float:
    passes = amounts.extraction(params, counts)
    begin = measured.build + measured.compile * (2 if passes.views else 1)
    decoded = counts.images * measured.decode / _workers()
    return begin + decoded + passes.total * measured.image + passes.views * measured.augment


# What a stage takes: seconds once, beside what is compiled, and in each epoch.
_Parts = tuple[float, float]


def _ask(params: Params, stage: str, measured: Measured) -> float:
    """Seconds that a model takes for an image, from what the training has of it."""
    if stage == "finetune":
        return measured.base.above_cut * measured.image
    return _FORWARD * measured.trainings[stage].example


def _epoch(trained: Training, counts: Counts, forward: float = _FORWARD) -> float:
    return (counts.train + forward * counts.validation) * trained.example


def _train_scratch(params: Params, counts: Counts, measured: Measured) -> _Parts:
    trained = measured.trainings["train_scratch"]
    return _pixels(counts, measured), _epoch(trained, counts)


def _train_scratch_augmented(params: Params, counts: Counts, measured: Measured) -> _Parts:
    trained = measured.trainings["train_scratch_augmented"]
    views = counts.train * measured.scratch_augment
    return _pixels(counts, measured), _epoch(trained, counts) + views


def _pixels(counts: Counts, measured: Measured) -> float:
    return counts.images * measured.decode / _workers()


def _probe(params: Params, counts: Counts, measured: Measured) -> float:
    often = amounts.trainings(params, "train_probe")
    passes = len(params.train_probe.strengths) * _PASSES_OF_PROBE
    units = 1 if counts.classes == 2 else counts.classes
    # Without folds repeats are on the same images: it is fitted once.
    images = (often.tested if params.prepare.folds else 1) * counts.train
    if often.kept:
        images += often.kept * amounts.at_once(params, counts).train
    products = 2 * passes * images * measured.base.features[-1] * units
    return _VALIDATION * measured.python + products / measured.multiplications


def _train_head(params: Params, counts: Counts, measured: Measured) -> _Parts:
    trained = measured.trainings["train_head"]
    return _stored(params, counts) * trained.prepare, _epoch(trained, counts)


def _stored(params: Params, counts: Counts) -> int:
    """How many feature maps are kept of images as they are, and of mirrored ones."""
    return counts.images + params.test_time_flip * amounts.spans(params, counts).unseen


def _train_augmented(params: Params, counts: Counts, measured: Measured) -> _Parts:
    trained = measured.trainings["train_augmented"]
    if params.extract_features.views:
        maps = _stored(params, counts) + params.extract_features.views * amounts.spans(params, counts).trained
        return maps * trained.prepare, _epoch(trained, counts)
    views = counts.train * (measured.image + measured.augment + measured.decode / _workers())
    return measured.build + measured.compile, _epoch(trained, counts) + views


def _finetune(params: Params, counts: Counts, measured: Measured) -> _Parts:
    trained, base = measured.trainings["finetune"], measured.base
    epoch = counts.train * trained.example + counts.validation * base.above_cut * measured.image
    below = measured.image * (1 - base.above_cut)
    views = params.extract_features.views
    if not views:
        epoch += counts.train * (below + measured.augment + measured.decode / _workers())
    if not base.cut_is_kept:
        if base.cut_from_trunk:
            below = measured.image * (base.above_trunk - base.above_cut)
        there = amounts.spans(params, counts)
        unseen = there.unseen * (1 + params.test_time_flip)
        return measured.build + (views * there.trained + unseen) * below, epoch
    return measured.build, epoch


_TRAINED = {
    "train_scratch": _train_scratch,
    "train_scratch_augmented": _train_scratch_augmented,
    "train_head": _train_head,
    "train_augmented": _train_augmented,
    "finetune": _finetune,
}


def _evaluation(params: Params, counts: Counts, measured: Measured) -> float:
    tested = counts.images if params.prepare.folds else counts.test
    resampled = tested * (amounts.RESAMPLES + tested) * counts.classes * measured.resampled
    return (
        _EVALUATION * measured.python
        + len(STRATEGIES) * resampled
        + counts.images * measured.decode / _workers()
        + _products(params, counts, measured) / measured.multiplications
    )


def _products(params: Params, counts: Counts, measured: Measured) -> float:
    """Multiplications of the learning curves and of the suspects' classifier."""
    height, width, channels = measured.base.features
    examined = counts.images * amounts.FOLDS * _PASSES * channels * max(1, counts.classes - 1)
    settings = params.evaluate
    if not settings.learning_curve:
        return examined
    train = min(counts.train, amounts.MOST_IMAGES)
    curves = 0.0
    for head in (params.train_head, params.train_augmented):
        length = channels * (height * width if head.pooling == "flatten" else 1)
        curves += train * (train + counts.validation + counts.test) * length
        for fraction in settings.learning_curve:
            drawn = settings.curve_repeats if fraction < 1 else 1
            curves += drawn * amounts.RIDGES * (fraction * train) ** 3 / 3
    return examined + max(1, params.prepare.folds) * curves


def _explanation(params: Params, measured: Measured) -> float:
    settings = params.explain
    networks = 2 + len(TRANSFER) + measured.base.patterns
    filters = settings.steps * settings.filters * measured.base.climbed * measured.image
    maps = len(TRANSFER) * 2 * settings.answers * _BACK * measured.image
    return _EXPLANATION * measured.python + networks * (measured.build + measured.compile) + filters + maps


def _workers() -> int:
    return min(4, os.cpu_count() or 1)
