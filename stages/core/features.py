"""One pass of the frozen base over every image, its outputs kept in .npy files.

The base is where the time goes, so everything else runs beside it: images are decoded ahead in other
threads, once for all their views, and rows are written as they come.
"""

import json
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stages.core import augmentation, base, images
from stages.core.arrays import ArrayFile, check_space
from stages.core.progress import bar
from stages.core.resume import Resumable
from stages.core.sections.features import Augmentation

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

FEATURES = Path("data/features")
TRUNK = Path("data/trunk")

# Rows reach the disk and the state moves on every so many batches: at most some seconds of work are
# lost to a power cut, and the disk is not kept waiting.
_BATCHES_A_BLOCK = 8
# Decoded batches held ready. Two keep the base fed; more would only take memory.
_BATCHES_AHEAD = 2
# The largest float16. What a base gives beyond it is cut off there rather than turned into infinity.
_LARGEST = 65504.0


class Work(NamedTuple):
    """What to extract from.

    Attributes:
        files: the images of each split, by its name.
        sha256s: digest of each training image; its augmented views are drawn from it.
        image_size: side that images are resized to, pixels.
        batch_size: images the base takes at once.
        views: augmented views of each training image.
        augmentation: how views differ from the image.
        seed: the run's seed.
    """

    files: dict[str, list[Path]]
    sha256s: list[str]
    image_size: int
    batch_size: int
    views: int
    augmentation: Augmentation
    seed: int

    @property
    def passes(self) -> int:
        """How many images the base sees in all, views counted."""
        return sum(map(len, self.files.values())) + self.views * len(self.files["train"])


class Step(NamedTuple):
    """One call of the base: a batch of one split, ``view`` of it or the images themselves (None)."""

    split: str
    view: int | None
    start: int
    stop: int


def extract(whole: "keras.Model", trunk_layer: str | None, work: Work, state: Resumable) -> dict[str, Path]:
    """Run the base over all images and views.

    Args:
        whole: the frozen base.
        trunk_layer: layer whose output is kept for fine-tuning, of validation and test images and of
            the training views; None keeps none.
        work: the images.
        state: where arrays are built and how far an interrupted run came.

    Returns:
        Finished files in ``state``'s folder by where they belong, for example ``data/features/train.npy``.
        Features have the shape (images, height, width, channels), those of views (views, images, …),
        all float16.
    """
    forward = compile_forward(whole, trunk_layer)
    arrays = _open_arrays(whole, trunk_layer, work, state.path)
    steps = plan(work)
    done = state.read().get("steps", 0)
    finished = sum(step.stop - step.start for step in steps[:done])
    with bar("extract features", work.passes, " images", done=finished) as progress:
        for number, (step, pixels) in enumerate(_decoded(steps[done:], work), start=done + 1):
            trunk, features = forward(pixels, _maps(step, work))
            _write(arrays, step, len(work.files["train"]), trunk, features)
            progress.update(step.stop - step.start)
            if number % _BATCHES_A_BLOCK == 0:
                for array in arrays.values():
                    array.flush()
                state.write({"steps": number})
    for array in arrays.values():
        array.close()
    return {name: state.path / _flat(name) for name in arrays}


def plan(work: Work) -> list[Step]:
    """Every call of the base in order. All views of a batch stand together: it is decoded once."""
    steps = []
    for split, files in work.files.items():
        views = [None, *range(work.views)] if split == "train" else [None]
        for start in range(0, len(files), work.batch_size):
            stop = min(start + work.batch_size, len(files))
            steps += [Step(split, view, start, stop) for view in views]
    return steps


def compile_forward(
    whole: "keras.Model", trunk_layer: str | None
) -> Callable[[NDArray[np.uint8], NDArray[np.float32] | None], tuple["tf.Tensor | None", "tf.Tensor"]]:
    """Return a function from RGB images to (trunk, features), both float16.

    It takes uint8 images (n, size, size, 3) and affine maps (n, 8), or None for images as they are.
    """
    import tensorflow as tf

    trunk = base.between(whole, None, trunk_layer) if trunk_layer else None
    rest = base.between(whole, trunk_layer, None)

    def run(pixels: "tf.Tensor") -> tuple["tf.Tensor | None", "tf.Tensor"]:
        values = base.preprocess(pixels)
        if trunk is None:
            return None, _half(rest(values, training=False))
        values = trunk(values, training=False)
        return _half(values), _half(rest(values, training=False))

    size = whole.input_shape[1]
    pixels = tf.TensorSpec((None, size, size, 3), tf.uint8)
    plain = tf.function(run, input_signature=[pixels])
    augmented = tf.function(
        lambda batch, maps: run(augmentation.augment(batch, maps)),
        input_signature=[pixels, tf.TensorSpec((None, 8), tf.float32)],
    )
    return lambda batch, maps: plain(batch) if maps is None else augmented(batch, maps)


def _half(values: "tf.Tensor") -> "tf.Tensor":
    import tensorflow as tf

    return tf.cast(tf.clip_by_value(tf.cast(values, tf.float32), -_LARGEST, _LARGEST), tf.float16)


def _open_arrays(
    whole: "keras.Model", trunk_layer: str | None, work: Work, folder: Path
) -> dict[str, ArrayFile]:
    features = tuple(whole.output_shape[1:])
    shapes = {str(FEATURES / f"{split}.npy"): (len(files), *features) for split, files in work.files.items()}
    views = (work.views, len(work.files["train"]))
    shapes[str(FEATURES / "train_views.npy")] = (*views, *features)
    if trunk_layer:
        trunk = tuple(whole.get_layer(trunk_layer).output.shape[1:])
        shapes |= {str(TRUNK / f"{split}.npy"): (len(work.files[split]), *trunk) for split in ("validation", "test")}
        shapes[str(TRUNK / "train_views.npy")] = (*views, *trunk)
    missing = [shape for name, shape in shapes.items() if not (folder / _flat(name)).exists()]
    check_space(folder, sum(int(np.prod(shape)) * 2 for shape in missing))
    return {
        name: ArrayFile(folder / _flat(name), shape, np.float16, row_axes=2 if name.endswith("views.npy") else 1)
        for name, shape in shapes.items()
    }


def _flat(name: str) -> str:
    return name.replace("/", "-")


def _decoded(steps: list[Step], work: Work) -> Iterator[tuple[Step, NDArray[np.uint8]]]:
    """Yield each step with its images, uint8 (n, size, size, 3), decoded ahead in other threads."""
    batches = list(dict.fromkeys((step.split, step.start, step.stop) for step in steps))
    with ThreadPoolExecutor(os.cpu_count()) as pool:

        def decode(split: str, start: int, stop: int) -> list[Callable[[], NDArray[np.uint8]]]:
            files = work.files[split][start:stop]
            return [pool.submit(images.load, file, work.image_size).result for file in files]

        ahead = [decode(*batch) for batch in batches[:_BATCHES_AHEAD]]
        current, pixels = None, np.empty(0, np.uint8)
        following = iter(batches[_BATCHES_AHEAD:])
        try:
            for step in steps:
                if (step.split, step.start) != current:
                    current = (step.split, step.start)
                    pixels = np.stack([result() for result in ahead.pop(0)])
                    if batch := next(following, None):
                        ahead.append(decode(*batch))
                yield step, pixels
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _maps(step: Step, work: Work) -> NDArray[np.float32] | None:
    if step.view is None:
        return None
    sha256s = work.sha256s[step.start : step.stop]
    return augmentation.transforms(work.augmentation, sha256s, step.view, work.seed, work.image_size)


def _write(
    arrays: dict[str, ArrayFile], step: Step, train: int, trunk: "tf.Tensor | None", features: "tf.Tensor"
) -> None:
    name = f"{step.split}.npy" if step.view is None else "train_views.npy"
    row = step.start + (step.view or 0) * train
    arrays[str(FEATURES / name)].write(row, features.numpy())
    if trunk is not None and str(TRUNK / name) in arrays:
        arrays[str(TRUNK / name)].write(row, trunk.numpy())


def describe(folder: Path) -> dict[str, object]:
    """Return what ``extract_features`` recorded of how it worked: base, image size, precision, trunk."""
    return dict(json.loads((folder / "extraction.json").read_text(encoding="utf-8")))
