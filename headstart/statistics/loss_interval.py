"""An interval of the log loss where errors are few, or none: it must not claim a certainty that nobody has."""

import numpy as np
from scipy.stats import norm

from headstart.foundation.array_types import FloatArray
from headstart.statistics import clusters, scoring
from headstart.statistics.intervals import TAILS, Estimate, score_interval
from headstart.statistics.outcome import Outcome


def log_loss(tested: Outcome) -> Estimate:
    """The log loss (nats), the mean over runs and images, with a 95 % interval that knows of errors it hasn't seen.

    The loss is the share of wrong images times their mean loss, plus the same of right ones. The share has Wilson's
    bounds. Each mean is taken with one image more, whose loss is what the model's own probabilities expect of a wrong
    (or right) image, so that it exists where there is none. The three uncertainties are combined by recovering
    variances from limits: Zou and Donner (2008), Stat. Med. 27, 1693-1702. Where images come in groups, or the
    strategy was trained several times, the images are worth as many as would leave the same variance.
    """
    runs = tested.runs
    labels, probabilities = np.tile(tested.labels, runs), np.concatenate(list(tested.probabilities))
    losses = scoring.image_losses(labels, probabilities)
    wrong = scoring.predicted_classes(probabilities) != labels
    worth = _worth(tested, losses.reshape(runs, -1))
    share = score_interval(float(wrong.mean()), worth)
    if_wrong, if_right = _expected_losses(probabilities)
    of_wrong, of_right = _mean(losses[wrong], if_wrong), _mean(losses[~wrong], if_right)
    value = float(losses.mean())
    step = of_wrong[0] - of_right[0]  # what one more wrong image in place of a right one costs
    quantile = float(norm.ppf(TAILS[1]))
    squares = share.value**2 * of_wrong[1] + (1 - share.value) ** 2 * of_right[1]
    spread = quantile**2 * len(losses) / worth * squares
    below, above = sorted(((share.value - share.low) * step, (share.value - share.high) * step), reverse=True)
    low = value - float(np.sqrt(below**2 + spread))
    high = value + float(np.sqrt(above**2 + spread))
    return Estimate(value, max(0.0, low), high)


def _worth(tested: Outcome, losses: FloatArray) -> float:
    """How many independent images, seen by one model each, would say as much about the mean loss."""
    images = float(losses.shape[1])
    if tested.runs == 1 and tested.folds is None and tested.groups is None:
        return images
    parts, per_image = tested.luck(losses), losses.mean(axis=0)
    trials = min(images, float(per_image.var()) / parts.variance) if parts.variance > 0 else images
    trials = min(trials, clusters.effective_images(per_image, tested.groups))
    return max(1.0, clusters.trusted(trials, parts.degrees))


def _expected_losses(probabilities: FloatArray) -> tuple[float, float]:
    """Mean loss of a wrong and of a right image, were every label drawn from the probabilities."""
    given = np.maximum(probabilities, scoring.SMALLEST_PROBABILITY)
    losses = -np.log(np.minimum(given, 1 - scoring.SMALLEST_PROBABILITY))
    right = np.zeros(given.shape, dtype=np.bool_)
    right[np.arange(len(given)), scoring.predicted_classes(probabilities)] = True
    return (
        float((given[~right] * losses[~right]).sum() / given[~right].sum()),
        float((given[right] * losses[right]).sum() / given[right].sum()),
    )


def _mean(losses: FloatArray, expected: float) -> tuple[float, float]:
    """Mean of some losses and the expected one, and its variance."""
    more = np.append(losses, expected)
    variance = more.var(ddof=1) / len(more) if len(losses) else expected**2
    return float(more.mean()), float(variance)
