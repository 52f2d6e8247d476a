"""What a part would take at another size, from the pace of its loops: loops grow, what is done once stays."""

from collections.abc import Sequence
from typing import NamedTuple

from benchmarks.loops import EPOCHS, TRAINING, VALIDATION, Loop, merged


class Size(NamedTuple):
    """How much work a protocol is.

    Attributes:
        train, validation, test: images of each split.
        views: augmented views that are computed of each training image; 0 for the obvious way.
        head, augmented, finetune: epochs of each training.
    """

    train: int
    validation: int
    test: int
    views: int
    head: int
    augmented: int
    finetune: int


def projected(part: str, seconds: float, found: Sequence[Loop], now: Size, then: Size) -> float:
    """Return the seconds that a part would take.

    Args:
        part: extraction, head, augmented, finetune or evaluation.
        seconds: that it took.
        found: the loops that ran in it.
        now: the size that it was measured at.
        then: the size asked for.
    """
    loops = merged(found)
    if part == "extraction":
        return seconds + _longer(loops, _passes(then) / _passes(now))
    if part == "evaluation":
        return seconds + _longer(loops, then.test / now.test)
    return seconds + _more_training(loops, now, then, getattr(now, part), getattr(then, part))


def _longer(loops: Sequence[Loop], growth: float) -> float:
    """Seconds that loops take more if they do ``growth`` times as many units."""
    return sum((growth - 1) * loop.units * loop.pace() for loop in loops)


def _more_training(loops: Sequence[Loop], now: Size, then: Size, epochs_now: int, epochs_then: int) -> float:
    """Seconds that a training takes more."""
    paces = {loop.title: loop.pace() for loop in loops}
    training, validation = paces[TRAINING], paces[VALIDATION]
    epoch_now = now.train * training + now.validation * validation
    epoch_then = then.train * training + then.validation * validation
    # What an epoch takes beside its batches: the first also traces graphs, so it is left out.
    (epochs,) = (loop.turns for loop in loops if loop.unit == EPOCHS)
    rests = [max(0.0, seconds - epoch_now) for seconds, _ in epochs[1:]]
    rest = sum(rests) / len(rests) if rests else 0.0
    # What is run once over all that the epochs are made of: layers that stay frozen.
    once = [loop for loop in loops if loop.unit != EPOCHS and loop.title not in (TRAINING, VALIDATION)]
    growth = (then.train * then.views + then.validation) / (now.train * now.views + now.validation)
    return epochs_then * epoch_then - epochs_now * epoch_now + (epochs_then - epochs_now) * rest + _longer(once, growth)


def _passes(size: Size) -> int:
    """How many images the base is run over in extraction."""
    return size.train * (1 + size.views) + size.validation + size.test
