"""Interrupts trainings where a test wants it, and asks what was trained."""

from typing import Any

import pytest
from numpy.typing import NDArray

from headstart.foundation.array_types import FloatArray
from headstart.models import inference
from headstart.training import training


class Interrupted(BaseException):
    """What Ctrl-C does, where the test wants it."""


def said(model: Any, values: NDArray[Any]) -> FloatArray:
    """Probabilities, float64 (examples, classes), for examples (examples, …)."""
    return inference.compile_predict(model, values.dtype)(values)


def interrupt(patch: pytest.MonkeyPatch, saves: int) -> None:
    """Save after every epoch, and end the run after so many of them."""
    original, left = training._Run.save, iter(range(saves))

    def save(*arguments: object) -> None:
        if next(left, None) is None:
            raise Interrupted
        original(*arguments)  # type: ignore[arg-type]

    patch.setattr(training, "_SAVE_INTERVAL", 0.0)
    patch.setattr(training._Run, "save", save)
