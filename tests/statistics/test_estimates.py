import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score, f1_score, roc_auc_score

from headstart.foundation.array_types import FloatArray, IntArray
from headstart.statistics import calibration, class_scores, scoring
from headstart.statistics.estimates import estimates, flattened, weighted_brier, weighted_f1, weighted_roc_auc
from headstart.statistics.outcome import Outcome
from tests.outcomes import once

NAMES = (
    "accuracy",
    "log_loss",
    "roc_auc",
    "f1",
    "average_precision",
    "brier",
    "calibration_error",
    "balanced_accuracy",
)
PAIRS = [
    (weighted_brier, scoring.brier),
    (weighted_roc_auc, scoring.roc_auc),
    (weighted_f1, scoring.f1),
]


def predictions(
    seed: int, images: int, classes: int = 2, separation: float = 2.0, sharpness: float = 1.0, decimals: int = 6
) -> tuple[IntArray, FloatArray]:
    """Labels and their true probabilities given a normal feature a class, raised to ``sharpness``.

    Few ``decimals`` make ties, and probabilities of exactly 0 and 1.
    """
    source = np.random.default_rng(seed)
    labels = source.integers(classes, size=images)
    feature = source.normal(size=(images, classes))
    feature[np.arange(images), labels] += separation
    rows = np.exp(sharpness * separation * feature)
    rows = np.round(rows / rows.sum(axis=1, keepdims=True), decimals)
    rows[rows.sum(axis=1) == 0] = 1
    return labels, rows / rows.sum(axis=1, keepdims=True)


@settings(max_examples=50)
@given(st.integers(0, 10_000), st.integers(2, 5), st.integers(1, 6))
def test_weights_of_1_give_the_plain_metrics(seed: int, classes: int, decimals: int) -> None:
    labels, probabilities = predictions(seed, 30, classes, decimals=decimals)
    for weighted, plain in PAIRS:
        value = plain(labels, probabilities)
        (of_ones,) = weighted(labels, probabilities)(np.ones((30, 1)))
        assert of_ones == pytest.approx(np.nan if value is None else value, nan_ok=True)


@settings(max_examples=50)
@given(st.integers(0, 10_000), st.integers(2, 4), st.integers(1, 6))
def test_weighted_metrics_are_scikit_learns_of_repeated_images(seed: int, classes: int, decimals: int) -> None:
    labels, probabilities = predictions(seed, 25, classes, decimals=decimals)
    weights = np.random.default_rng(seed).integers(0, 4, size=(25, 3)).astype(float)
    weights[:, 0] = 1
    for column in weights.T:
        repeated, rows = (np.repeat(values, column.astype(int), axis=0) for values in (labels, probabilities))
        if np.unique(repeated).size < classes:
            continue
        if classes == 2:
            area, f1 = roc_auc_score(repeated, rows[:, 1]), f1_score(repeated, rows.argmax(axis=1))
        else:
            area = roc_auc_score(repeated, rows, multi_class="ovr")
            f1 = f1_score(repeated, rows.argmax(axis=1), average="macro")
        brier = np.square(rows - np.eye(classes)[repeated]).sum(axis=1).mean() / 2
        expected = [brier, area, f1]
        found = [weighted(labels, probabilities)(column[:, None])[0] for weighted, _ in PAIRS]
        assert found == pytest.approx(expected)


def test_a_resample_without_a_class_leaves_its_metrics_undefined() -> None:
    labels, probabilities = np.array([0, 1, 1]), np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]])
    weights = np.array([[3.0, 0.0], [0.0, 1.0], [0.0, 2.0]])
    assert np.isnan(weighted_roc_auc(labels, probabilities)(weights)).all()
    assert weighted_f1(labels, probabilities)(weights) == pytest.approx([np.nan, 0.8], nan_ok=True)


def test_the_same_seed_gives_the_same_numbers_and_another_seed_close_ones() -> None:
    labels, probabilities = predictions(3, 300)
    first, again, other = (estimates(once(labels, probabilities), seed) for seed in (1, 1, 2))
    assert first == again
    assert first != other
    first_row, other_row = flattened(first), flattened(other)
    assert other_row == {name: pytest.approx(number, rel=0.1, abs=0.005) for name, number in first_row.items()}


def test_values_are_the_metrics_themselves() -> None:
    labels, probabilities = predictions(4, 200, classes=3)
    found = estimates(once(labels, probabilities), seed=0, resamples=50)
    assert {name: estimate.value for name, estimate in found.items()} == {
        "accuracy": scoring.accuracy(labels, probabilities),
        "log_loss": scoring.log_loss(labels, probabilities),
        "roc_auc": scoring.roc_auc(labels, probabilities),
        "f1": scoring.f1(labels, probabilities),
        "average_precision": class_scores.average_precision(labels, probabilities),
        "brier": scoring.brier(labels, probabilities),
        "calibration_error": calibration.calibration_error(labels, probabilities),
        "balanced_accuracy": balanced_accuracy_score(labels, probabilities.argmax(axis=1)),
    }


@settings(max_examples=50)
@given(
    st.integers(2, 4).flatmap(
        lambda classes: st.lists(
            st.tuples(st.integers(0, classes - 1), st.integers(0, classes - 1), st.sampled_from([0.0, 0.5, 1.0])),
            min_size=1,
            max_size=12,
        ).map(lambda images: (classes, images))
    )
)
def test_any_images_give_numbers_or_none(case: tuple[int, list[tuple[int, int, float]]]) -> None:
    classes, images = case
    labels = np.array([label for label, _, _ in images])
    # Each image puts a share on one class and splits the rest evenly: constants, ties, zeros and ones.
    probabilities = np.array([share * np.eye(classes)[where] + (1 - share) / classes for _, where, share in images])
    row = flattened(estimates(once(labels, probabilities), seed=0, resamples=40))
    json.dumps(row, allow_nan=False)
    for name in NAMES:
        value, low, high = row[name], row[name + "_low"], row[name + "_high"]
        if low is None or high is None:
            assert low is high
        else:
            assert value is not None
            assert low <= high
        if name != "log_loss":
            assert all(0 <= number <= 1 for number in (value, low, high) if number is not None)


def test_constant_predictions_are_known_exactly() -> None:
    labels = np.array([0] * 20 + [1] * 30)
    found = estimates(once(labels, np.full((50, 2), 0.5)), seed=0)
    assert found["log_loss"].low == pytest.approx(np.log(2), abs=1e-6)
    assert found["log_loss"].high == pytest.approx(np.log(2), abs=1e-6)
    assert (found["roc_auc"].low, found["roc_auc"].high) == (0.5, 0.5)


def test_one_image_gives_values_and_what_shares_and_losses_leave_open() -> None:
    found = flattened(estimates(once(np.array([1]), np.array([[0.3, 0.7]])), seed=0))
    numbers = {name: number for name, number in found.items() if number is not None}
    assert numbers == pytest.approx(
        {
            "accuracy": 1.0,
            "accuracy_low": 0.2065,
            "accuracy_high": 1.0,
            "log_loss": -np.log(0.7),
            "log_loss_low": found["log_loss_low"],
            "log_loss_high": found["log_loss_high"],
            "f1": 1.0,
            "brier": 0.09,
            "calibration_error": 0.3,
            "balanced_accuracy": 1.0,
            "balanced_accuracy_low": 0.2065,
            "balanced_accuracy_high": 1.0,
        },
        abs=1e-4,
    )


def test_a_perfect_score_claims_no_certainty() -> None:
    labels = np.array([0, 1] * 10)
    found = estimates(once(labels, np.eye(2)[labels] * 0.8 + 0.1), seed=0)
    assert (found["roc_auc"].value, found["roc_auc"].low, found["roc_auc"].high) == (1.0, None, None)
    assert (found["f1"].value, found["f1"].low, found["f1"].high) == (1.0, None, None)
    assert found["accuracy"].low == pytest.approx(0.8389, abs=1e-4)  # Wilson's end for 20 of 20


def test_flattened_names_the_ends() -> None:
    row = flattened(estimates(once(*predictions(0, 50)), 0, 20))
    assert list(row)[:4] == ["accuracy", "accuracy_low", "accuracy_high", "log_loss"]
    assert len(row) == 3 * len(NAMES)


# True values from 10^6 images drawn the same way.
@pytest.mark.parametrize(
    ("images", "separation", "sharpness"),
    [(200, 1.5, 1.0), (200, 2.5, 2.0)],
)
def test_intervals_cover_the_truth_as_often_as_they_say(images: int, separation: float, sharpness: float) -> None:
    population = predictions(99, 1_000_000, separation=separation, sharpness=sharpness)
    true = {
        "accuracy": scoring.accuracy(*population),
        "log_loss": scoring.log_loss(*population),
        "roc_auc": scoring.roc_auc(*population) or 0.0,
        "f1": scoring.f1(*population) or 0.0,
        "average_precision": class_scores.average_precision(*population) or 0.0,
        "brier": scoring.brier(*population),
        "balanced_accuracy": float(
            np.mean([(population[1].argmax(axis=1) == population[0])[population[0] == k].mean() for k in range(2)])
        ),
        "calibration_error": calibration.calibration_error(*population),
    }
    splits = 100
    covered = dict.fromkeys(true, 0)
    for seed in range(splits):
        split = predictions(seed, images, separation=separation, sharpness=sharpness)
        for name, estimate in estimates(once(*split), seed, 300).items():
            if estimate.low is None or estimate.high is None:
                covered[name] += 1  # a perfect score has no interval, and so claims nothing that could be wrong
            else:
                covered[name] += estimate.low <= true[name] <= estimate.high
    # Three standard errors of 100 splits at 95 % are 6.5 points.
    for name, times in covered.items():
        assert times / splits > 0.885, name


def test_the_values_of_several_runs_are_means_and_the_luck_of_training_widens_what_holds_it() -> None:
    """Runs of very different quality: shares and the log loss know of it."""
    parts = [predictions(5, 300, separation=separation) for separation in (0.5, 1.5, 3.0)]
    labels = parts[0][0]
    each = [once(labels, rows) for _, rows in parts]
    runs = Outcome(labels, np.stack([rows for _, rows in parts]))
    found, alone = estimates(runs, 0, 100), [estimates(one, 0, 100) for one in each]
    for name in NAMES:
        assert found[name].value == pytest.approx(np.mean([one[name].value for one in alone]))
    for name in ("accuracy", "log_loss"):
        widths = [one[name].high - one[name].low for one in alone]  # type: ignore[operator]
        assert found[name].high - found[name].low > max(widths)  # type: ignore[operator]


def test_groups_widen_every_interval() -> None:
    labels, rows = predictions(6, 40, separation=1.0)
    labels, rows = np.repeat(labels, 10), np.repeat(rows, 10, axis=0)
    alone, grouped = estimates(once(labels, rows), 0, 200), estimates(once(labels, rows, np.arange(400) // 10), 0, 200)
    for name in NAMES:
        assert grouped[name].value == alone[name].value
        assert grouped[name].high - grouped[name].low > 1.3 * (alone[name].high - alone[name].low)  # type: ignore[operator]


def test_one_group_leaves_open_what_is_bootstrapped() -> None:
    labels, rows = predictions(7, 20)
    found = estimates(once(labels, rows, np.zeros(20, np.int64)), 0, 50)
    assert (found["roc_auc"].low, found["calibration_error"].low) == (None, None)
