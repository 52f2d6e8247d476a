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

from stages.core.array_types import FloatArray, IntArray
from stages.core.errors import InputError

CONTRADICTED = "label contradicted"
FAR = "far from everything"
UNPLACED = "placed confidently nowhere"

FOLDS = 5

# Strong enough that a wrong label can't be learnt by heart: on standardised features of this length, weaker
# regularisation fits nearly every training image, wrong ones too.
_REGULARISATION = 0.01

# More than one foreign image of a kind may stand in the set, each the other's nearest neighbour.
_NEIGHBOURS = 10


@dataclass(frozen=True, slots=True)
class Suspect:
    """An image worth a look.

    Attributes:
        image: its row.
        reason: CONTRADICTED, FAR or UNPLACED.
        score: how suspect it is; higher is worse, comparable within one reason only.
        suggested: for CONTRADICTED the class that it looks like, otherwise None.
    """

    image: int
    reason: str
    score: float
    suggested: int | None = None


def out_of_sample_probabilities(features: FloatArray, labels: IntArray, classes: int, seed: int) -> FloatArray:
    """Class probabilities of every image from a classifier that never saw it.

    Regularised logistic regression, cross-validated in five folds that share out each class evenly. A
    class that stands in one fold alone gets probability 0 there.

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
        classifier.fit(features[~held_out], labels[~held_out])
        probabilities[np.ix_(held_out, known)] = classifier.predict_proba(features[held_out])
    return probabilities


def label_suspects(labels: IntArray, probabilities: FloatArray) -> list[Suspect]:
    """Images whose label their out-of-sample probabilities contradict, the surest contradiction first.

    Confident learning: Northcutt, Jiang and Chuang (2021), J. Artif. Intell. Res. 70, 1373-1411. A class's
    threshold is the mean probability that images labelled so are given for it (equation 2); an image counts
    as the most probable of the classes whose threshold it reaches (equation 1); where that isn't its label,
    it stands off the diagonal of the confident joint. Ranked by normalised margin (section 3.2). As in the
    authors' library, an image that is more probably its label than the other class is let go.

    Args:
        labels: given class numbers, shape (images,).
        probabilities: out of sample, shape (images, classes).

    Returns:
        Suspects with reason CONTRADICTED; the score is the other class's probability minus the label's.
    """
    classes = probabilities.shape[1]
    # A class without images can't be anybody's true class: nothing reaches infinity.
    thresholds = np.array(
        [probabilities[labels == k, k].mean() if (labels == k).any() else np.inf for k in range(classes)]
    )
    confident = np.where(probabilities >= thresholds, probabilities, -np.inf)
    suggested = confident.argmax(axis=1)
    images = np.arange(len(labels))
    margins = confident[images, suggested] - probabilities[images, labels]
    # Reaching no threshold makes a margin of minus infinity, counting as the label one of nought.
    found = np.flatnonzero(margins > 0)
    return [
        Suspect(int(i), CONTRADICTED, float(margins[i]), int(suggested[i]))
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
    # A median of nought means that most images are alike; the raw distances still rank the rest.
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
