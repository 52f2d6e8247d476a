"""Interrupts trainings where a test wants it."""

import pytest

from headstart.training import training


class Interrupted(BaseException):
    """What Ctrl-C does, where the test wants it."""


def interrupt(patch: pytest.MonkeyPatch, saves: int) -> None:
    """Save after every epoch, and end the run after so many of them."""
    original, left = training._Run.save, iter(range(saves))

    def save(*arguments: object) -> None:
        if next(left, None) is None:
            raise Interrupted
        original(*arguments)  # type: ignore[arg-type]

    patch.setattr(training, "_SAVE_INTERVAL", 0.0)
    patch.setattr(training._Run, "save", save)
