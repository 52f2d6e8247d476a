import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headstart.foundation.array_types import FloatArray, IntArray
from headstart.statistics import calibration, scoring


def predictions(seed: int, images: int, classes: int, sharpness: float = 1.0) -> tuple[IntArray, FloatArray]:
    """Labels drawn from known probabilities, and those probabilities raised to ``sharpness``."""
    source = np.random.default_rng(seed)
    logits = source.normal(0, 2, size=(images, classes))
    true = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = (source.random(images)[:, None] > true.cumsum(axis=1)).sum(axis=1).clip(max=classes - 1)
    given_rows = true**sharpness
    return labels, given_rows / given_rows.sum(axis=1, keepdims=True)


def naive_calibration_error(labels: IntArray, probabilities: FloatArray) -> float:
    """Equations 2 and 3 of Guo et al. (2017), image by image."""
    bins: list[list[tuple[float, bool]]] = [[] for _ in range(15)]
    for label, row in zip(labels, probabilities, strict=True):
        confidence = max(row)
        for m in range(1, 16):
            if (m - 1) / 15 < confidence <= m / 15:
                bins[m - 1].append((confidence, list(row).index(confidence) == label))
    total = 0.0
    for members in bins:
        if members:
            accuracy = sum(right for _, right in members) / len(members)
            confidence = sum(c for c, _ in members) / len(members)
            total += len(members) / len(labels) * abs(accuracy - confidence)
    return total


@given(st.integers(0, 10_000), st.integers(2, 6), st.floats(0.3, 4))
def test_calibration_error_agrees_with_guo_et_al_image_by_image(seed: int, classes: int, sharpness: float) -> None:
    labels, probabilities = predictions(seed, 60, classes, sharpness)
    expected = naive_calibration_error(labels, probabilities)
    assert calibration.calibration_error(labels, probabilities) == pytest.approx(expected)


def test_calibration_error_of_a_worked_example() -> None:
    # Four images at 0.75, two of them right, and one at 0.95, right: (4 * 0.25 + 0.05) / 5, by hand.
    probabilities = np.array([[0.75, 0.25]] * 4 + [[0.05, 0.95]])
    assert calibration.calibration_error(np.array([0, 0, 1, 1, 1]), probabilities) == pytest.approx(0.21)


def test_sure_and_right_is_no_error_and_sure_and_wrong_all_of_it() -> None:
    probabilities = np.array([[1.0, 0.0], [0.0, 1.0]])
    assert calibration.calibration_error(np.array([0, 1]), probabilities) == 0.0
    assert calibration.calibration_error(np.array([1, 0]), probabilities) == 1.0


def test_a_confidence_on_an_edge_belongs_to_the_bin_below() -> None:
    edges = np.arange(8, 16) / 15
    bins = calibration.confidence_bins(np.stack([edges, 1 - edges], axis=1))
    assert bins.tolist() == [7, 8, 9, 10, 11, 12, 13, 14]


@given(st.integers(0, 10_000), st.integers(2, 4))
def test_reliability_holds_every_image_and_sums_to_the_calibration_error(seed: int, classes: int) -> None:
    labels, probabilities = predictions(seed, 50, classes, 2.0)
    table = calibration.reliability(labels, probabilities)
    assert sum(bar.images for bar in table) == 50
    gaps = sum(bar.images * abs(bar.accuracy - bar.confidence) for bar in table)
    assert gaps / 50 == pytest.approx(calibration.calibration_error(labels, probabilities))
    for bar in table:
        assert bar.start < bar.confidence <= bar.end + 1e-12
        assert 0 <= bar.accuracy_low <= bar.accuracy <= bar.accuracy_high <= 1


@pytest.mark.parametrize("sharpness", [0.5, 1.0, 3.0])
def test_temperature_finds_what_sharpened_the_probabilities(sharpness: float) -> None:
    labels, probabilities = predictions(5, 20_000, 3, sharpness)
    fitted = calibration.fit_temperature(labels, probabilities)
    assert fitted.value == pytest.approx(sharpness, rel=0.03)
    assert fitted.loss_after <= fitted.loss_before == scoring.log_loss(labels, probabilities)
    after = calibration.apply_temperature(probabilities, fitted.value)
    assert scoring.log_loss(labels, after) == pytest.approx(fitted.loss_after)
    assert calibration.calibration_error(labels, after) < 0.02


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.floats(0.05, 20))
def test_no_temperature_on_a_grid_is_better_and_the_classes_stay(seed: int, temperature: float) -> None:
    labels, probabilities = predictions(seed, 40, 3, 2.0)
    fitted = calibration.fit_temperature(labels, probabilities)
    other = calibration.apply_temperature(probabilities, temperature)
    if scoring.accuracy(labels, probabilities) < 1:
        assert fitted.loss_after <= scoring.log_loss(labels, other) + 1e-6
    assert other.sum(axis=1) == pytest.approx(np.ones(40))
    assert (other.argmax(axis=1) == probabilities.argmax(axis=1)).all()


def test_temperature_1_changes_nothing() -> None:
    _, probabilities = predictions(1, 30, 3)
    assert calibration.apply_temperature(probabilities, 1.0) == pytest.approx(probabilities)


@pytest.mark.parametrize(
    ("labels", "probabilities"),
    [
        ([0, 1], [[0.6, 0.4], [0.2, 0.8]]),  # all right: ever surer would be ever better
        ([0, 1, 1], [[0.5, 0.5]] * 3),  # no temperature changes it
    ],
)
def test_temperature_stays_1_where_none_is_best(labels: list[int], probabilities: list[list[float]]) -> None:
    fitted = calibration.fit_temperature(np.array(labels), np.array(probabilities))
    assert fitted.value == 1.0
    assert fitted.loss_after == fitted.loss_before


def test_probabilities_of_0_and_1_are_softened_when_they_prove_wrong() -> None:
    labels = np.array([0] * 9 + [1])
    fitted = calibration.fit_temperature(labels, np.tile([1.0, 0.0], (10, 1)))
    # The best any temperature can do is to say 0.9 always; its log loss is the entropy of 0.9.
    assert fitted.loss_after == pytest.approx(-0.9 * np.log(0.9) - 0.1 * np.log(0.1), abs=1e-5)
    softened = calibration.apply_temperature(np.array([[1.0, 0.0]]), fitted.value)
    assert softened == pytest.approx(np.array([[0.9, 0.1]]), abs=1e-3)


def test_debiased_error_counts_pairs_of_images() -> None:
    labels, probabilities = predictions(3, 60, 3, 2.0)
    bins = calibration.confidence_bins(probabilities)
    gaps = (probabilities.argmax(axis=1) == labels) - probabilities.max(axis=1)
    total, images = 0.0, 0
    for number in np.unique(bins):
        own = gaps[bins == number]
        if len(own) > 1:
            products = [own[i] * own[j] for i in range(len(own)) for j in range(len(own)) if i != j]
            total += len(own) * float(np.mean(products))
            images += len(own)
    assert calibration.debiased_calibration_error(labels, probabilities) == pytest.approx(
        np.sqrt(max(0, total / images))
    )


def test_the_plain_error_of_a_calibrated_model_is_what_chance_expects_and_the_debiased_one_is_not() -> None:
    """A calibrated model of ten classes prints some .09 and more on 100 images."""
    plain, expected, squared, p_values = [], [], [], []
    for seed in range(150):
        labels, probabilities = predictions(seed, 100, 10)
        plain.append(calibration.calibration_error(labels, probabilities))
        chance = calibration.calibration_error_by_chance(labels, probabilities, seed, draws=200)
        expected.append(chance.mean)
        p_values.append(chance.p_value)
        squared.append(calibration.debiased_calibration_error(labels, probabilities))
    assert 0.09 <= np.mean(plain) <= 0.13
    assert np.mean(expected) == pytest.approx(np.mean(plain), abs=0.005)
    assert np.mean(np.array(p_values) < 0.05) < 0.10
    assert np.median([error for error in squared if error is not None]) < 0.05


def test_the_debiased_error_finds_what_is_there() -> None:
    probabilities = np.tile([0.9, 0.1], (20_000, 1))
    labels = (np.random.default_rng(0).random(20_000) > 0.8).astype(np.int64)
    assert calibration.debiased_calibration_error(labels, probabilities) == pytest.approx(0.1, abs=0.01)
    assert calibration.calibration_error_by_chance(labels, probabilities, 0, draws=100).p_value == pytest.approx(
        1 / 101
    )


def test_single_images_in_their_bins_have_no_debiased_error() -> None:
    assert calibration.debiased_calibration_error(np.array([0, 1]), np.array([[0.9, 0.1], [0.4, 0.6]])) is None


def test_few_images_hardly_move_the_temperature_and_many_do() -> None:
    few, many = predictions(0, 100, 3, 3.0), predictions(0, 20_000, 3, 3.0)
    shrunk = calibration.fit_temperature(*few, prior_deviation=calibration.PRIOR_DEVIATION)
    free = calibration.fit_temperature(*few)
    assert 1 < shrunk.value < free.value
    assert shrunk.loss_after == pytest.approx(
        scoring.log_loss(few[0], calibration.apply_temperature(few[1], shrunk.value))
    )
    assert calibration.fit_temperature(*many, prior_deviation=calibration.PRIOR_DEVIATION).value == pytest.approx(
        3, rel=0.05
    )


def test_a_shrunk_temperature_does_less_harm_where_errors_are_few() -> None:
    """Accuracy about .98 and 100 validation images of a calibrated model: the best temperature is 1."""

    def sure(seed: int, images: int) -> tuple[IntArray, FloatArray]:
        source = np.random.default_rng(seed)
        logits = source.normal(0, 30, size=(images, 3))
        true = np.exp(logits - logits.max(axis=1, keepdims=True))
        true /= true.sum(axis=1, keepdims=True)
        return (source.random(images)[:, None] > true.cumsum(axis=1)).sum(axis=1).clip(max=2), true

    test = sure(10_000, 4000)

    def harm(prior_deviation: float) -> float:
        losses = []
        for seed in range(30):
            fitted = calibration.fit_temperature(*sure(seed, 100), prior_deviation=prior_deviation)
            losses.append(scoring.log_loss(test[0], calibration.apply_temperature(test[1], fitted.value)))
        return float(np.mean(losses)) - scoring.log_loss(*test)

    assert 0 <= harm(calibration.PRIOR_DEVIATION) < 0.7 * harm(float("inf"))


def test_fewer_than_200_validation_images_choose_by_the_loss_as_it_is() -> None:
    for images, expected in ((199, 0), (200, 1)):
        labels = np.zeros(images, dtype=np.int64)
        raw, calibrated = np.tile([0.9, 0.1], (images, 1)), np.tile([0.8, 0.2], (images, 1))
        found = calibration.loss_to_choose_by(labels, raw, calibrated)
        assert found == pytest.approx(-np.log([0.9, 0.8][expected]))
