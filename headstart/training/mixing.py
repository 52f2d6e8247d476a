"""Mixtures of two training examples: mixup, and its cut-and-paste variety CutMix.

Mixup (Zhang, Cissé, Dauphin & Lopez-Paz 2018) and CutMix (Yun et al. 2019) mix pixels. Where training starts from
feature maps, those are mixed: manifold mixup (Verma et al. 2019) at a layer that stays the same.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from headstart.base.lazy import tf
from headstart.foundation.array_types import FloatArray, IntArray
from headstart.settings.schema import MixingRecipe, Recipe


class Mixture(NamedTuple):
    """How the examples of a batch are mixed."""

    partners: IntArray  # int64 (examples,), the number in the batch of the example that each is mixed with
    # Float32 (height, width, 1), at each position the part of the example itself; the rest is its partner's.
    kept: NDArray[np.float32]
    share: np.float32  # the part of the example's own label, float32: the mean of ``kept``


def asked(recipe: Recipe) -> MixingRecipe | None:
    """The recipe, if it is one that mixes examples; None if it mixes nothing."""
    return recipe if isinstance(recipe, MixingRecipe) and (recipe.mixup > 0 or recipe.cutmix > 0) else None


def draw(settings: MixingRecipe, shape: tuple[int, ...], seed: list[int]) -> Mixture:
    """Draw how a batch is mixed; everything depends on ``seed`` alone.

    Args:
        settings: the parameters of the two distributions, not both 0.
        shape: of the batch, (examples, height, width, channels).
        seed: numbers that identify this batch.
    """
    random = np.random.default_rng(seed)
    examples, height, width = shape[:3]
    partners = random.permutation(examples)
    cuts = settings.cutmix > 0 and (settings.mixup == 0 or random.random() < 0.5)
    alpha = settings.cutmix if cuts else settings.mixup
    share = random.beta(alpha, alpha)
    kept = _without_box(share, random, height, width) if cuts else np.full((height, width), share)
    return Mixture(partners, kept[..., np.newaxis].astype(np.float32), np.float32(kept.mean()))


def mix(values: "tf.Tensor", mixture: Mixture) -> "tf.Tensor":
    """Return the examples (examples, height, width, channels) mixed, float32."""
    own = tf.cast(values, tf.float32)
    return mixture.kept * own + (1 - mixture.kept) * tf.gather(own, mixture.partners)


def _without_box(share: float, random: np.random.Generator, height: int, width: int) -> FloatArray:
    """Ones, and zeros in a box around a random position that would have the area 1 - ``share`` if it fitted."""
    side = math.sqrt(1 - share)
    centre = random.random(2) * (height, width)
    kept = np.ones((height, width))
    (top, left), (bottom, right) = (
        np.rint(np.clip(centre + sign * side / 2 * np.array([height, width]), 0, [height, width])).astype(int)
        for sign in (-1, 1)
    )
    kept[top:bottom, left:right] = 0
    return kept
