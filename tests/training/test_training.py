"""Training keeps its best epoch, stops when it should, and goes on after an interruption as if there were none."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from headstart.base import batches
from headstart.foundation.errors import InputError
from headstart.foundation.resume import Resumable
from headstart.models import classifier, models
from headstart.models.samples import Samples
from headstart.settings import params
from headstart.settings.schema import AugmentedClassifier, Classifier
from headstart.training import layerwise, training
from headstart.training.layerwise import Group
from headstart.training.training import Trainer, Training
from tests.pipeline import ROOT, trained_by
from tests.trainings import said

pytest_plugins = ["tests.pipeline_fixtures"]
pytestmark = pytest.mark.usefixtures("tensorflow")

PRESET = params.load(ROOT / "presets" / "quick.yaml")
QUICK = PRESET.train_head
SHAPE = (2, 2, 3)
SEED = 3


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def settings(**changes: Any) -> Classifier:
    small = {"units": 5, "batch_size": 4, "epochs": 6, "patience": 0, "learning_rate": 0.01}
    return Classifier.model_validate(trained_by(QUICK, **{**small, **changes}))


def samples(images: int = 14, classes: int = 3, views: int = 1, seed: int = 0) -> Samples:
    """Noise around a mean for each class."""
    random = np.random.default_rng(seed)
    labels = np.arange(images) % classes
    means = np.random.default_rng(99).normal(size=(classes, *SHAPE))
    noise = random.normal(0, 0.5, (views, images, *SHAPE))
    return Samples((means[labels] + noise).astype(np.float16), labels)


# Every option of training at once.
EVERYTHING = {
    "schedule": "cosine",
    "warmup": 1.5,
    "weight_decay": 0.1,
    "label_smoothing": 0.1,
    "average": 0.8,
    "mixup": 0.5,
    "cutmix": 1.0,
}


def with_everything(**changes: Any) -> AugmentedClassifier:
    plain = settings().model_dump(exclude={"recipe"})
    return AugmentedClassifier.model_validate(trained_by(PRESET.train_augmented, **{**plain, **EVERYTHING, **changes}))


TRAIN, VALIDATION = samples(views=2), samples(9, seed=1)


def build(chosen: Classifier, classes: int = 3) -> Any:
    return classifier.build(chosen, SHAPE, 1.0, classes, SEED)


def fit(
    model: Any,
    chosen: Classifier,
    train: Callable[[int], Samples] = lambda epoch: TRAIN,
    validation: Samples = VALIDATION,
    name: str = "train_head",
    groups: Sequence[Group] = (),
) -> Training:
    return Trainer(model, chosen, groups).fit(train, validation, SEED, Resumable(name, chosen, []))


def weights(model: Any) -> list[Any]:
    return [weight.value.numpy() for weight in model.weights]


def same(one: list[Any], other: list[Any]) -> None:
    for mine, yours in zip(one, other, strict=True):
        np.testing.assert_array_equal(mine, yours)


def losses(model: Any, given: Samples) -> float:
    return float(np.mean(classifier.loss(given.labels, model(given.values[0].astype(np.float32)))))


def test_it_learns() -> None:
    chosen = settings(epochs=20, learning_rate=0.05)
    result = fit(build(chosen), chosen)
    history = result.history
    assert history["loss"].iloc[-1] < 0.5 * history["loss"].iloc[0]
    assert history["val_accuracy"].iloc[-1] == 1
    assert result.seconds > 0


def test_the_history_has_a_row_an_epoch() -> None:
    result = fit(build(settings()), settings())
    assert list(result.history.columns) == ["epoch", "loss", "accuracy", "val_loss", "val_accuracy"]
    assert result.history["epoch"].tolist() == [1, 2, 3, 4, 5, 6]
    assert result.history["epoch"].dtype == int
    assert np.isfinite(result.history).all(axis=None)
    assert result.history[["accuracy", "val_accuracy"]].isin(np.arange(15 * 14) / (14 * 9)).to_numpy().any()


def test_the_numbers_of_an_epoch_are_means_over_its_images() -> None:
    """The last batch is smaller than the others and must not count for more."""
    still = settings(epochs=1, dropout=0.0, learning_rate=1e-12)
    model = build(still)
    one_view = Samples(TRAIN.values[:1], TRAIN.labels)
    row = fit(model, still, lambda epoch: one_view).history.iloc[0]
    for given, prefix in ((one_view, ""), (VALIDATION, "val_")):
        logits = model(given.values[0].astype(np.float32))
        assert row[f"{prefix}loss"] == pytest.approx(losses(model, given), rel=1e-5)
        expected = np.mean(classifier.correct(given.labels, logits))
        assert row[f"{prefix}accuracy"] == pytest.approx(float(expected))


@pytest.mark.parametrize("classes", [2, 3])
def test_the_model_is_that_of_the_best_epoch(classes: int) -> None:
    """One validation label is wrong, so that too much training costs more than too little."""
    chosen = settings(learning_rate=0.03, epochs=15, dropout=0.0)
    model = build(chosen, classes)
    train, validation = samples(classes=classes), samples(9, classes, seed=1)
    wrong = np.where(np.arange(9) == 4, (validation.labels + 1) % classes, validation.labels)
    doubtful = Samples(validation.values, wrong)
    result = fit(model, chosen, lambda epoch: train, doubtful)
    val_losses = result.history["val_loss"].tolist()
    assert result.best_epoch == 1 + val_losses.index(min(val_losses))
    assert 1 < result.best_epoch < 15
    assert losses(model, doubtful) == pytest.approx(min(val_losses), rel=1e-5)


@pytest.mark.parametrize("average", [0.0, 0.7])
@pytest.mark.parametrize("classes", [2, 3])
def test_validation_is_plain_whatever_training_does(classes: int, average: float) -> None:
    """Labels as they are, images as they are, and of the weights that are kept: the average where there is one."""
    chosen = with_everything(average=average, epochs=5, learning_rate=0.02)
    model = build(chosen, classes)
    train, validation = samples(classes=classes, views=2), samples(9, classes, seed=1)
    result = fit(model, chosen, lambda epoch: train, validation)
    assert losses(model, validation) == pytest.approx(result.history["val_loss"].min(), rel=1e-5)


def test_an_average_lags_behind() -> None:
    """The training itself is the same; what is validated changes more slowly."""
    plain, averaged = (fit(build(settings()), settings(average=average), name=str(average)) for average in (0.0, 0.95))
    pd.testing.assert_series_equal(plain.history["loss"], averaged.history["loss"], check_exact=True)
    falls = [result.history["val_loss"].iloc[0] - result.history["val_loss"].iloc[1] for result in (plain, averaged)]
    assert 0 < falls[1] < falls[0]


def test_of_equal_epochs_the_first_is_the_best() -> None:
    table = pd.DataFrame({"epoch": [1, 2, 3, 4], "val_loss": [0.5, 0.25, 0.25, 0.5]})
    assert Training(table, 0.0).best_epoch == 2


def worse_every_epoch(chosen: Classifier) -> Training:
    """Training labels that are wrong: the validation loss rises from the first epoch on."""
    wrong = Samples(TRAIN.values, (TRAIN.labels + 1) % 3)
    return fit(build(chosen), chosen, lambda epoch: wrong)


@pytest.mark.parametrize(("patience", "epochs"), [(1, 2), (3, 4), (0, 8)])
def test_patience(patience: int, epochs: int) -> None:
    result = worse_every_epoch(settings(patience=patience, epochs=8, learning_rate=0.1, dropout=0.0))
    assert result.best_epoch == 1
    assert len(result.history) == epochs


def test_an_overflow_is_told_and_what_to_do_about_it() -> None:
    chosen = settings(learning_rate=10.0, optimizer="sgd", epochs=50, activation="linear", dropout=0.0)
    huge = Samples(1e4 * TRAIN.values.astype(np.float32), TRAIN.labels)
    message = r"^params\.yaml: train_head\.learning_rate: 10\.0 made the loss overflow in epoch \d+: lower it$"
    with pytest.raises(InputError, match=message):
        fit(build(chosen), chosen, lambda epoch: huge)


def test_only_what_is_trainable_trains() -> None:
    model = build(settings())
    model.get_layer("hidden").trainable = False
    before = weights(model)
    fit(model, settings())
    same(weights(model)[:2], before[:2])
    assert (weights(model)[2] != before[2]).any()


def test_each_epoch_has_its_own_samples() -> None:
    asked = []

    def train(epoch: int) -> Samples:
        asked.append(epoch)
        return samples(seed=epoch)

    fit(build(settings()), settings(), train)
    assert asked == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("optimizer", ["adam", "rmsprop", "sgd"])
def test_the_same_training_gives_the_same_bytes(optimizer: str) -> None:
    results = []
    for _ in range(2):
        chosen = settings(optimizer=optimizer)
        model = build(chosen)
        result = fit(model, chosen)
        results.append([*weights(model), result.history.to_numpy()])
    same(*results)


class Interrupted(BaseException):
    """What Ctrl-C does, where the test wants it."""


def interrupted_at(*epochs: int) -> Callable[[int], Samples]:
    """Training samples that end the run before these epochs, once each."""
    waiting = list(epochs)

    def train(epoch: int) -> Samples:
        if epoch in waiting:
            waiting.remove(epoch)
            raise Interrupted
        return TRAIN

    return train


def in_groups(model: Any) -> list[Group]:
    """The last layer, and the hidden one from the fourth epoch on at half the rate."""
    return [
        Group(model.get_layer("logits").trainable_weights, 1.0, 0),
        Group(model.get_layer("hidden").trainable_weights, 0.5, 3),
    ]


@pytest.mark.parametrize("options", [False, True])
@pytest.mark.parametrize("optimizer", ["adam", "rmsprop", "sgd"])
def test_an_interrupted_training_ends_as_an_undisturbed_one(
    optimizer: str, options: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Weights, moments, averages, rates, mixtures, dropout, the best epoch and the history: all of it goes on."""
    monkeypatch.setattr(training, "_SAVE_INTERVAL", 0.0)
    make, groups = (with_everything, in_groups) if options else (settings, layerwise.together)
    chosen = make(optimizer=optimizer, epochs=7, learning_rate=0.05)
    undisturbed = build(chosen)
    expected = fit(undisturbed, chosen, name="undisturbed", groups=groups(undisturbed))

    train = interrupted_at(0, 2, 5)
    for _ in range(3):
        model = build(chosen)
        with pytest.raises(Interrupted):
            fit(model, chosen, train, groups=groups(model))
    model = build(chosen)
    result = fit(model, chosen, train, groups=groups(model))

    same(weights(model), weights(undisturbed))
    pd.testing.assert_frame_equal(result.history, expected.history, check_exact=True)
    assert result.best_epoch == expected.best_epoch


def normalising(chosen: Classifier, seed: int = SEED) -> Any:
    """A model with batch normalization, whose moving averages change as it trains without being trained."""
    import keras

    images = keras.Input(SHAPE, dtype="float32")
    top = classifier.build(chosen, SHAPE, 1.0, 3, seed)
    return keras.Model(images, top(keras.layers.BatchNormalization(momentum=0.5)(images)))


def drifting(epoch: int) -> Samples:
    """Examples that lie elsewhere in every epoch, and the averages with them."""
    return Samples(TRAIN.values.astype(np.float16) + np.float16(epoch), TRAIN.labels)


def halves(model: Any) -> list[Group]:
    """The classifier, and what is below it from the third epoch on at half the rate."""
    top = model.get_layer(classifier.NAME).trainable_weights
    below = [weight for weight in model.trainable_weights if all(weight is not other for other in top)]
    return [Group(top, 1.0, 0), Group(below, 0.5, 2)]


@pytest.mark.parametrize("options", [False, True])
@pytest.mark.parametrize("optimizer", ["adam", "rmsprop", "sgd"])
def test_one_training_after_another_is_as_if_each_were_the_first(
    optimizer: str, options: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of the one before stays: weights, moments, averages, statistics, rates, dropout, mixtures."""
    make, groups = (with_everything, halves) if options else (settings, layerwise.together)
    chosen = make(optimizer=optimizer, dropout=0.5, epochs=5)
    traced: list[bool] = []
    correct = classifier.correct

    def seen(*given: Any) -> Any:
        traced.append(True)
        return correct(*given)

    def train(trainer: Trainer, seed: int, name: str) -> Training:
        return trainer.fit(drifting, VALIDATION, seed, Resumable(name, chosen, []))

    model = normalising(chosen)
    trainer = Trainer(model, chosen, groups(model))
    expected = {}
    for seed in (5, 6):
        alone = normalising(chosen, seed)
        result = train(Trainer(alone, chosen, groups(alone)), seed, f"alone/{seed}")
        expected[seed] = (result.history, weights(alone))
    assert any((one != other).any() for one, other in zip(expected[5][1], expected[6][1], strict=True))
    monkeypatch.setattr(classifier, "correct", seen)
    for number, seed in enumerate((5, 6, 5)):
        models.become(model, normalising(chosen, seed))
        result = train(trainer, seed, f"one/{number}")
        pd.testing.assert_frame_equal(result.history, expected[seed][0], check_exact=True)
        same(weights(model), expected[seed][1])
    # A step for each number of groups that train, and validation.
    assert len(traced) == len(groups(model)) + 1


def test_moving_averages_are_those_of_the_best_epoch() -> None:
    model = normalising(settings())
    result = fit(model, settings(), drifting)
    assert result.best_epoch < 6
    assert losses(model, VALIDATION) == pytest.approx(result.history["val_loss"].min(), rel=1e-5)


def test_moving_averages_go_on_after_an_interruption(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "_SAVE_INTERVAL", 0.0)
    undisturbed, model = normalising(settings()), normalising(settings())
    expected = fit(undisturbed, settings(), drifting, name="undisturbed")
    interrupting = interrupted_at(4)

    def train(epoch: int) -> Samples:
        interrupting(epoch)
        return drifting(epoch)

    with pytest.raises(Interrupted):
        fit(normalising(settings()), settings(), train)
    result = fit(model, settings(), train)
    pd.testing.assert_frame_equal(result.history, expected.history, check_exact=True)
    same(weights(model), weights(undisturbed))


def test_finished_epochs_are_not_run_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "_SAVE_INTERVAL", 0.0)
    chosen, asked = settings(), []
    with pytest.raises(Interrupted):
        fit(build(chosen), chosen, interrupted_at(4))

    def train(epoch: int) -> Samples:
        asked.append(epoch)
        return TRAIN

    fit(build(chosen), chosen, train)
    assert asked == [4, 5]


def test_the_time_of_interrupted_runs_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "_SAVE_INTERVAL", 0.0)
    chosen = settings()
    with pytest.raises(Interrupted):
        fit(build(chosen), chosen, interrupted_at(4))
    with np.load("data/working/train_head/training.npz") as saved:
        spent = float(saved["seconds"])
    assert fit(build(chosen), chosen).seconds > spent > 0


def test_a_training_that_has_ended_stays_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """Interrupted after the last epoch, before the stage has written its model."""
    monkeypatch.setattr(training, "_SAVE_INTERVAL", 0.0)
    chosen = settings(patience=2, epochs=30, learning_rate=0.1)
    first = build(chosen)
    expected = fit(first, chosen)
    again = build(chosen)
    result = fit(again, chosen, interrupted_at(*range(30)))
    pd.testing.assert_frame_equal(result.history, expected.history, check_exact=True)
    same(weights(again), weights(first))


def test_other_settings_start_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "_SAVE_INTERVAL", 0.0)
    with pytest.raises(Interrupted):
        fit(build(settings()), settings(), interrupted_at(4))
    other = settings(learning_rate=0.02)
    model, undisturbed = build(other), build(other)
    result = fit(model, other)
    expected = fit(undisturbed, other, name="undisturbed")
    pd.testing.assert_frame_equal(result.history, expected.history, check_exact=True)
    same(weights(model), weights(undisturbed))


def test_short_epochs_are_not_slowed_by_saving() -> None:
    def train(epoch: int) -> Samples:
        assert not Path("data/working/train_head/training.npz").exists()
        return TRAIN

    fit(build(settings()), settings(), train)


def test_a_part_of_a_stage_tells_the_stage() -> None:
    """Faults are told by the parameter's name, whichever repeat they come up in."""
    chosen = settings(learning_rate=10.0, optimizer="sgd", activation="linear", dropout=0.0)
    huge = Samples(1e4 * TRAIN.values.astype(np.float32), TRAIN.labels)
    with pytest.raises(InputError, match=r"^params\.yaml: train_head\.learning_rate: "):
        fit(build(chosen), chosen, lambda epoch: huge, name="train_head/repeat_2")


@pytest.mark.parametrize("classes", [2, 3])
def test_predictions_are_the_models_probabilities(classes: int) -> None:
    model = build(settings(), classes)
    values = samples(300, classes).values[0]
    found = said(model, values)
    expected = classifier.probabilities(model(values.astype(np.float32)))
    assert found.dtype == np.float64
    assert found.shape == (300, classes)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-12)


@pytest.mark.parametrize("classes", [2, 3])
def test_how_many_examples_come_at_once_changes_no_prediction(classes: int) -> None:
    """To the last digit, whatever place in a batch an example has."""
    model = build(settings(units=300), classes)
    values = samples(3 * batches.SIZE + 5, classes).values[0]
    together = said(model, values)
    for start in range(0, len(values), 7):
        np.testing.assert_array_equal(said(model, values[start : start + 7]), together[start : start + 7])


def test_a_last_batch_of_validation_counts_as_its_examples() -> None:
    model = build(settings())
    values = samples(batches.SIZE + 5, classes=3)
    expected = -np.log(said(model, values.values[0])[np.arange(len(values.labels)), values.labels])
    loss, right = training._compile_measure(model)(values, None)
    assert loss == pytest.approx(expected.mean(), rel=1e-5)
    assert right == (said(model, values.values[0]).argmax(axis=1) == values.labels).mean()


def test_predictions_take_no_part_in_dropout() -> None:
    model = build(settings(dropout=0.9))
    same([said(model, TRAIN.values[0])], [said(model, TRAIN.values[0])])


def test_a_training_can_be_followed_while_it_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "_SAVE_INTERVAL", 0.0)
    seen: list[pd.DataFrame] = []
    chosen = settings()
    model = build(chosen)
    state = Resumable("followed", chosen, [])
    result = Trainer(model, chosen).fit(lambda epoch: TRAIN, VALIDATION, SEED, state, follow=seen.append)
    assert [len(table) for table in seen] == list(range(1, chosen.epochs + 1))
    pd.testing.assert_frame_equal(seen[-1], result.history)
