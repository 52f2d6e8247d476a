"""One pass of the frozen base over every image, its outputs kept in .npy files.

The base is where the time goes, so everything else runs beside it: images are decoded ahead in other
threads, once for all their views, and rows are written as they come.
"""

import itertools
import math
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from headstart.base import base, batches, compiling, graph
from headstart.base.lazy import keras, tf
from headstart.features import augmentation
from headstart.features.augmentation import Draws
from headstart.foundation import threads
from headstart.foundation.arrays import ArrayFile, check_space, create_array
from headstart.foundation.framing import Framing
from headstart.foundation.progress import bar
from headstart.foundation.resume import Resumable
from headstart.images import images
from headstart.settings.schema import Augmentation

# Rows reach the disk and the state moves on every so many batches: at most some seconds of work are
# lost to a power cut, and the disk is not kept waiting.
_BATCHES_A_BLOCK = 8
# Decoded batches held ready. Two keep the base fed; more would only take memory.
_BATCHES_AHEAD = 2
# The largest float16.
_LARGEST = 65504.0


class Work(NamedTuple):
    """What to extract from."""

    files: list[Path]  # the images
    sha256s: list[str]  # digest of each; its augmented views are drawn from it
    plain: range  # places of those that are taken as they are
    trunk: range  # places of those whose trunk output is kept of that; ``plain`` holds them
    flipped: range  # places of those that are taken mirrored left to right
    viewed: range  # places of those that are taken in augmented views
    views: tuple[int, ...]  # numbers of these views
    framing: Framing  # how pictures become what the base sees
    batch_size: int  # images the base takes at once; a last batch of fewer is filled up
    augmentation: Augmentation  # how views differ from the image
    seed: int  # the run's seed
    base: str  # name of the base, whose preprocessing the images get

    def arrays(self, kind: str) -> dict[str, range]:
        """Return the arrays of a kind, ``features`` or ``trunk``, with the places of the images that each holds.

        Of ``views`` each image is there several times. An array is left out where nobody asks for such images.
        """
        found = {
            f"{kind}/images": self.plain if kind == "features" else self.trunk,
            f"{kind}/views": self.viewed,
            f"flipped/{kind}/images": self.flipped,
        }
        return {name: places for name, places in found.items() if places}


class Step(NamedTuple):
    """One call of the base: a batch of images, in the augmented view ``view`` or as it is (None), or mirrored."""

    view: int | None
    start: int
    stop: int
    flipped: bool = False

    def array(self, kind: str) -> str:
        """Name of the array that outputs of a kind, ``features`` or ``trunk``, go to."""
        if self.flipped:
            return f"flipped/{kind}/images"
        return f"{kind}/images" if self.view is None else f"{kind}/views"


Forward = Callable[[NDArray[np.uint8], Draws | None], dict[str, NDArray[np.float16]]]


def extract(
    model: "keras.Model", trunk: str | None, work: Work, state: Resumable, forward: Forward | None = None
) -> dict[str, Path]:
    """Run a base, or its lower part, over images and views.

    Args:
        model: the frozen base.
        trunk: an inner layer, one of ``graph.cuts``, whose output is kept as well; or None.
        work: the images.
        state: where arrays are built and how far an interrupted run came.
        forward: what :func:`compile_forward` gave for ``model``, where it is used several times.

    Returns:
        The finished files in ``state``'s folder, by the names of :meth:`Work.arrays`. Shapes are
        (images, height, width, channels), for views (views, images, height, width, channels), all float16.
    """
    forward = forward or compile_forward(model, trunk, work.base, work.batch_size, work.augmentation)
    steps = plan(work)
    files = _create_arrays(model, trunk, work, state.path)
    done = state.read().get("steps", 0)
    count = [step.stop - step.start for step in steps]
    with ExitStack() as stack:
        arrays = {name: stack.enter_context(closing(ArrayFile(path))) for name, path in files.items()}
        progress = stack.enter_context(bar("extract features", sum(count), " images", done=sum(count[:done])))
        for number, (step, pixels) in enumerate(_decoded(steps[done:], work), start=done + 1):
            outputs = forward(pixels[:, :, ::-1] if step.flipped else pixels, _draws(step, work))
            for kind, rows in outputs.items():
                name = step.array(kind)
                places = work.arrays(kind).get(name, range(0))
                if step.start in places:
                    view = 0 if step.view is None else work.views.index(step.view)
                    arrays[name].write(view * len(places) + places.index(step.start), rows)
            progress.update(step.stop - step.start)
            if number % _BATCHES_A_BLOCK == 0:
                for array in arrays.values():
                    array.flush()
                state.write({"steps": number})
    state.write({"steps": len(steps)})
    return files


def plan(work: Work) -> list[Step]:
    """Every call of the base in order. All views of a batch come together: it is decoded once.

    Images of a batch are asked for alike: none is there of which some are mirrored and others are not.
    """
    ranges = [work.plain, work.trunk, work.flipped, work.viewed]
    bounds = sorted({bound for places in ranges if places for bound in (places.start, places.stop)})
    steps = []
    for first, end in itertools.pairwise(bounds):
        views: list[int | None] = [None] if first in work.plain else []
        views += work.views if first in work.viewed else ()
        for start in range(first, end, work.batch_size):
            stop = min(start + work.batch_size, end)
            steps += [Step(view, start, stop) for view in views]
            steps += [Step(None, start, stop, flipped=True)] if first in work.flipped else []
    return steps


def compile_forward(
    model: "keras.Model",
    trunk: str | None,
    name: str,
    batch_size: int,
    settings: Augmentation = augmentation.UNCHANGED,
) -> Forward:
    """Return a function from RGB images to ``features`` and, if there is a trunk layer, ``trunk``.

    It takes uint8 images (n, size, size, 3), n up to ``batch_size``, and what was drawn for them by ``settings``, or
    None for images as they are. ``name`` is the base's, whose preprocessing the images get.
    It gives float16 (n, height, width, channels), the same for an image however many come with it.
    """
    lower = base.between(model, None, trunk) if trunk else None
    upper = base.between(model, trunk, None)

    def run(pixels: "tf.Tensor") -> dict[str, "tf.Tensor"]:
        values = base.preprocess(name, pixels)
        with batches.by_row(model):
            if lower is None:
                return {"features": half(upper(values, training=False))}
            values = lower(values, training=False)
            return {"features": half(upper(values, training=False)), "trunk": half(values)}

    size = model.input_shape[1]
    pixels = tf.TensorSpec((batch_size, size, size, 3), tf.uint8)
    plain = compiling.compiled(run, [pixels])
    augmented = compiling.compiled(
        lambda batch, maps, tones: run(augmentation.augment(batch, maps, tones, settings)),
        [
            pixels,
            tf.TensorSpec((batch_size, 8), tf.float32),
            tf.TensorSpec((batch_size, 2), tf.float32),
        ],
    )

    def forward(batch: NDArray[np.uint8], draws: Draws | None) -> dict[str, NDArray[np.float16]]:
        given = (batch,) if draws is None else (augmentation.paint(batch, draws), draws.maps, draws.tones)
        outputs = (plain if draws is None else augmented)(*(batches.padded(rows, batch_size) for rows in given))
        return {kind: rows.numpy()[: len(batch)] for kind, rows in outputs.items()}

    return forward


def half(values: "tf.Tensor") -> "tf.Tensor":
    """Turn activations into float16; what float16 can't hold becomes its largest value, not infinity."""
    return tf.cast(tf.clip_by_value(tf.cast(values, tf.float32), -_LARGEST, _LARGEST), tf.float16)


def _create_arrays(model: "keras.Model", trunk: str | None, work: Work, folder: Path) -> dict[str, Path]:
    """Create the arrays that an interrupted run has not left."""
    maps = {"features": tuple(model.output_shape[1:])}
    if trunk:
        maps["trunk"] = tuple(graph.outputs(model)[trunk].shape[1:])
    shapes = {
        array: ((len(work.views),) if array.endswith("/views") else ()) + (len(places), *feature_map)
        for kind, feature_map in maps.items()
        for array, places in work.arrays(kind).items()
    }
    files = {name: folder / f"{name.replace('/', '-')}.npy" for name in shapes}
    missing = [name for name, file in files.items() if not file.exists()]
    needed = sum(math.prod(shapes[name]) for name in missing) * np.dtype(np.float16).itemsize
    check_space(folder, needed, "extract_features.views")
    for name in missing:
        create_array(files[name], shapes[name], np.float16)
    return files


def _decoded(steps: list[Step], work: Work) -> Iterator[tuple[Step, NDArray[np.uint8]]]:
    """Yield each step with its images, uint8 (n, size, size, 3), decoded ahead in other threads."""
    batches = list(dict.fromkeys((step.start, step.stop) for step in steps))
    with ThreadPoolExecutor(threads.processors()) as pool:

        def decode(start: int, stop: int) -> list[Callable[[], NDArray[np.uint8]]]:
            return [pool.submit(images.load, file, work.framing).result for file in work.files[start:stop]]

        ahead = [decode(*batch) for batch in batches[:_BATCHES_AHEAD]]
        current, pixels = None, np.empty(0, np.uint8)
        following = iter(batches[_BATCHES_AHEAD:])
        try:
            for step in steps:
                if step.start != current:
                    current = step.start
                    pixels = np.stack([result() for result in ahead.pop(0)])
                    if batch := next(following, None):
                        ahead.append(decode(*batch))
                yield step, pixels
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _draws(step: Step, work: Work) -> Draws | None:
    if step.view is None:
        return None
    sha256s = work.sha256s[step.start : step.stop]
    return augmentation.draw(work.augmentation, sha256s, step.view, work.seed, work.framing.size)
