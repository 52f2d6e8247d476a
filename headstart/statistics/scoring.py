"""How good predicted probabilities are, measured against the true labels.

Probabilities are ``(images, classes)`` float64 arrays whose rows sum to 1, for two classes as well;
labels are ``(images,)`` class numbers. Call :func:`checked` once where they are read: every other
function trusts them. A metric that the images leave undefined is None, never NaN.
"""

import numpy as np
import numpy.typing as npt
from sklearn.metrics import f1_score, roc_auc_score
from sklearn.metrics import log_loss as sklearn_log_loss

from headstart.foundation.array_types import FloatArray, IntArray
from headstart.foundation.errors import InputError

# How far a row may be from summing to 1: float32 softmax and six decimals in a file stay well inside.
_SUM_TOLERANCE = 1e-3

# The smallest probability that the log loss believes, as in scikit-learn: a true class that was given
# exactly 0 costs 36 nats rather than infinity, which no mean and no JSON file could hold.
SMALLEST_PROBABILITY = float(np.finfo(np.float64).eps)


def checked(labels: npt.ArrayLike, probabilities: npt.ArrayLike, where: str) -> tuple[IntArray, FloatArray]:
    """Labels and probabilities as the other functions expect them, the rows scaled to sum to 1.

    Args:
        labels: class number of each image, shape (images,).
        probabilities: shape (images, classes).
        where: what the messages name as their origin, for example the file's path.

    Raises:
        InputError: if there are no images or fewer than two classes, if the shapes don't match, or if
            a label or a row is impossible.
    """
    again = "delete it and run `dvc repro` to have it written again"
    given = np.asarray(labels)
    rows = np.asarray(probabilities, dtype=np.float64)
    if rows.ndim != 2 or rows.shape[1] < 2 or given.shape != rows.shape[:1]:
        raise InputError(
            f"{where}: found labels of shape {given.shape} and probabilities of shape {rows.shape}, "
            f"expected (images,) and (images, 2 or more classes): {again}"
        )
    if not len(rows):
        raise InputError(f"{where}: found no images, expected at least one: check prepare in params.yaml")
    classes = rows.shape[1]
    numbers = given.astype(np.int64)
    wrong = np.flatnonzero((numbers != given) | (numbers < 0) | (numbers >= classes))
    if wrong.size:
        raise InputError(
            f"{where}: image {wrong[0]} has label {given[wrong[0]]}, "
            f"expected a whole number from 0 to {classes - 1}: {again}"
        )
    sums = rows.sum(axis=1)
    # Written so that NaN, which compares false with everything, counts as wrong.
    wrong = np.flatnonzero(~((rows >= 0).all(axis=1) & (np.abs(sums - 1) <= _SUM_TOLERANCE)))
    if wrong.size:
        raise InputError(
            f"{where}: image {wrong[0]} has the probabilities {rows[wrong[0]].tolist()}, "
            f"expected {classes} numbers from 0 to 1 that sum to 1: {again}"
        )
    return numbers, rows / sums[:, None]


def ends_of_ties(ranked: FloatArray) -> IntArray:
    """The places in ranked scores at which each run of equal ones ends: ascending, shape (distinct scores,)."""
    return np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))


def predicted_classes(probabilities: FloatArray) -> IntArray:
    """The most probable class of each image, shape (images,); of equally probable ones the first."""
    predicted: IntArray = probabilities.argmax(axis=1)
    return predicted


def image_losses(labels: IntArray, probabilities: FloatArray) -> FloatArray:
    """Minus the natural logarithm of each true class's probability, shape (images,), in nats."""
    truth = probabilities[np.arange(len(labels)), labels]
    return -np.log(np.clip(truth, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY))


def accuracy(labels: IntArray, probabilities: FloatArray) -> float:
    """The share of images whose most probable class is the true one."""
    return float((predicted_classes(probabilities) == labels).mean())


def log_loss(labels: IntArray, probabilities: FloatArray) -> float:
    """Mean of :func:`image_losses`, in nats."""
    return float(sklearn_log_loss(labels, probabilities, labels=range(probabilities.shape[1])))


def balanced_log_loss(labels: IntArray, probabilities: FloatArray) -> float:
    """The mean over the classes that have images of the mean loss of each one's images, in nats."""
    losses = image_losses(labels, probabilities)
    return float(np.mean([losses[labels == k].mean() for k in np.unique(labels)]))


def image_briers(labels: IntArray, probabilities: FloatArray) -> FloatArray:
    """Half the squared distance of each image's probabilities from 1 for its class and 0 for the others, (images,).

    From 0 (sure and right) to 1 (sure and wrong), whatever the number of classes.
    """
    squares = np.square(probabilities).sum(axis=1)
    truth = probabilities[np.arange(len(labels)), labels]
    distances: FloatArray = (squares - 2 * truth + 1) / 2
    return distances


def brier(labels: IntArray, probabilities: FloatArray) -> float:
    """Mean of :func:`image_briers`: Brier (1950), Mon. Weather Rev. 78, 1-3, halved to lie between 0 and 1."""
    return float(image_briers(labels, probabilities).mean())


def ranked_classes(labels: IntArray, classes: int) -> list[int]:
    """The classes whose ROC curve exists: those that some images belong to and some don't.

    Of two classes only the second is listed, since the first one's curve is the same.
    """
    belonging = np.bincount(labels, minlength=classes)
    candidates = [1] if classes == 2 else range(classes)
    return [k for k in candidates if 0 < belonging[k] < len(labels)]


def roc_auc(labels: IntArray, probabilities: FloatArray) -> float | None:
    """Area under the ROC curve: the chance that an image of a class outranks one that isn't of it.

    For more than two classes one against the rest, averaged over the classes that the images hold
    (scikit-learn's ``multi_class="ovr"``, ``average="macro"``, once every class is held). None if all
    images belong to one class: then there is nothing to rank.
    """
    ranked = ranked_classes(labels, probabilities.shape[1])
    if not ranked:
        return None
    return float(np.mean([roc_auc_score(labels == k, probabilities[:, k]) for k in ranked]))


def f1(labels: IntArray, probabilities: FloatArray) -> float | None:
    """Harmonic mean of precision and recall: 2 TP / (2 TP + FP + FN), as scikit-learn's ``f1_score``.

    Of two classes it is that of the second one ("binary"), and None if no image belongs to that class
    or was predicted as it. Of more it is the mean over the classes that are true or predicted for some
    image ("macro").
    """
    predicted = predicted_classes(probabilities)
    if probabilities.shape[1] > 2:
        return float(f1_score(labels, predicted, average="macro"))
    if not labels.any() and not predicted.any():
        return None
    return float(f1_score(labels, predicted, average="binary"))
