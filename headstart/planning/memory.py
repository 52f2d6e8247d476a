"""How much memory each stage takes at its peak."""

import math

from headstart.planning import amounts
from headstart.planning.counts import Counts
from headstart.planning.measured import Measured
from headstart.settings.schema import Classifier, Params

# Of a process without TensorFlow.
_PYTHON = 200_000_000
# Of matplotlib and scikit-learn.
_DRAWING = 200_000_000
_FLOAT32, _FLOAT64 = 4, 8
# Of a head's weights: these, two moments, the best so far, and what is being saved. Its examples come and go.
_COPIES = 5
# Of the probe's pooled features: of all images, of those of a training, and these standardised.
_COPIES_OF_FEATURES = 3


def of_stages(params: Params, counts: Counts, measured: Measured) -> dict[str, int]:
    """Return the bytes of every stage's process at its peak."""
    trained = {stage: training.memory for stage, training in measured.trainings.items()}
    weights = _FLOAT32 * measured.base.weights
    heads = {
        stage: measured.idle + _COPIES * _FLOAT32 * measured.trainings[stage].weights
        for stage in params.sections(Classifier)
    }
    return {
        "backbone": _PYTHON + 2 * weights,
        "prepare": _PYTHON,
        "preview": measured.idle,
        "extract_features": measured.memory,
        **trained,
        **heads,
        "train_probe": measured.idle + _COPIES_OF_FEATURES * _FLOAT64 * counts.images * measured.base.features[-1],
        "evaluate": _PYTHON + _DRAWING + _statistics(params, counts, measured),
        # Heat maps keep what every layer gives, in float32.
        "explain": 2 * measured.memory - measured.idle + _DRAWING,
        "report": _PYTHON,
    }


def of_any_stage() -> int:
    """Return the bytes of a stage that does hardly anything."""
    return _PYTHON


def _statistics(params: Params, counts: Counts, measured: Measured) -> int:
    """Features of every image, and the products of the learning curve."""
    channels = measured.base.features[-1]
    pooled = 2 * _FLOAT64 * counts.images * channels
    if not params.evaluate.learning_curve:
        return pooled
    train = min(counts.train, amounts.MOST_IMAGES)
    flat = any(head.pooling == "flatten" for head in params.sections(Classifier).values())
    length = math.prod(measured.base.features) if flat else channels
    return pooled + 2 * _FLOAT32 * train * length + 3 * _FLOAT64 * train * (train + counts.test)
