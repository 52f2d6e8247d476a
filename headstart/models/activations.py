"""What the frozen part of the base gives, taken from the nearest place where it is already known.

Fine-tuning starts above the last layer whose output can't change. That output is a feature file, a
trunk file, a few layers away from the trunk file, or has to be computed from the images once.
"""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from headstart.base import base, batches, extraction, graph
from headstart.base.lazy import keras, tf
from headstart.features import augmentation, features
from headstart.foundation import paths
from headstart.foundation.arrays import ArrayFile, check_space, create_array, open_array, release
from headstart.foundation.framing import Framing
from headstart.foundation.progress import bar
from headstart.foundation.resume import Resumable
from headstart.models.samples import Samples
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
    views: Views  # how training images are augmented
    batch_size: int  # images the base takes at once
    framing: Framing  # how pictures become what the base sees


def source(
    whole: "keras.Model", manifest: pd.DataFrame, extracted: ExtractFeatures, augmentation: Augmentation, seed: int
) -> Source:
    """Return the source that training takes activations of the frozen base from."""
    views = Views(extracted.views, augmentation, seed)
    return Source(whole, extraction.trunk_layer(), manifest, views, extracted.batch_size, extraction.read().framing)


def training_samples(
    layer: str, labels: NDArray[np.int64], source: Source, state: Resumable
) -> Callable[[int], Samples]:
    """Return a function that gives an epoch's training examples: outputs of ``layer`` for augmented views.

    ``layer`` and ``state`` are as in :func:`at`.
    """
    if source.views.kept == 0:
        return _online(layer, labels, source, state)
    kept = Samples(at(layer, "train_views", source, state), labels)
    return lambda epoch: kept


def at(layer: str, array: str, source: Source, state: Resumable) -> NDArray[np.generic]:
    """Return the output of ``layer`` for the images of an array.

    Args:
        layer: one of ``graph.cuts`` of the base, frozen up to there.
        array: ``validation``, ``test`` or ``train_views``; ``flipped/validation`` or ``flipped/test`` for the
            images mirrored left to right.
        source: where activations come from.
        state: where activations that have to be computed are built; it must outlive the result.

    Returns:
        float16 memory map, (images, height, width, channels), with the views before the images for
        ``train_views``.
    """
    names = list(graph.places(source.base))
    if layer == names[-1]:
        return open_array(_kept("features", array))
    trunk = source.trunk
    if trunk == layer:
        return open_array(_kept("trunk", array))
    if trunk and names.index(trunk) < names.index(layer):
        return _from_trunk(layer, array, source, state)
    return _from_images(layer, array, source, state)


def files(array: str, unfreeze: int) -> list[Path]:
    """Return the files that :func:`at` may read below the base's last ``unfreeze`` layers; else it reads images."""
    if unfreeze == 0:
        return [_kept("features", array)]
    trunk = _kept("trunk", array)
    return [paths.TRUNK / "trunk.json", *([trunk] if trunk.exists() else [])]


def _kept(kind: str, array: str) -> Path:
    """The file in which extraction keeps outputs of a kind, ``features`` or ``trunk``."""
    folder, _, name = array.rpartition("/")
    return paths.DATA / folder / kind / f"{name}.npy"


def _online(layer: str, labels: NDArray[np.int64], source: Source, state: Resumable) -> Callable[[int], Samples]:
    model = base.between(source.base, None, layer)
    forward = features.compile_forward(model, None, source.base.name, source.batch_size, source.views.augmentation)

    def epoch_samples(epoch: int) -> Samples:
        # The views are numbered by the epoch, so they are the same in every run.
        inner = Resumable(f"{state.name}/epoch", (state.key, epoch), [])
        files = features.extract(model, None, _work(source, "train_views", views=(epoch,)), inner, forward)
        values = open_array(files["features/train_views"])
        inner.discard()  # an open map keeps its file's content until it is closed
        return Samples(values, labels)

    return epoch_samples


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

    run = tf.function(forward, input_signature=[tf.TensorSpec((source.batch_size, *feature_map), tf.float16)])
    check_space(state.path, int(np.prod(shape)) * 2, "extract_features.views")
    create_array(path, shape, np.float16)
    with (
        closing(ArrayFile(path)) as file,
        bar(f"run the frozen layers up to {layer}", len(rows), " images") as progress,
    ):
        for start in range(0, len(rows), source.batch_size):
            batch = rows[start : start + source.batch_size]
            file.write(start, batches.apply(run, np.array(batch), source.batch_size))
            release(trunk)
            progress.update(len(batch))
    return open_array(path)


def _from_images(layer: str, array: str, source: Source, state: Resumable) -> NDArray[np.generic]:
    model = base.between(source.base, None, layer)
    inner = Resumable(f"{state.name}/{array}", (state.key, layer, array), [])
    files = features.extract(model, None, _work(source, array, tuple(range(source.views.kept))), inner)
    return open_array(next(iter(files.values())))


def _work(source: Source, array: str, views: tuple[int, ...]) -> features.Work:
    split = array.removesuffix("_views").removeprefix("flipped/")
    rows = source.manifest[source.manifest["split"] == split]
    return features.Work(
        files={split: [paths.PREPARED / path for path in rows["path"]]},
        plain=(split,) if array == split else (),
        flipped=(split,) if array == f"flipped/{split}" else (),
        sha256s=list(rows["sha256"]),
        views=views,
        framing=source.framing,
        batch_size=source.batch_size,
        augmentation=source.views.augmentation,
        seed=source.views.seed,
        base=source.base.name,
    )
