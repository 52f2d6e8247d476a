"""How many bytes each stage writes, from the shapes of what it writes."""

import math
from collections.abc import Mapping

from headstart.planning import amounts
from headstart.planning.counts import Counts
from headstart.planning.measured import Measured
from headstart.settings.schema import Params

_FLOAT16, _FLOAT32 = 2, 4
# A file of weights beside the numbers, and what describes the model and its training.
_MODEL = 30_000
# A sheet of pictures.
_SHEET = 400_000
_EVALUATION_SHEETS, _EXPLANATION_SHEETS = 3, 5


def of_stages(params: Params, counts: Counts, measured: Measured) -> dict[str, int]:
    """Return the bytes of every stage's outputs, without DVC's copy; stages that write next to nothing are left out."""
    base = measured.base
    models = {stage: _MODEL + _FLOAT32 * trained.weights for stage, trained in measured.trainings.items()}
    return {
        "backbone": _FLOAT32 * base.weights,
        "prepare": counts.prepared_bytes,
        "preview": _SHEET,
        "extract_features": _arrays(params, counts, measured),
        **models,
        # The winner is assumed to have the base, whose files are copied to it.
        "evaluate": _FLOAT32 * base.weights + models["finetune"] + _EVALUATION_SHEETS * _SHEET,
        "explain": _EXPLANATION_SHEETS * _SHEET,
    }


def copied(written: Mapping[str, int]) -> int:
    """Return the bytes that DVC's cache needs for these outputs: it keeps equal files, such as the winner's, once."""
    total = sum(written.values())
    if "evaluate" in written:
        total -= written["evaluate"] - _EVALUATION_SHEETS * _SHEET
    return total


def _arrays(params: Params, counts: Counts, measured: Measured) -> int:
    base = measured.base
    features, trunk = _FLOAT16 * math.prod(base.features), _FLOAT16 * math.prod(base.trunk or (0,))
    return sum(
        number * (trunk if "trunk" in name.split("/") else features)
        for name, number in amounts.rows(params, counts).items()
    )
