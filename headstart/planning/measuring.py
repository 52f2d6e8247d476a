"""Times the parts that a run is made of, on this machine: the very base, heads and networks, for a few seconds.

Weights are random, since they make no difference to the time, and images are noise.
"""

import functools
import itertools
import math
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from typing import TypeVar

import numpy as np
import psutil
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from headstart.base import base, batches, compiling, precision, runtime
from headstart.base.lazy import keras
from headstart.features import augmentation, features
from headstart.foundation.framing import Framing
from headstart.foundation.progress import bar
from headstart.images import images
from headstart.images.images import UnreadableImage
from headstart.models import architectures, classifier, models, pooled
from headstart.models.samples import Samples, epoch_batches
from headstart.planning import networks
from headstart.planning.counts import Counts
from headstart.planning.measured import Base, Measured, Shape, Training
from headstart.settings.schema import Augmentation, Classifier, Optimization, Params, Recipe, Scratch
from headstart.statistics.estimates import estimates
from headstart.statistics.intervals import RESAMPLES
from headstart.statistics.outcome import Outcome
from headstart.training import heads, layerwise
from headstart.training.steps import Steps

Settings = TypeVar("Settings", bound=Optimization)

# Seconds for which a part is repeated: more would be more exact, but nobody would wait for it.
_ENOUGH = 0.7
# Seconds between two looks at the memory.
_LOOK = 0.01
# Batches that one part is repeated for at the most.
_BATCHES = 40
# Bytes of noise that a network trains on at the most.
_VALUES_BYTES = 32_000_000
# Images that augmentation is timed on.
_SOME = 32
# Test images that resampling is timed on.
_SCORED = 100
# Rows of the matrix whose square is timed.
_MATRIX = 600
# Parts that are timed, beside every training: Python, TensorFlow, the base, augmentation.
_PARTS = 4


def measure(params: Params, counts: Counts) -> Measured:
    """Measure what the parts of a run take.

    The number of images decides how large batches are, and their files how long decoding takes.

    Raises:
        InputError: params.yaml asks for layers that the base does not have, or a limit leaves too little memory.
    """
    with bar("measure this machine", _PARTS + len(params.sections(Optimization)), " parts") as progress:
        python = _seconds(_start_python)
        progress.update(1)
        tensorflow = _seconds(lambda: runtime.start(params.seed))
        progress.update(1)
        idle = psutil.Process().memory_info().rss
        chosen = precision.choose(params.precision)
        runtime.set_policy(chosen.policy)
        trainings = {}
        # First, as long as there is no base in memory: these stages need none.
        for stage, time_it in _without_base(params, counts).items():
            trainings[stage] = time_it()
            progress.update(1)
        with _peak() as memory:
            built = time.perf_counter()
            whole = base.build(params.backbone.name, {}, params.extract_features.image_size)
            build = time.perf_counter() - built
            of_base = networks.describe(whole, params)
            first, image = _time_base(whole, params)
        progress.update(1)
        for stage, time_it in _on_base(params, counts, whole, of_base).items():
            trainings[stage] = time_it()
            progress.update(1)
        augments = {
            size: _time_augmentation(params.augmentation, size)
            for size in {params.extract_features.image_size, params.train_scratch_augmented.image_size}
        }
        progress.update(1)
    check, decode = _time_decoding(counts.sample, params)
    return Measured(
        python=python,
        tensorflow=tensorflow,
        check=check,
        decode=decode,
        build=build,
        compile=first,
        image=image,
        augment=augments[params.extract_features.image_size],
        scratch_augment=augments[params.train_scratch_augmented.image_size],
        resampled=_time_resampling(counts),
        multiplications=_count_multiplications(),
        base=of_base,
        trainings=trainings,
        idle=idle,
        memory=memory[0],
    )


def _without_base(params: Params, counts: Counts) -> dict[str, Callable[[], Training]]:
    """Return functions that time the training of networks from scratch, by stage; equal trainings are timed once."""

    @functools.cache
    def scratch(settings: Scratch) -> Training:
        size = settings.image_size
        network = architectures.describe(settings, Framing(size), keras.config.dtype_policy().name, grey=False)
        pixels = np.random.default_rng(0).integers(0, 256, _many(settings, counts, (size, size, 3), 1), np.uint8)
        return _time_training(lambda: architectures.build(network, counts.classes, 0), pixels, counts, settings)

    return {name: partial(scratch, _pace(section, Scratch)) for name, section in params.sections(Scratch).items()}


def _on_base(params: Params, counts: Counts, whole: "keras.Model", of_base: Base) -> dict[str, Callable[[], Training]]:
    """Return functions that time the training of classifiers on a base, by stage, in the same way."""

    @functools.cache
    def head(settings: Classifier, averaged: bool) -> Training:
        maps = _features(_many(settings, counts, of_base.features, 2))

        def build() -> "keras.Model":
            return classifier.build(settings, of_base.features, 1.0, counts.classes, 0)

        if not averaged:
            return _time_training(build, maps, counts, settings)
        means = maps.mean(axis=(1, 2), dtype=np.float32)
        of_means = _time_training(lambda: pooled.divide(build()).top, means, counts, settings)
        return replace(of_means, prepare=_time_averaging(build(), maps))

    def finetune() -> Training:
        settings = params.finetune
        start = classifier.build(params.train_augmented, of_base.features, 1.0, counts.classes, 0)
        unfreeze = base.count_unfrozen(whole, settings.unfreeze)
        values = _features(_many(settings, counts, of_base.cut, 2))
        return _time_training(lambda: models.join(whole, start, unfreeze), values, counts, settings)

    kept = {"train_head": True, "train_augmented": params.extract_features.views > 0}
    of_heads = {
        name: partial(head, _pace(section, Classifier), averaged=kept[name] and heads.averages_first(section))
        for name, section in params.sections(Classifier).items()
    }
    return {**of_heads, "finetune": finetune}


def _pace(settings: Optimization, kind: type[Settings]) -> Settings:
    """Return settings without what doesn't change the time of an epoch, so that trainings of equal pace are equal."""
    recipe = settings.recipe.model_dump(include=set(Recipe.model_fields)) | {"schedule": "constant", "warmup": 0.0}
    values = settings.model_dump(include=set(kind.model_fields))
    same = {"epochs": 1, "patience": 0, "learning_rate": 1e-3, "recipe": Recipe(**recipe)}
    return kind(**(values | same))


def _time_training(
    build: Callable[[], "keras.Model"], values: NDArray[np.generic], counts: Counts, settings: Optimization
) -> Training:
    """Time a training's steps on noise, (examples, …), as :class:`headstart.training.training.Trainer` takes them."""
    labels = np.random.default_rng(0).integers(0, counts.classes, len(values))
    samples = Samples(values[np.newaxis], labels)
    with _peak() as memory:
        started = time.perf_counter()
        model = build()
        built = time.perf_counter()
        steps = Steps(model, layerwise.together(model), settings)
        steps.begin(seed=0)
        step = steps.of_epoch(0, math.ceil(len(labels) / settings.batch_size))
        step(values[: settings.batch_size], labels[: settings.batch_size]).numpy()
        begun = time.perf_counter()
        done = 0
        for epoch in itertools.count():
            sums = [step(x, y) for x, y in epoch_batches(samples, settings.batch_size, epoch, seed=0)]
            np.array([pair.numpy() for pair in sums])
            done += len(labels)
            if time.perf_counter() - begun >= _ENOUGH:
                break
        ended = time.perf_counter()
    return Training(
        build=built - started,
        compile=begun - built,
        prepare=0.0,
        example=(ended - begun) / done,
        weights=model.count_params(),
        trained=sum(math.prod(weight.shape) for weight in model.trainable_weights),
        memory=memory[0],
    )


def _time_averaging(head: "keras.Model", maps: NDArray[np.generic]) -> float:
    """Return the seconds that an image's feature maps take to be averaged as ``head`` does it."""
    average = pooled.compile_stem(pooled.divide(head).stem, maps.dtype)
    batch = maps[: batches.SIZE]
    average(batch)
    return _repeated(lambda: average(batch)) / batches.SIZE


def _many(settings: Optimization, counts: Counts, shape: Shape, item: int) -> Shape:
    """Shape of some examples: a batch at the least, no more than there are, nor than fit into little memory."""
    fit = max(1, _VALUES_BYTES // (math.prod(shape) * item * settings.batch_size))
    return (min(counts.train, settings.batch_size * min(fit, _BATCHES)), *shape)


def _features(shape: Shape) -> NDArray[np.float16]:
    """Noise that resembles features: half of it is zeros."""
    return np.maximum(np.random.default_rng(0).standard_normal(shape, np.float32), 0).astype(np.float16)


def _time_base(whole: "keras.Model", params: Params) -> tuple[float, float]:
    """Return the seconds of a base's first call beyond those of a later one, and of a later one for an image."""
    settings = params.extract_features
    trunk = base.trunk(whole, settings.trunk)
    forward = features.compile_forward(whole, trunk, params.backbone.name, settings.batch_size)
    pixels = _noise(settings.batch_size, settings.image_size)

    def run() -> None:
        forward(pixels, None)

    first = _seconds(run)
    again = _repeated(run)
    return max(0.0, first - again), again / settings.batch_size


def _time_augmentation(settings: Augmentation, size: int) -> float:
    """Return the seconds that a view of an image takes."""
    pixels = _noise(_SOME, size)
    digests = [f"{number:064x}" for number in range(_SOME)]
    augment = compiling.compiled_for_rows(lambda batch, maps, tones: augmentation.augment(batch, maps, tones, settings))

    def run() -> None:
        draws = augmentation.draw(settings, digests, 0, 0, size)
        augment(augmentation.paint(pixels, draws), draws.maps, draws.tones).numpy()

    run()
    return _repeated(run) / _SOME


def _time_decoding(sample: Sequence[bytes], params: Params) -> tuple[float, float]:
    """Return the seconds that an image takes to be checked, and to be decoded for the base."""
    settings = params.extract_features
    framing = Framing(settings.image_size, settings.fit, params.prepare.white_level)
    usable = []
    started = time.perf_counter()
    for data in sample:
        with suppress(UnreadableImage):
            images.measure(data)
            usable.append(data)
    checked = time.perf_counter()
    for data in usable:
        images.square(data, framing)
    decoded = time.perf_counter()
    count = max(1, len(usable))
    return (checked - started) / count, (decoded - checked) / count


def _time_resampling(counts: Counts) -> float:
    """Return the seconds that an image and class takes in each resample of the test images."""
    labels = np.arange(_SCORED) % counts.classes
    probabilities = np.random.default_rng(0).dirichlet(np.ones(counts.classes), _SCORED)
    seconds = _seconds(lambda: estimates(Outcome(labels, probabilities[None]), seed=0))
    return seconds / (_SCORED * (RESAMPLES + _SCORED) * counts.classes)


def _count_multiplications() -> float:
    matrix = np.random.default_rng(0).standard_normal((_MATRIX, _MATRIX))
    with threadpool_limits(limits=1):
        return _MATRIX**3 / _seconds(lambda: matrix @ matrix)


def _noise(count: int, size: int) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (count, size, size, 3), np.uint8)


def _start_python() -> None:
    # What a stage imports before TensorFlow, and ends with.
    subprocess.run([sys.executable, "-m", "stages.train_head", "--help"], check=True, stdout=subprocess.DEVNULL)


def _seconds(run: Callable[[], object]) -> float:
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def _repeated(run: Callable[[], object]) -> float:
    """Return the mean seconds of a call, of as many as there is time for."""
    started = time.perf_counter()
    calls = 0
    while not calls or time.perf_counter() - started < _ENOUGH:
        run()
        calls += 1
    return (time.perf_counter() - started) / calls


@contextmanager
def _peak() -> Iterator[list[int]]:
    """Record the peak memory of this process, bytes, in the list that is yielded."""
    process, found, over = psutil.Process(), [0], threading.Event()

    def look() -> None:
        while not over.wait(_LOOK):
            found[0] = max(found[0], process.memory_info().rss)

    found[0] = process.memory_info().rss
    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield found
    finally:
        over.set()
        watcher.join()
