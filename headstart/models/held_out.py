"""What a strategy's trainings say of images that they never saw, beside its model: ``held_out.npz``.

A run tests every image once: by one training on the training split, or by one training per fold. There are no labels
here. Training stages write this file without knowing those of the tested images; ``evaluate`` looks them up.
"""

from pathlib import Path
from typing import NamedTuple
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from headstart.foundation import npz
from headstart.foundation.array_types import FloatArray, IntArray
from headstart.foundation.errors import InputError

NAME = "held_out.npz"


class HeldOut(NamedTuple):
    """Logits of one strategy for images that the model which gives them neither trained nor validated on.

    Images are rows of manifest.csv, from 0. A row of logits has a value for each class, of two classes as well;
    :func:`probabilities` turns it into probabilities. Where both an image and its mirror image were asked
    (``test_time_flip``), logits are the logarithm of the mean of both probabilities.

    Attributes:
        images: those that are tested, ascending: every image with folds, the test split otherwise. int64 (images,).
        logits: of each run, float64 (runs, images, classes).
        folds: which training of the run tested the image, from 0; all 0 without folds. int16 (runs, images).
        validation_run, validation_fold: the training that a row of ``validation_logits`` is of, int16 (rows,).
        validation_image: the image it is for, which that training validated on: int64 (rows,).
        validation_logits: float64 (rows, classes), ordered by run, fold and image.
        kept_image: the images that the kept model validated on, int64 (rows,).
        kept_logits: what it says of them, float64 (rows, classes). With folds it is a training of its own, on all
            other images; otherwise it is the run with the lowest validation loss.
        train_sizes: images that each training trained on, int64 (runs, folds).
    """

    images: IntArray
    logits: FloatArray
    folds: NDArray[np.int16]
    validation_run: NDArray[np.int16]
    validation_fold: NDArray[np.int16]
    validation_image: IntArray
    validation_logits: FloatArray
    kept_image: IntArray
    kept_logits: FloatArray
    train_sizes: IntArray

    def validation(self, run: int, fold: int) -> tuple[IntArray, FloatArray]:
        """Return the images that one training validated on, and its logits for them."""
        rows = (self.validation_run == run) & (self.validation_fold == fold)
        return self.validation_image[rows], self.validation_logits[rows]


def save(path: Path, held_out: HeldOut) -> None:
    """Write the file; equal contents give equal bytes."""
    npz.save(path, held_out._asdict())


def load(path: Path) -> HeldOut:
    """Read what :func:`save` wrote.

    Raises:
        InputError: the file is missing or is something else.
    """
    again = "run `dvc repro` to have it written"
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return HeldOut(**{name: arrays[name] for name in HeldOut._fields})
    except FileNotFoundError:
        raise InputError(f"{path}: no such file: {again}") from None
    except (KeyError, ValueError, EOFError, BadZipFile) as error:
        raise InputError(f"{path}: not a file of held-out predictions ({error}): {again}") from None


def probabilities(logits: NDArray[np.floating]) -> FloatArray:
    """Return the probabilities of logits (…, classes): float64 of the same shape, each row summing to 1."""
    # In float32 every probability within 1e-7 of 1 would be 1: the most confident ones would be indistinguishable.
    exact = logits.astype(np.float64)
    powers = np.exp(exact - exact.max(axis=-1, keepdims=True))
    found: FloatArray = powers / powers.sum(axis=-1, keepdims=True)
    return found
