"""Train the classifier on augmented views of the training images.

The views are those that extract_features kept; with extract_features.views at 0 every epoch augments
anew and runs the base again.
"""

from collections.abc import Callable

import pandas as pd

from headstart.base import base, extraction, runtime, weights
from headstart.base.extraction import Extraction
from headstart.foundation import paths
from headstart.foundation.entry import run_stage
from headstart.foundation.resume import Resumable
from headstart.images import manifest
from headstart.models import activations
from headstart.models.samples import Samples
from headstart.settings.params import load
from headstart.settings.schema import Params
from headstart.training import strategy


def main() -> None:
    """Read params.yaml and the features, train, write the model and its history."""
    params = load()
    frame = manifest.read(paths.MANIFEST)
    how = extraction.read()
    validation = strategy.examples(frame, "validation")
    runtime.start(params.seed)
    state = Resumable(
        "train_augmented",
        (params.seed, params.train_augmented, params.augmentation, params.extract_features),
        [paths.MANIFEST, paths.FEATURES / "train_views.npy", paths.FEATURES / "validation.npy"],
    )
    train = views(params, frame, how, state)
    examples = strategy.Examples(train, validation, manifest.class_names(frame), how)
    strategy.train_classifier("augmented", params.train_augmented, examples, params.repeats, params.seed, state)


def views(params: Params, frame: pd.DataFrame, how: Extraction, state: Resumable) -> Callable[[int], Samples]:
    """Return what gives an epoch's training examples: the kept views, or new ones from the base."""
    if params.extract_features.views:
        kept = strategy.examples(frame, "train_views")
        return lambda epoch: kept
    runtime.set_policy(how.policy)
    whole = base.build(how.base, weights.load(paths.WEIGHTS), how.image_size)
    source = activations.source(whole, frame, params.extract_features, params.augmentation, params.seed)
    return activations.training_samples(whole.operations[-1].name, manifest.labels(frame, "train"), source, state)


if __name__ == "__main__":
    run_stage(main, __doc__)
