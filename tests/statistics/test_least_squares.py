"""The stand-in classifier is the ridge regression of the textbook, on features prepared as the strategy's are."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.linear_model import Ridge

from headstart.statistics import least_squares
from headstart.statistics.least_squares import Labels, Preparation

FLAT = Preparation("flatten", "none", 1.0)
Maps = npt.NDArray[np.float16]


def maps(labels: npt.NDArray[np.int64], seed: int, spread: float = 1.0) -> Maps:
    """Feature maps (images, 2, 2, 6) of which every class has its own, with noise; never below nought."""
    centres = np.random.default_rng(0).random((int(labels.max()) + 1, 2, 2, 6)) * 3
    noise = np.random.default_rng(seed).normal(size=(len(labels), 2, 2, 6)) * spread
    return np.abs(centres[labels] + noise).astype(np.float16)


TRAIN, VALIDATION, TEST = (np.arange(size) % 3 for size in (60, 30, 300))


def predict(
    train: Maps, preparation: Preparation = FLAT, rows: npt.ArrayLike | None = None, spread: float = 1.0
) -> npt.NDArray[np.int64]:
    found = least_squares.products(
        train, maps(VALIDATION, 2, spread), maps(TEST, 3, spread), preparation, np.arange(len(TRAIN))
    )
    train_and_predict = least_squares.fit_predict(found, Labels(TRAIN, VALIDATION, 3))
    return train_and_predict(np.arange(len(TRAIN)) if rows is None else np.asarray(rows), 0)


def test_images_that_differ_by_roundings_alone_are_all_the_commonest_class() -> None:
    """A base with weights of the user's own may give nearly the same for every image."""
    train, validation, test = (
        (1000 + np.random.default_rng(seed).normal(0, 1e-3, (len(part), 2, 2, 6))).astype(np.float32)
        for seed, part in enumerate((TRAIN, VALIDATION, TEST))
    )
    rows = np.flatnonzero((TRAIN != 0) | (np.arange(len(TRAIN)) < 30))
    found = least_squares.products(train, validation, test, FLAT, np.arange(len(TRAIN)))
    predicted = least_squares.fit_predict(found, Labels(TRAIN, VALIDATION, 3))(rows, 0)
    assert (predicted == 1).all()


def test_it_is_ridge_regression_with_the_ridge_that_validation_prefers() -> None:
    """Against scikit-learn, which solves the same in the space of the features."""
    train, validation, test = maps(TRAIN, 1), maps(VALIDATION, 2), maps(TEST, 3)
    flat = [part.reshape(len(part), -1).astype(np.float64) for part in (train, validation, test)]
    unit = np.square(flat[0] - flat[0].mean(axis=0)).sum() / len(TRAIN)
    targets, truth = np.eye(3)[TRAIN], np.eye(3)[VALIDATION]
    errors, predicted = [], []
    for ridge in (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0):
        model = Ridge(alpha=ridge * unit).fit(flat[0], targets)
        errors.append(np.square(model.predict(flat[1]) - truth).mean())
        predicted.append(model.predict(flat[2]).argmax(axis=1))
    np.testing.assert_array_equal(predict(train), predicted[int(np.argmin(errors))])


def test_it_learns() -> None:
    assert (predict(maps(TRAIN, 1)) == TEST).mean() > 0.9


def test_more_images_help() -> None:
    few = predict(maps(TRAIN, 1, 3.0), rows=np.arange(6), spread=3.0)
    many = predict(maps(TRAIN, 1, 3.0), spread=3.0)
    assert (few == TEST).mean() < (many == TEST).mean()


def test_a_part_of_the_images_is_all_it_sees() -> None:
    train = maps(TRAIN, 1)
    changed = train.copy()
    changed[30:] = 0
    np.testing.assert_array_equal(predict(train, rows=np.arange(30)), predict(changed, rows=np.arange(30)))


def test_views_enter_as_their_mean() -> None:
    views = np.stack([maps(TRAIN, seed) for seed in (1, 4)])
    mean = views.astype(np.float64).mean(axis=0).astype(np.float32)
    np.testing.assert_array_equal(predict(views), predict(mean))


def test_averaged_maps_know_no_places() -> None:
    average = Preparation("average", "none", 1.0)
    train = maps(TRAIN, 1)
    turned = train[:, ::-1, ::-1]
    np.testing.assert_array_equal(predict(train, average), predict(turned, average))
    assert (predict(train) != predict(turned)).any()


def test_scaling_is_that_of_the_classifier() -> None:
    """Dividing changes nothing, as ridges are relative; logarithms do."""
    train = maps(TRAIN, 1, 3.0)
    plain = predict(train, spread=3.0)
    np.testing.assert_array_equal(predict(train, Preparation("flatten", "linear", 7.0), spread=3.0), plain)
    logs = predict(train, Preparation("flatten", "log", 0.5), spread=3.0)
    by_hand = np.log1p(train.astype(np.float32) / 0.5)
    found = least_squares.products(
        by_hand,
        np.log1p(maps(VALIDATION, 2, 3.0).astype(np.float32) / 0.5),
        np.log1p(maps(TEST, 3, 3.0).astype(np.float32) / 0.5),
        FLAT,
        np.arange(len(TRAIN)),
    )
    expected = least_squares.fit_predict(found, Labels(TRAIN, VALIDATION, 3))(np.arange(len(TRAIN)), 0)
    np.testing.assert_array_equal(logs, expected)
    assert (logs != plain).any()


def test_a_class_without_training_images_is_never_predicted() -> None:
    assert set(predict(maps(TRAIN, 1), rows=np.flatnonzero(TRAIN != 1))) == {0, 2}


def test_images_that_are_all_alike_are_no_error() -> None:
    alike = np.ones((len(TRAIN), 2, 2, 6), np.float16)
    assert set(predict(alike)) <= {0, 1, 2}


def test_only_the_chosen_images_are_trained_on() -> None:
    train = maps(TRAIN, 1)
    chosen = np.arange(0, 60, 2)
    some = least_squares.products(train, maps(VALIDATION, 2), maps(TEST, 3), FLAT, chosen)
    assert some.train.shape == (30, 30)
    assert some.validation.shape == (30, 30)
    assert some.test.shape == (300, 30)
    whole = least_squares.products(train, maps(VALIDATION, 2), maps(TEST, 3), FLAT, np.arange(60))
    np.testing.assert_allclose(some.train, whole.train[np.ix_(chosen, chosen)])


def test_memory_maps_are_read_in_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.save(tmp_path / "train.npy", maps(TRAIN, 1))
    whole = predict(maps(TRAIN, 1))
    monkeypatch.setattr(least_squares, "_BLOCK", 7)
    np.testing.assert_array_equal(predict(np.load(tmp_path / "train.npy", mmap_mode="r")), whole)
