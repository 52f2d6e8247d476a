"""The learning rate at each step: warm-up, then the schedule. A function of the step alone, so resuming is exact."""

import math

from headstart.settings.schema import Optimization

_LOW = 0.1  # where the cycle starts and ends, as a fraction of the rate
_CYCLE = 0.9  # the cycle's share of all steps
_LOWEST = 0.001  # where the last step is, as a fraction: "several orders of magnitude less" in the paper's words


def factor(settings: Optimization, step: int, steps_an_epoch: int) -> float:
    """Return the learning rate of a step as a part of ``settings.learning_rate``.

    ``cosine`` is that of Loshchilov & Hutter (2017, SGDR) without restarts, ``one_cycle`` that of Smith (2018, A
    disciplined approach to neural network hyper-parameters) without its momentum.

    Args:
        settings: schedule, warm-up and epochs. The schedule is laid out over all of the epochs.
        step: number of the step, from 0, over all epochs.
        steps_an_epoch: how many steps an epoch has.
    """
    total = settings.epochs * steps_an_epoch
    warmup = settings.recipe.warmup * steps_an_epoch
    if step + 1 < warmup:
        return (step + 1) / warmup
    if settings.recipe.schedule == "constant":
        return 1.0
    if settings.recipe.schedule == "one_cycle":
        return _one_cycle(step / total)
    return 0.5 * (1 + math.cos(math.pi * max(0.0, step - warmup) / (total - warmup)))


def _one_cycle(done: float) -> float:
    """The factor once the part ``done`` of all steps is done."""
    if done < _CYCLE:
        top = _CYCLE / 2
        return _LOW + (1 - _LOW) * (1 - abs(done - top) / top)
    return _LOW + (_LOWEST - _LOW) * (done - _CYCLE) / (1 - _CYCLE)
