"""Which layers train at which rate, and from when on."""

from typing import Any

import pytest

from headstart.foundation.errors import InputError
from headstart.models import classifier, models
from headstart.settings import params
from headstart.settings.schema import Finetune
from headstart.training import layerwise
from tests.pipeline import ROOT, small_base

pytest_plugins = ["tests.pipeline_fixtures"]
pytestmark = pytest.mark.usefixtures("tensorflow")

QUICK = params.load(ROOT / "presets" / "quick.yaml")


def settings(**changes: Any) -> Finetune:
    return Finetune.model_validate(QUICK.finetune.model_dump() | {"unfreeze": 4, "epochs": 10} | changes)


def joined(unfreeze: int = 4) -> tuple[Any, Any]:
    """A joined model and its base: with 4 layers conv2 and conv3 train, with 5 conv1 as well."""
    base = small_base()
    head = classifier.build(QUICK.train_head, base.output_shape[1:], 1.0, 3, seed=0)
    return models.join(base, head, unfreeze), base


def found(chosen: Finetune, unfreeze: int = 5) -> list[tuple[list[str], float, int]]:
    """Layers, factor and start of each group."""
    groups = layerwise.groups(*joined(unfreeze), chosen)
    return [
        (list(dict.fromkeys(weight.path.split("/")[0] for weight in weights)), factor, start)
        for weights, factor, start in groups
    ]


def test_without_options_all_are_one_group() -> None:
    model, base = joined()
    (group,) = layerwise.groups(model, base, settings())
    (together,) = layerwise.together(model)
    assert group == together
    assert [id(weight) for weight in group.weights] == [id(weight) for weight in model.trainable_variables]


def test_rates_fall_with_depth() -> None:
    assert found(settings(rate_decay=0.5)) == [
        (["conv3", "logits"], 1.0, 0),
        (["conv2"], 0.5, 0),
        (["conv1"], 0.25, 0),
    ]


def test_layers_join_from_the_top() -> None:
    assert found(settings(gradual=2)) == [
        (["conv3", "logits"], 1.0, 0),
        (["conv2"], 1.0, 2),
        (["conv1"], 1.0, 4),
    ]


def test_both_together() -> None:
    assert found(settings(gradual=3, rate_decay=0.5), unfreeze=4) == [
        (["conv3", "logits"], 1.0, 0),
        (["conv2"], 0.5, 3),
    ]


def test_the_classifier_alone_needs_no_layers() -> None:
    chosen = settings(gradual=3, rate_decay=0.5, unfreeze=0)
    layerwise.check(joined(unfreeze=0)[1], chosen)
    assert found(chosen, unfreeze=0) == [(["logits"], 1.0, 0)]


def test_what_would_never_join_is_told() -> None:
    _, base = joined(unfreeze=5)
    layerwise.check(base, settings(gradual=4, epochs=9))
    message = (
        r"^params\.yaml: finetune\.gradual: found 4, which unfreezes conv1 in epoch 9 of 8: lower it, or raise "
        r"finetune\.epochs$"
    )
    with pytest.raises(InputError, match=message):
        layerwise.check(base, settings(gradual=4, epochs=8))


@pytest.mark.parametrize(
    ("epochs", "trained"), [(1, ["conv3"]), (2, ["conv3"]), (3, ["conv2", "conv3"]), (5, ["conv1", "conv2", "conv3"])]
)
def test_what_had_not_joined_counts_as_frozen(epochs: int, trained: list[str]) -> None:
    model, base = joined(unfreeze=5)
    layerwise.freeze_unreached(base, settings(gradual=2), epochs)
    assert [layer.name for layer in base.layers if layer.trainable_weights] == trained
    assert len(model.trainable_weights) == 2 * len(trained) + 2


def test_without_gradual_unfreezing_nothing_is_frozen_again() -> None:
    _, base = joined(unfreeze=5)
    layerwise.freeze_unreached(base, settings(), epochs=1)
    assert len([layer for layer in base.layers if layer.trainable_weights]) == 3
