"""Augmentation for the tests: settings that change everything, and views made step by step."""

from typing import Any

import numpy as np
import numpy.typing as npt

from headstart.features import augmentation
from headstart.settings.schema import Augmentation


def changing(**changes: Any) -> Augmentation:
    """Settings that change nothing but what is given."""
    return Augmentation.model_validate(augmentation.UNCHANGED.model_dump() | changes)


# Whatever there is, at once.
ALL = changing(
    flip="both",
    rotation=0.2,
    zoom=0.3,
    shift_horizontal=0.1,
    shift_vertical=0.2,
    shear=0.1,
    brightness=0.2,
    contrast=0.3,
    randaugment=3,
    randaugment_magnitude=6,
)


def augmented(
    pixels: npt.NDArray[np.uint8], settings: Augmentation, sha256s: list[str], view: int, seed: int
) -> npt.NDArray[np.float32]:
    """One view of each image, not compiled: float32, the shape of ``pixels``."""
    draws = augmentation.draw(settings, sha256s, view, seed, pixels.shape[1])
    painted = augmentation.paint(pixels, draws)
    return np.asarray(augmentation.augment(painted, draws.maps, draws.tones, settings))
