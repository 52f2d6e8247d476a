"""Each step has the rate, the weights and the examples that the settings say."""

from typing import Any

import numpy as np
import pytest

from headstart.models import classifier
from headstart.settings import params
from headstart.settings.schema import AugmentedClassifier
from headstart.training import layerwise, mixing, schedules
from headstart.training.layerwise import Group
from headstart.training.steps import Steps
from tests.pipeline import ROOT, trained_by

pytest_plugins = ["tests.pipeline_fixtures"]
pytestmark = pytest.mark.usefixtures("tensorflow")

QUICK = params.load(ROOT / "presets" / "quick.yaml").train_augmented
SHAPE = (4, 4, 3)
SEED = 3
RANDOM = np.random.default_rng(0)
VALUES = RANDOM.normal(size=(8, *SHAPE)).astype(np.float16)
COUNT = 5


def settings(**changes: Any) -> AugmentedClassifier:
    small = {"scaling": "none", "units": 5, "dropout": 0.0, "epochs": 4, "optimizer": "sgd", "learning_rate": 1e-3}
    return AugmentedClassifier.model_validate(trained_by(QUICK, **{**small, **changes}))


def labels(classes: int) -> Any:
    return np.arange(8) % classes


def build(classes: int = 3) -> Any:
    return classifier.build(settings(), SHAPE, 1.0, classes, SEED)


def kernels(model: Any) -> list[Any]:
    """Those of the hidden layer and of the last."""
    return [model.get_layer(name).kernel.value.numpy() for name in ("hidden", "logits")]


def begun(model: Any, groups: list[Group], chosen: AugmentedClassifier) -> Steps:
    steps = Steps(model, groups, chosen)
    steps.begin(SEED)
    return steps


def all_of(model: Any, chosen: AugmentedClassifier) -> Steps:
    return begun(model, layerwise.together(model), chosen)


def in_groups(model: Any, factor: float = 1.0, start: int = 0) -> list[Group]:
    """The last layer, and the hidden one with a rate and a start of its own."""
    logits, hidden = (model.get_layer(name).trainable_weights for name in ("logits", "hidden"))
    return [Group(logits, 1.0, 0), Group(hidden, factor, start)]


def run(steps: Steps, epoch: int, count: int = COUNT, classes: int = 3) -> list[Any]:
    step = steps.of_epoch(epoch, count)
    return [step(VALUES, labels(classes)).numpy() for _ in range(count)]


def test_every_step_has_the_rate_of_the_schedule() -> None:
    """So small a rate leaves the gradient as it is: what a kernel moves by is the rate."""
    chosen = settings(schedule="one_cycle", epochs=4, learning_rate=1e-4)
    model = build()
    steps = all_of(model, chosen)
    moved = []
    for epoch in range(4):
        step = steps.of_epoch(epoch, COUNT)
        for _ in range(COUNT):
            before = kernels(model)[1]
            step(VALUES, labels(3))
            moved.append(np.linalg.norm(kernels(model)[1].astype(float) - before))
    expected = np.array([schedules.factor(chosen, number, COUNT) for number in range(4 * COUNT)])
    np.testing.assert_allclose(moved / np.max(moved), expected / expected.max(), rtol=0.05, atol=1e-3)


@pytest.mark.parametrize("optimizer", ["adam", "rmsprop", "sgd"])
def test_a_group_has_its_part_of_the_rate(optimizer: str) -> None:
    whole, part = build(), build()
    before = kernels(whole)
    chosen = settings(optimizer=optimizer)
    begun(whole, in_groups(whole), chosen).of_epoch(0, 1)(VALUES, labels(3))
    begun(part, in_groups(part, factor=0.25), chosen).of_epoch(0, 1)(VALUES, labels(3))
    of_whole, of_part = ([now - was for now, was in zip(kernels(m), before, strict=True)] for m in (whole, part))
    np.testing.assert_allclose(of_part[0], 0.25 * of_whole[0], rtol=1e-2, atol=1e-7)
    np.testing.assert_array_equal(of_part[1], of_whole[1])


@pytest.mark.parametrize("optimizer", ["adam", "rmsprop", "sgd"])
def test_groups_alike_train_as_one(optimizer: str) -> None:
    one, other = build(), build()
    chosen = settings(optimizer=optimizer, weight_decay=0.1)
    together = run(all_of(one, chosen), 0)
    np.testing.assert_array_equal(together, run(begun(other, in_groups(other), chosen), 0))
    for mine, yours in zip(kernels(one), kernels(other), strict=True):
        np.testing.assert_array_equal(mine, yours)


@pytest.mark.parametrize("optimizer", ["adam", "rmsprop", "sgd"])
def test_what_has_not_joined_stays_bit_for_bit(optimizer: str) -> None:
    model = build()
    hidden, logits = kernels(model)
    chosen = settings(optimizer=optimizer, weight_decay=1.0, average=0.9)
    steps = begun(model, in_groups(model, start=2), chosen)
    for epoch in (0, 1):
        run(steps, epoch)
    with steps.average.applied():
        np.testing.assert_array_equal(kernels(model)[0], hidden)
    np.testing.assert_array_equal(kernels(model)[0], hidden)
    assert (kernels(model)[1] != logits).any()
    run(steps, 2)
    assert (kernels(model)[0] != hidden).all()


def test_what_joins_late_begins_as_if_it_were_the_first_step() -> None:
    """Adam's first step moves every weight by the rate; with moments corrected for steps it did not do it would not."""
    chosen = settings(optimizer="adam")
    model = build()
    steps = begun(model, in_groups(model, start=1), chosen)
    run(steps, 0)
    before = kernels(model)[0]
    run(steps, 1, count=1)
    moved = np.abs(kernels(model)[0] - before)
    assert np.median(moved) == pytest.approx(chosen.learning_rate, rel=1e-2)


def test_nothing_is_compiled_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever changes from step to step: rates, mixtures, averages."""
    chosen = settings(schedule="cosine", warmup=1.0, mixup=0.2, cutmix=1.0, average=0.9, weight_decay=0.1)
    model = build()
    steps = begun(model, in_groups(model, start=2), chosen)
    traced = []
    original = classifier.correct

    def correct(*given: Any) -> Any:
        traced.append(given)
        return original(*given)

    monkeypatch.setattr(classifier, "correct", correct)
    for epoch in range(4):
        run(steps, epoch)
    assert len(traced) == 2  # once before and once after the hidden layer joined


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("mixed", [{"mixup": 1.0}, {"cutmix": 1.0}, {"mixup": 1.0, "label_smoothing": 0.2}])
def test_the_loss_is_that_of_mixed_labels(classes: int, mixed: dict[str, float]) -> None:
    import keras

    chosen = settings(learning_rate=1e-12, **mixed)
    model = build(classes)
    found = run(all_of(model, chosen), 2, count=3, classes=classes)
    truth = np.eye(classes)[labels(classes)]
    for number, (loss, right) in enumerate(found):
        mixture = mixing.draw(chosen.recipe, VALUES.shape, [SEED, 3, 2, number])
        logits = model(mixing.mix(VALUES, mixture))
        share = float(mixture.share)
        targets = share * truth + (1 - share) * truth[mixture.partners]
        smoothing = {"label_smoothing": chosen.recipe.label_smoothing, "reduction": "sum", "from_logits": True}
        expected = (
            keras.losses.BinaryCrossentropy(**smoothing)(targets[:, 1:], logits)
            if classes == 2
            else keras.losses.CategoricalCrossentropy(**smoothing)(targets, logits)
        )
        assert loss == pytest.approx(float(expected), rel=1e-4)
        probabilities = np.asarray(classifier.probabilities(logits))
        assert right == (probabilities.argmax(axis=1) == targets.argmax(axis=1)).sum()


def test_mixtures_differ_from_batch_to_batch_and_epoch_to_epoch() -> None:
    losses = np.array([run(all_of(build(), settings(mixup=1.0, learning_rate=1e-12)), epoch) for epoch in range(3)])
    assert len(np.unique(losses[..., 0])) == 3 * COUNT
    again = run(all_of(build(), settings(mixup=1.0, learning_rate=1e-12)), 1)
    np.testing.assert_array_equal(losses[1], again)
