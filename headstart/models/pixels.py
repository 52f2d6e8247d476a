"""Decoded images as examples for a network without a base, and augmented views of them, made as it trains."""

from collections.abc import Callable
from contextlib import closing

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from headstart.base import compiling
from headstart.base.lazy import tf
from headstart.features import augmentation
from headstart.foundation import paths
from headstart.foundation.arrays import ArrayFile, check_space, create_array, open_array, release
from headstart.foundation.atomic import replacing
from headstart.foundation.framing import Framing
from headstart.foundation.progress import track
from headstart.foundation.resume import Resumable
from headstart.foundation.threads import map_ordered
from headstart.images import images
from headstart.models.samples import Samples
from headstart.settings.schema import Augmentation

# Images looked at once: memory stays flat however many there are.
_BLOCK = 256


def read(frame: pd.DataFrame, framing: Framing, state: Resumable) -> NDArray[np.generic]:
    """Decode every image of the manifest, once, into a file of ``state``, which must outlive the result.

    Returns:
        RGB pixels, a memory map: uint8 (images, size, size, 3).

    Raises:
        InputError: an image doesn't decode, or the disk has no room for them.
    """
    file = state.path / "images.npy"
    if not file.exists():
        files = [paths.PREPARED / path for path in frame["path"]]
        shape = (len(files), framing.size, framing.size, 3)
        check_space(state.path, int(np.prod(shape)), "the strategy's image_size")
        decoded = map_ordered(lambda path: images.load(path, framing), files)
        with replacing(file) as temporary:
            create_array(temporary, shape, np.uint8)
            with closing(ArrayFile(temporary)) as array:
                for row, picture in enumerate(track(decoded, "decode the images", len(files), " images")):
                    array.write(row, picture[np.newaxis])
    return open_array(file)


def are_grey(pixels: NDArray[np.generic]) -> bool:
    """Whether red, green and blue are the same in every pixel of images (images, size, size, 3)."""
    for start in range(0, len(pixels), _BLOCK):
        block = np.asarray(pixels[start : start + _BLOCK])
        release(pixels)
        if (block != block[..., :1]).any():
            return False
    return True


def views(train: Samples, sha256s: list[str], settings: Augmentation | None, seed: int) -> Callable[[int], Samples]:
    """Return a function that gives the training examples of an epoch, from 0, each image in a view that is in no other.

    The views are made of what :func:`read` returned as the epoch reads it, float32, drawn from the digest of each
    image's bytes. Without settings, images are as they are in every epoch.
    """
    if settings is None:
        return lambda epoch: train
    size = train.values.shape[2]
    augment = compiling.compiled(
        lambda pixels, maps, tones: augmentation.augment(pixels, maps, tones, settings),
        [
            tf.TensorSpec((None, size, size, 3), tf.uint8),
            tf.TensorSpec((None, 8), tf.float32),
            tf.TensorSpec((None, 2), tf.float32),
        ],
    )

    def of_epoch(epoch: int) -> Samples:
        def change(pixels: NDArray[np.generic], chosen: NDArray[np.int64]) -> NDArray[np.generic]:
            digests = [sha256s[image] for image in chosen]
            draws = augmentation.draw(settings, digests, epoch, seed, size)
            made: tf.Tensor = augment(
                augmentation.paint(pixels.astype(np.uint8, copy=False), draws), draws.maps, draws.tones
            )
            return made.numpy()  # type: ignore[no-any-return]

        return train._replace(change=change)

    return of_epoch
