"""Unfreeze the last layers of the base and train them together with the classifier of train_augmented.

What the frozen layers give is computed once: only the unfrozen part runs in every epoch.
"""

import math
from typing import TYPE_CHECKING

from stages.core import paths
from stages.core.dataset import manifest
from stages.core.entry import run_stage
from stages.core.learning import activations, base, extraction, models, runtime, strategy, training, weights
from stages.core.learning.samples import Samples
from stages.core.params import load
from stages.core.resume import Resumable

if TYPE_CHECKING:
    import keras

START = paths.MODELS / "augmented"


def main() -> None:
    """Read params.yaml, the activations and the classifier, train, write the model and its history."""
    params = load()
    settings = params.finetune
    frame = manifest.read(paths.MANIFEST)
    how = extraction.read()
    state = Resumable(
        "finetune",
        (params.seed, settings, params.augmentation, params.extract_features),
        [paths.MANIFEST, paths.WEIGHTS, START / "model.weights.h5"],
    )
    runtime.start(params.seed)
    runtime.set_policy(how.policy)
    pretrained = weights.load(paths.WEIGHTS)
    whole = base.build(pretrained, how.image_size)
    cut = base.cut_before(whole, settings.unfreeze)
    source = activations.Source(
        base=whole,
        trunk=extraction.trunk_layer(),
        manifest=frame,
        views=activations.Views(params.extract_features.views, params.augmentation, params.seed),
        batch_size=params.extract_features.batch_size,
    )
    labels = {split: manifest.labels(frame, split) for split in ("train", "validation")}
    train = activations.training_samples(cut, labels["train"], source, state)
    validation = Samples(activations.at(cut, "validation", source, state)[None], labels["validation"])

    def train_once(seed: int, part: Resumable) -> tuple["keras.Model", training.Training]:
        own = base.build(pretrained, how.image_size)
        model = models.join(own, models.load(START, own), settings.unfreeze)
        before = base.digests(own)
        result = training.fit(model, train, validation, settings, seed, part)
        base.check_frozen(own, before)
        return model, result

    outcome = strategy.repeat(params.repeats, params.seed, state, train_once)
    description = models.describe(START).model_copy(
        update={
            "strategy": "finetune",
            "unfreeze": settings.unfreeze,
            "trained_parameters": sum(math.prod(weight.shape) for weight in outcome.model.trainable_weights),
            "epochs": len(outcome.training.history),
            "best_epoch": outcome.training.best_epoch,
        }
    )
    strategy.finish(outcome, description, state)


if __name__ == "__main__":
    run_stage(main, __doc__)
