"""How every training stage begins and ends: its examples, and what it leaves behind."""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from stages.core import manifest, models, paths, timing
from stages.core.arrays import open_array
from stages.core.atomic import replacing
from stages.core.models import Description
from stages.core.resume import Resumable
from stages.core.samples import Samples
from stages.core.training import Training

if TYPE_CHECKING:
    import keras


def examples(frame: pd.DataFrame, array: str) -> Samples:
    """Return the extracted features ``array`` with their labels.

    Args:
        frame: the manifest.
        array: ``train``, ``validation`` or ``train_views``.
    """
    values = open_array(paths.FEATURES / f"{array}.npy")
    labels = manifest.labels(frame, array.removesuffix("_views"))
    return Samples(values if array.endswith("_views") else values[np.newaxis], labels)


def finish(model: "keras.Model", description: Description, training: Training, state: Resumable) -> None:
    """Write models/<strategy>/, metrics/<strategy>/history.csv and the time, and say how it went."""
    folder = paths.MODELS / description.strategy
    models.save(folder, model, description)
    history = paths.METRICS / description.strategy / "history.csv"
    with replacing(history) as temporary:
        training.history.to_csv(temporary, index=False, lineterminator="\n")
    timing.record(description.strategy, training.seconds, digest(folder))
    state.discard()
    best = training.history.iloc[training.best_epoch - 1]
    print(
        f"{description.strategy}: best of {len(training.history)} epochs is {training.best_epoch}, validation "
        f"accuracy {best['val_accuracy']:.4f}, loss {best['val_loss']:.4f}; {training.seconds:.1f} s"
    )


def digest(folder: Path) -> str:
    """Digest of a saved model: equal for equal models."""
    with (folder / "model.weights.h5").open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
