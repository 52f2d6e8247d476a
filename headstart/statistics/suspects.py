"""Which images look wrong: labels that the images contradict, and images that show something else.

Rows of ``features`` are the base's last feature maps averaged over their height and width, one row an image,
over all splits together. Nothing here decides; a person looks at the top of each ranking.
"""

from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, normalize
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from headstart.foundation.array_types import FloatArray, IntArray
from headstart.foundation.errors import InputError

CONTRADICTED = "label contradicted"
FAR = "far from all others"
UNPLACED = "fits no class confidently"

FOLDS = 5

# Strong enough that wrong labels can't be learnt by heart. Of 2 % planted wrong labels among 4,000 images with
# 512 features, twice as long a list held 100, 85 and 49 % where 0, 6 and 14 % of the images were hard to classify;
# with a hundred times this value 96, 68 and 41 %.
_REGULARISATION = 0.001

# A set may have several foreign images of a kind, each the other's nearest neighbour.
_NEIGHBOURS = 10


@dataclass(frozen=True, slots=True)
class Suspect:
    """An image worth a look."""

    image: int  # its row
    reason: str  # CONTRADICTED, FAR or UNPLACED
    score: float  # how suspect it is; higher is worse, comparable within one reason only
    suggested: int | None = None  # for CONTRADICTED the class that it looks like, otherwise None
    confident: bool = False  # for CONTRADICTED whether confident learning counts the label as wrong


def out_of_sample_probabilities(features: FloatArray, labels: IntArray, classes: int, seed: int) -> FloatArray:
    """Class probabilities of every image from a classifier that never saw it.

    Regularised logistic regression, cross-validated in five folds that share out each class evenly. A
    class that is in one fold alone gets probability 0 there.

    Args:
        features: pooled features, shape (images, length).
        labels: class numbers, shape (images,).
        classes: how many classes there are.
        seed: for the folds.

    Returns:
        Shape (images, classes), rows summing to 1.

    Raises:
        InputError: if fewer than two classes have images, since then no classifier can be trained.
    """
    present = np.unique(labels)
    if present.size < 2:
        raise InputError(
            f"the image set: found images of {present.size} class, expected at least 2: "
            "check prepare.source in params.yaml"
        )
    # Shuffled, sorted by class and dealt out in turn.
    shuffled = np.random.default_rng(seed).permutation(len(labels))
    dealt = shuffled[np.argsort(labels[shuffled], kind="stable")]
    fold = np.empty(len(labels), dtype=np.int64)
    fold[dealt] = np.arange(len(labels)) % FOLDS
    probabilities = np.zeros((len(labels), classes))
    for number in np.unique(fold):
        held_out = fold == number
        known = np.unique(labels[~held_out])
        if known.size < 2:
            probabilities[np.ix_(held_out, known)] = 1.0
            continue
        classifier = make_pipeline(StandardScaler(), LogisticRegression(C=_REGULARISATION, max_iter=1000))
        # On arrays this small threads wait for one another longer than they work.
        with threadpool_limits(limits=1):
            classifier.fit(features[~held_out], labels[~held_out])
            probabilities[np.ix_(held_out, known)] = classifier.predict_proba(features[held_out])
    return probabilities


def label_suspects(labels: IntArray, probabilities: FloatArray) -> list[Suspect]:
    """Images whose label their out-of-sample probabilities contradict, the most confident contradiction first.

    Confident learning: Northcutt, Jiang and Chuang (2021), J. Artif. Intell. Res. 70, 1373-1411. Every image
    that is more probably of another class than of its label's is ranked by that margin (section 3.2). Those that
    lie off the diagonal of the confident joint as well are marked: a class's threshold is the mean
    probability that the images labelled so are given for it (equation 2), and an image counts as the most
    probable of the classes whose threshold it reaches (equation 1). Their number is an estimate of how many labels
    are wrong, and rather a low one: the joint misses wrong labels that the ranking has near its top.

    Args:
        labels: given class numbers, shape (images,).
        probabilities: out of sample, shape (images, classes).

    Returns:
        Suspects with reason CONTRADICTED; the score is the other class's probability minus the label's.
    """
    images, classes = np.arange(len(labels)), probabilities.shape[1]
    # A class without images can't be anybody's true class: nothing reaches infinity.
    thresholds = np.array(
        [probabilities[labels == k, k].mean() if (labels == k).any() else np.inf for k in range(classes)]
    )
    reached = np.where(probabilities >= thresholds, probabilities, -np.inf)
    confident = reached.max(axis=1) > -np.inf
    confident &= reached.argmax(axis=1) != labels
    others = probabilities.copy()
    others[images, labels] = -np.inf
    margins = others.max(axis=1) - probabilities[images, labels]
    found = np.flatnonzero(margins > 0)
    return [
        Suspect(int(i), CONTRADICTED, float(margins[i]), int(others[i].argmax()), bool(confident[i]))
        for i in found[np.argsort(-margins[found], kind="stable")]
    ]


def foreign_suspects(features: FloatArray, count: int) -> list[Suspect]:
    """The ``count`` images that lie furthest from all others in feature space, the furthest first.

    The distance to the tenth nearest neighbour, features scaled to length 1: Sun, Ming, Zhu and Li (2022),
    Out-of-distribution detection with deep nearest neighbors, ICML.

    Returns:
        Suspects with reason FAR; the score is how many times the median image's distance it is.
    """
    if len(features) < 2:
        return []
    neighbours = NearestNeighbors(n_neighbors=min(_NEIGHBOURS, len(features) - 1), algorithm="brute")
    distances, _ = neighbours.fit(normalize(features)).kneighbors()
    furthest = distances[:, -1]
    # A median of zero means that most images are the same; the raw distances still rank the rest.
    scores = furthest / (np.median(furthest) or 1.0)
    return [Suspect(int(i), FAR, float(scores[i])) for i in np.argsort(-scores, kind="stable")[:count]]


def unplaced_suspects(probabilities: FloatArray, count: int) -> list[Suspect]:
    """The ``count`` images whose most probable class is the least probable, the worst first.

    Two animals at once, or too little of one: an image between the classes rather than far from them
    (least confidence: Hendrycks and Gimpel 2017, A baseline for detecting misclassified and
    out-of-distribution examples, ICLR).

    Args:
        probabilities: out of sample, shape (images, classes).
        count: how many to return.

    Returns:
        Suspects with reason UNPLACED; the score is 1 minus the highest probability.
    """
    scores = 1 - probabilities.max(axis=1)
    return [Suspect(int(i), UNPLACED, float(scores[i])) for i in np.argsort(-scores, kind="stable")[:count]]
