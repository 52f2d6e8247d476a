import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headstart.foundation.array_types import FloatArray, IntArray
from headstart.foundation.errors import InputError
from headstart.statistics.suspects import (
    CONTRADICTED,
    FAR,
    UNPLACED,
    Suspect,
    foreign_suspects,
    label_suspects,
    out_of_sample_probabilities,
    unplaced_suspects,
)


def features(labels: IntArray, seed: int, length: int = 128) -> FloatArray:
    """Features as a base gives them: not negative, and classes apart in some directions but not in most."""
    source = np.random.default_rng(seed)
    centres = source.normal(0, 0.7, size=(labels.max() + 1, length))
    return np.maximum(source.normal(size=(len(labels), length)) + centres[labels], 0)


def naive_confident_joint(labels: IntArray, probabilities: FloatArray) -> dict[int, int]:
    """Equations 1 and 2 of Northcutt, Jiang and Chuang (2021), image by image; off the diagonal, image -> class."""
    classes = range(probabilities.shape[1])
    given_as = {k: [row[k] for row, label in zip(probabilities, labels, strict=True) if label == k] for k in classes}
    found = {}
    for image, row in enumerate(probabilities):
        reached = [k for k in classes if given_as[k] and row[k] >= np.mean(given_as[k])]
        counted_as = max(reached, key=lambda k: row[k], default=labels[image])
        if counted_as != labels[image]:
            found[image] = counted_as
    return found


@given(st.integers(0, 10_000), st.integers(2, 5))
def test_confident_suspects_are_those_of_the_papers_equations(seed: int, classes: int) -> None:
    source = np.random.default_rng(seed)
    labels, probabilities = source.integers(classes, size=40), source.dirichlet(np.ones(classes), size=40)
    found = label_suspects(labels, probabilities)
    contradicted = np.flatnonzero(probabilities.argmax(axis=1) != labels)
    assert {s.image: s.suggested for s in found} == {i: probabilities[i].argmax() for i in contradicted}
    joint = naive_confident_joint(labels, probabilities)
    assert {s.image for s in found if s.confident} == joint.keys() & set(contradicted)
    assert [s.score for s in found] == sorted((s.score for s in found), reverse=True)
    for s in found:
        assert s.reason == CONTRADICTED
        assert s.score == probabilities[s.image, s.suggested] - probabilities[s.image, labels[s.image]] > 0


def test_confident_suspects_are_cleanlabs() -> None:
    """cleanlab 2.9.0, find_label_issues with filter_by="confident_learning", ranked by normalized_margin."""
    labels = np.repeat([0, 1, 2], [5, 5, 4])
    first_two = [
        [0.63, 0.24], [0.15, 0.55], [0.39, 0.35], [0.69, 0.10], [0.58, 0.26], [0.28, 0.64], [0.08, 0.71],
        [0.02, 0.85], [0.02, 0.33], [0.07, 0.77], [0.83, 0.01], [0.51, 0.08], [0.08, 0.02], [0.35, 0.06],
    ]  # fmt: skip
    probabilities = np.array([[a, b, 1 - a - b] for a, b in first_two])
    found = label_suspects(labels, probabilities)
    assert [s.image for s in found] == [10, 1, 8, 11]
    assert [s.image for s in found if s.confident] == [10, 8, 11]
    assert [s.suggested for s in found] == [0, 1, 2, 0]


def test_a_class_without_images_is_never_confidently_suggested() -> None:
    probabilities = np.array([[0.1, 0.2, 0.7], [0.3, 0.1, 0.6], [0.1, 0.8, 0.1], [0.2, 0.7, 0.1]])
    found = label_suspects(np.array([0, 0, 1, 1]), probabilities)
    assert [(s.image, s.suggested, s.confident) for s in found] == [(0, 2, False), (1, 2, False)]


@pytest.mark.parametrize(("classes", "images", "least"), [(2, 3000, 54), (10, 1000, 18)])
def test_planted_wrong_labels_are_found(classes: int, images: int, least: int) -> None:
    # 2 % of the labels are changed; nine of ten stand in a list of twice that length, with the true class.
    source = np.random.default_rng(1)
    truth = np.arange(images) % classes
    wrong = source.choice(images, images // 50, replace=False)
    labels = truth.copy()
    labels[wrong] = (labels[wrong] + source.integers(1, classes, size=len(wrong))) % classes
    probabilities = out_of_sample_probabilities(features(truth, 2), labels, classes, seed=0)
    top = {s.image: s.suggested for s in label_suspects(labels, probabilities)[: 2 * len(wrong)]}
    assert sum(top.get(int(image)) == truth[image] for image in wrong) >= least


def test_out_of_sample_means_that_no_image_was_trained_on() -> None:
    # Labels by lot can't be told from features, but with more columns than images they can be learnt by heart.
    source = np.random.default_rng(0)
    values, labels = source.normal(size=(120, 300)), np.arange(120) % 2
    probabilities = out_of_sample_probabilities(values, labels, 2, seed=0)
    assert 0.35 < (probabilities.argmax(axis=1) == labels).mean() < 0.65


def test_the_seed_decides_the_folds() -> None:
    labels = np.arange(60) % 3
    values = features(labels, 0)
    first, again, other = (out_of_sample_probabilities(values, labels, 3, seed) for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()


@settings(max_examples=40)
@given(st.lists(st.integers(0, 3), min_size=2, max_size=14), st.integers(0, 100))
def test_few_images_and_missing_classes_still_give_probabilities(given_labels: list[int], seed: int) -> None:
    labels = np.array(given_labels)
    if np.unique(labels).size < 2:
        return
    values = np.random.default_rng(seed).normal(size=(len(labels), 6))
    values[:, 0] = 1.0  # a feature that is the same for all
    probabilities = out_of_sample_probabilities(values, labels, 4, seed)
    assert probabilities.shape == (len(labels), 4)
    assert probabilities.sum(axis=1) == pytest.approx(np.ones(len(labels)))
    assert (probabilities[:, np.setdiff1d(np.arange(4), labels)] == 0).all()


def test_one_class_alone_is_refused() -> None:
    with pytest.raises(
        InputError,
        match=r"^the image set: found images of 1 class, expected at least 2: check prepare.source in params",
    ):
        out_of_sample_probabilities(np.ones((5, 3)), np.zeros(5, dtype=np.int64), 2, seed=0)


def test_planted_foreign_images_are_found() -> None:
    # Of 20 foreign images among 2,000 twelve are unlike anything, and eight are alike, such as one logo.
    source = np.random.default_rng(5)
    native = features(np.arange(1980) % 2, 6)
    logo = np.maximum(source.normal(size=128), 0)
    alike = logo + source.normal(0, 0.1, size=(8, 128))
    unlike = np.maximum(source.normal(size=(12, 128)), 0) ** 3
    found = foreign_suspects(np.concatenate([native, alike, unlike]), 25)
    assert len({s.image for s in found} & set(range(1980, 2000))) >= 18
    assert {s.reason for s in found} == {FAR}


def test_the_score_is_the_distance_in_medians() -> None:
    # On a circle of twelve directions, each one's tenth neighbour is at the same distance; length is no matter.
    angles = np.arange(12) * np.pi / 6
    circle: FloatArray = np.stack([np.cos(angles), np.sin(angles)], axis=1) * np.arange(1, 13)[:, None]
    assert [s.score for s in foreign_suspects(circle, 12)] == pytest.approx([1.0] * 12)
    (found,) = foreign_suspects(np.array([[1.0, 0.0]] * 30 + [[0.0, 1.0]]), 1)
    assert found == Suspect(30, FAR, found.score)
    assert found.score == pytest.approx(np.sqrt(2))  # the median being nought, the distance itself


@pytest.mark.parametrize("images", [0, 1, 2, 5])
def test_few_images_have_few_neighbours(images: int) -> None:
    found = foreign_suspects(np.eye(images, 6, dtype=np.float64), 10)
    assert len(found) == (images if images > 1 else 0)


def test_features_of_nothing_but_noughts_have_a_distance_too() -> None:
    values = np.array([[1.0, 0.0]] * 6 + [[0.0, 0.0]] + [[1.0, 0.01]] * 6)
    (found,) = foreign_suspects(values, 1)
    assert found.image == 6
    assert found.score > 50


def test_unplaced_suspects_are_the_least_sure() -> None:
    probabilities = np.array([[0.9, 0.1], [0.52, 0.48], [0.3, 0.7], [0.5, 0.5]])
    found = unplaced_suspects(probabilities, 2)
    assert [(s.image, s.reason) for s in found] == [(3, UNPLACED), (1, UNPLACED)]
    assert [s.score for s in found] == pytest.approx([0.5, 0.48])
