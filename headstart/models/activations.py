"""What the frozen part of the base gives, taken from the nearest place where it is already known.

Fine-tuning starts above the last layer whose output can't change. That output is a feature file, a
trunk file, a few layers away from the trunk file, or has to be computed from the images once.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from headstart.base import base, batches, extraction, graph
from headstart.base.lazy import keras, tf
from headstart.features import augmentation, features
from headstart.foundation import paths
from headstart.foundation.array_types import IntArray
from headstart.foundation.arrays import check_space, open_array
from headstart.foundation.framing import Framing
from headstart.foundation.resume import Resumable
from headstart.images import assignments
from headstart.images.assignments import Spans
from headstart.models import computed
from headstart.models.samples import Examples, Samples, Stored, every_epoch
from headstart.settings.schema import Augmentation, ExtractFeatures


class Views(NamedTuple):
    """How augmented views of the training images are made."""

    kept: int  # how many were computed and kept; 0 where every epoch makes new ones
    augmentation: Augmentation  # how they differ from the image
    seed: int  # the run's seed


# Where no training images are asked for.
NO_VIEWS = Views(kept=0, augmentation=augmentation.UNCHANGED, seed=0)


class Source(NamedTuple):
    """Everything needed to compute activations of the images."""

    base: "keras.Model"  # the whole frozen base
    trunk: str | None  # the layer whose outputs are in data/trunk, or None
    manifest: pd.DataFrame  # the images
    spans: Spans  # which of them are trained on, and which validated or tested on
    views: Views  # how training images are augmented
    batch_size: int  # images the base takes at once
    framing: Framing  # how pictures become what the base sees


def source(
    whole: "keras.Model", manifest: pd.DataFrame, extracted: ExtractFeatures, augmentation: Augmentation, seed: int
) -> Source:
    """Return the source that training takes activations of the frozen base from."""
    views = Views(extracted.views, augmentation, seed)
    return Source(
        whole,
        extraction.trunk_layer(),
        manifest,
        assignments.spans(manifest),
        views,
        extracted.batch_size,
        extraction.read().framing,
    )


def training_samples(layer: str, source: Source, state: Resumable) -> Examples:
    """Return what gives a training its examples: outputs of ``layer`` for augmented views.

    ``layer`` and ``state`` are as in :func:`at`.
    """
    return every_epoch(at(layer, "views", source, state)) if source.views.kept else _online(layer, source)


def at(layer: str, array: str, source: Source, state: Resumable) -> Stored:
    """Return the output of ``layer`` for the images of an array.

    Args:
        layer: one of ``graph.cuts`` of the base, frozen up to there.
        array: ``images`` for those that are validated or tested on, as they are; ``flipped/images`` for their mirror
            images; ``views`` for augmented views of those that are trained on.
        source: where activations come from.
        state: where activations that have to be computed are built; it must outlive the result.

    Returns:
        float16 memory map, (views, images, height, width, channels).
    """
    names = list(graph.places(source.base))
    trunk = source.trunk
    if layer == names[-1]:
        found = open_array(_kept("features", array))
    elif trunk == layer:
        found = open_array(_kept("trunk", array))
    elif trunk and names.index(trunk) < names.index(layer):
        found = _from_trunk(layer, array, source, state)
    else:
        found = _from_images(layer, array, source, state)
    values = found if array == "views" else found[np.newaxis]
    # What is kept ends with the last row, from whichever row on; of views it begins with the first.
    return Stored(values, 0 if array == "views" else len(source.manifest) - values.shape[1])


def _kept(kind: str, array: str) -> Path:
    """The file in which extraction keeps outputs of a kind, ``features`` or ``trunk``."""
    folder, _, name = array.rpartition("/")
    return paths.DATA / folder / kind / f"{name}.npy"


def _online(layer: str, source: Source) -> Examples:
    model = base.between(source.base, None, layer)
    forward = features.compile_forward(model, None, source.base.name, source.batch_size, source.views.augmentation)

    def of_training(rows: IntArray, labels: IntArray, part: Resumable) -> Callable[[int], Samples]:
        def epoch_samples(epoch: int) -> Samples:
            # The views are numbered by the epoch, so they are the same in every run.
            inner = Resumable(f"{part.name}/epoch", (part.key, epoch), [])
            work = _work(source, rows)._replace(viewed=range(len(rows)), views=(epoch,))
            files = features.extract(model, None, work, inner, forward)
            values = open_array(files["features/views"])
            inner.discard()  # an open map keeps its file's content until it is closed
            return Samples(values, labels)

        return epoch_samples

    return of_training


def _from_trunk(layer: str, array: str, source: Source, state: Resumable) -> NDArray[np.generic]:
    model = base.between(source.base, source.trunk, layer)
    trunk = open_array(_kept("trunk", array))
    leading, feature_map = trunk.shape[:-3], trunk.shape[-3:]
    shape = (*leading, *model.output_shape[1:])
    path = state.path / f"{layer}-{array.replace('/', '-')}.npy"
    rows = trunk.reshape(-1, *feature_map)

    def forward(values: "tf.Tensor") -> "tf.Tensor":
        with batches.by_row(model):
            return features.half(model(tf.cast(values, model.input.dtype), training=False))

    run = batches.compiled(forward, feature_map, tf.float16, source.batch_size)
    check_space(state.path, int(np.prod(shape)) * 2, "extract_features.views")
    computed.write(path, shape, np.float16, rows, run, source.batch_size, f"run the frozen layers up to {layer}")
    return open_array(path)


def _from_images(layer: str, array: str, source: Source, state: Resumable) -> NDArray[np.generic]:
    model = base.between(source.base, None, layer)
    inner = Resumable(f"{state.name}/{array}", (state.key, layer, array), [])
    span = source.spans.trained if array == "views" else source.spans.unseen
    every, nothing = range(len(span)), range(0)
    work = _work(source, np.array(span))._replace(
        plain=every if array == "images" else nothing,
        flipped=every if array == "flipped/images" else nothing,
        viewed=every if array == "views" else nothing,
        views=tuple(range(source.views.kept)),
    )
    files = features.extract(model, None, work, inner)
    return open_array(next(iter(files.values())))


def _work(source: Source, rows: IntArray) -> features.Work:
    """What to extract of the images in some rows: nothing yet."""
    chosen = source.manifest.iloc[rows]
    nothing = range(0)
    return features.Work(
        files=[paths.PREPARED / path for path in chosen["path"]],
        sha256s=list(chosen["sha256"]),
        plain=nothing,
        trunk=nothing,
        flipped=nothing,
        viewed=nothing,
        views=(),
        framing=source.framing,
        batch_size=source.batch_size,
        augmentation=source.views.augmentation,
        seed=source.views.seed,
        base=source.base.name,
    )
