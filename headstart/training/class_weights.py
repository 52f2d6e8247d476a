"""How much each class counts in the loss, where some have many more images than others."""

import numpy as np
from numpy.typing import NDArray

from headstart.settings.schema import Loss

# float32 (classes,)
ClassWeights = NDArray[np.float32]


def of(settings: Loss, labels: NDArray[np.int64], units: int) -> ClassWeights | None:
    """Return the weights of the classes, or None where every image counts the same.

    Balanced, each class has the same part in the loss, whose mean stays what it was (King & Zeng 2001, Logistic
    regression in rare events data): images / (classes × images of the class).

    Args:
        settings: of the training.
        labels: of the images that it trains on.
        units: of the model's output; a single one stands for two classes.
    """
    if settings.class_weight == "none":
        return None
    counts = np.bincount(labels, minlength=max(units, 2))
    return (len(labels) / (len(counts) * np.maximum(counts, 1))).astype(np.float32)
