"""Train the classifier on augmented views of the training images.

The views are those that extract_features kept; with extract_features.views at 0 every epoch augments
anew and runs the base again. models/augmented/trainings/ holds the classifier of each training: what fine-tuning
starts from must not have seen the images that it is tested on either.
"""

from headstart.base import base, extraction, runtime, weights
from headstart.foundation import paths
from headstart.foundation.arrays import open_array
from headstart.foundation.entry import run_stage
from headstart.models import activations
from headstart.models.samples import Examples, Stored
from headstart.settings.params import load
from headstart.training import heads
from headstart.training.context import TrainingContext, begin


def main() -> None:
    """Read params.yaml and the features, train, write the model and its history."""
    params = load()
    inputs = [paths.FEATURES / "views.npy", *heads.files(params.test_time_flip)]
    context = begin("augmented", params, inputs, params.augmentation, params.extract_features)
    heads.train(context, views(context), is_start=True)


def views(context: TrainingContext) -> Stored | Examples:
    """Return the features of the kept views, or what gives a training those of new ones in every epoch."""
    params = context.params
    if params.extract_features.views:
        return Stored(open_array(paths.FEATURES / "views.npy"))
    how = extraction.read()
    runtime.set_policy(how.policy)
    whole = base.build(how.base, weights.load(paths.WEIGHTS), how.image_size)
    source = activations.source(whole, context.frame, params.extract_features, params.augmentation, params.seed)
    return activations.training_samples(whole.operations[-1].name, source, context.state)


if __name__ == "__main__":
    run_stage(main, __doc__)
