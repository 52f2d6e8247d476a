"""The stage trains exactly the layers that it should, from where the frozen ones end."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from headstart.base import base, weights
from headstart.foundation import paths
from headstart.foundation.atomic import write_json
from headstart.foundation.errors import InputError
from headstart.foundation.framing import Framing
from headstart.images import images
from headstart.models import activations, models
from headstart.models.description import describe
from tests.pipeline import CLASSES, IMAGE_SIZE, Finished, outputs, run, write_params
from tests.trainings import Interrupted, interrupt

pytest_plugins = ["tests.pipeline_fixtures"]

RESULTS = ("models/finetune", "metrics/finetune")
BLOCK5 = ["block5_conv1", "block5_conv2", "block5_conv3"]
BLOCK4 = ["block4_conv1", "block4_conv2", "block4_conv3"]
CLASSIFIER = 512 * 8 + 8 + 8 * 3 + 3
CONVOLUTION = 3 * 3 * 512 * 512 + 512


def changed_layers() -> list[str]:
    """The layers of the base whose weights the saved model has otherwise than the pretrained ones."""
    whole = base.build("vgg16", weights.load(paths.WEIGHTS), IMAGE_SIZE)
    before = base.digests(whole)
    models.load(paths.MODELS / "finetune", whole)
    after = base.digests(whole)
    return list(dict.fromkeys(name.partition("/")[0] for name in before if before[name] != after[name]))


def unreadable(*arguments: Any) -> Any:
    raise AssertionError("an image was read")


@pytest.mark.parametrize(
    ("unfreeze", "changed", "parameters"),
    [
        (0, [], 0),
        (2, BLOCK5[2:], CONVOLUTION),
        (4, BLOCK5, 3 * CONVOLUTION),
        (8, BLOCK4 + BLOCK5, 5 * CONVOLUTION + 3 * 3 * 256 * 512 + 512),
    ],
)
def test_exactly_the_last_layers_train(pipeline: Path, unfreeze: int, changed: list[str], parameters: int) -> None:
    write_params(finetune__unfreeze=unfreeze, finetune__epochs=1)
    run("finetune")
    assert changed_layers() == changed
    described = describe(paths.MODELS / "finetune")
    assert described.unfreeze == unfreeze
    assert described.trained_parameters == parameters + CLASSIFIER
    assert list(Path("data/working").iterdir()) == []


@pytest.mark.parametrize("unfreeze", [19, 100])
def test_more_layers_than_there_are_is_told_before_any_work(pipeline: Path, unfreeze: int) -> None:
    before = outputs(*RESULTS)
    write_params(finetune__unfreeze=unfreeze)
    message = rf"^params\.yaml: finetune\.unfreeze: found {unfreeze}, but vgg16 has 18 layers: choose 0 to 18$"
    with pytest.raises(InputError, match=message):
        run("finetune")
    assert outputs(*RESULTS) == before


def test_the_model_says_what_it_is(finished: Finished) -> None:
    described = describe(finished.folder / "models" / "finetune")
    augmented = describe(finished.folder / "models" / "augmented")
    assert (described.strategy, described.classes, described.unfreeze) == ("finetune", list(CLASSES), 4)
    assert described.classifier == augmented.classifier
    assert described.extraction == augmented.extraction


def test_it_goes_on_from_the_augmented_classifier(pipeline: Path) -> None:
    """At a rate that moves nothing its first epoch has the very loss that train_augmented ended with."""
    write_params(finetune__unfreeze=4, finetune__learning_rate=1e-12, finetune__epochs=1)
    run("finetune")
    augmented = pd.read_csv("metrics/augmented/history.csv")["val_loss"].min()
    assert pd.read_csv("metrics/finetune/history.csv")["val_loss"].iloc[0] == pytest.approx(augmented, rel=1e-3)


def test_above_the_trunk_no_image_is_read(pipeline: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = outputs(*RESULTS)
    monkeypatch.setattr(images, "load", unreadable)
    run("finetune")
    assert outputs(*RESULTS) == before
    write_params(finetune__unfreeze=8, finetune__epochs=1)
    with pytest.raises(AssertionError, match="an image was read"):
        run("finetune")


@pytest.mark.parametrize("layer", ["block5_conv2", "block4_pool", "block3_pool"])
def test_the_trunk_gives_what_the_images_give(pipeline: Path, layer: str) -> None:
    """The very views and images, whichever way their activations come."""
    from headstart.foundation.resume import Resumable
    from headstart.images import assignments, manifest
    from headstart.settings import params

    loaded, frame = params.load(), manifest.read(paths.MANIFEST)
    whole = base.build("vgg16", weights.load(paths.WEIGHTS), IMAGE_SIZE)
    source = activations.Source(
        whole,
        "block4_pool",
        frame,
        assignments.spans(frame),
        activations.Views(2, loaded.augmentation, loaded.seed),
        batch_size=5,
        framing=Framing(IMAGE_SIZE),
    )
    for array in ("views", "images"):
        ways = [
            np.asarray(
                activations.at(layer, array, source._replace(trunk=trunk), Resumable(f"way_{trunk}", (), [])).values
            )
            for trunk in ("block4_pool", None)
        ]
        assert ways[0].shape == ways[1].shape
        scale = float(np.abs(ways[1]).max())
        np.testing.assert_allclose(ways[0].astype(float), ways[1].astype(float), rtol=2e-3, atol=2e-3 * scale)


@pytest.mark.parametrize("unfreeze", [0, 4])
def test_it_works_without_kept_views(pipeline: Path, unfreeze: int) -> None:
    write_params(extract_features__views=0, finetune__unfreeze=unfreeze)
    run("finetune")
    assert changed_layers() == (BLOCK5 if unfreeze else [])
    assert len(pd.read_csv("metrics/finetune/history.csv")) == 2
    assert list(Path("data/working").iterdir()) == []


def test_layers_join_one_after_another(pipeline: Path) -> None:
    """What has not joined by the best epoch is as it was, whatever else is on, and does not count as trained."""
    write_params(
        finetune__gradual=1,
        finetune__epochs=3,
        finetune__learning_rate=3e-5,
        finetune__recipe__weight_decay=0.1,
        finetune__recipe__average=0.9,
    )
    run("finetune")
    described = describe(paths.MODELS / "finetune")
    assert described.best_epoch == 2, "a case in which a layer that joined has to be undone"
    assert changed_layers() == BLOCK5[1:]
    assert described.trained_parameters == 2 * CONVOLUTION + CLASSIFIER


def test_a_layer_that_would_never_join_is_told_before_any_work(pipeline: Path) -> None:
    before = outputs(*RESULTS)
    write_params(finetune__gradual=2, finetune__epochs=4)
    message = r"^params\.yaml: finetune\.gradual: found 2, which unfreezes block5_conv1 in epoch 5 of 4: lower it"
    with pytest.raises(InputError, match=message):
        run("finetune")
    assert outputs(*RESULTS) == before


def test_every_option_at_once_gives_the_same_bytes_again(pipeline: Path) -> None:
    write_params(
        **{
            f"finetune__{name}": value
            for name, value in {
                "unfreeze": 3,
                "recipe__schedule": "cosine",
                "recipe__warmup": 0.5,
                "recipe__weight_decay": 0.01,
                "recipe__label_smoothing": 0.1,
                "recipe__average": 0.9,
                "recipe__mixup": 0.2,
                "recipe__cutmix": 1.0,
                "rate_decay": 0.7,
                "gradual": 1,
            }.items()
        }
    )
    run("finetune")
    before = outputs(*RESULTS)
    with pytest.MonkeyPatch.context() as patch:
        interrupt(patch, saves=1)
        with pytest.raises(Interrupted):
            run("finetune")
    run("finetune")
    assert outputs(*RESULTS) == before


def test_it_works_without_a_trunk(pipeline: Path) -> None:
    """The same model, up to the rounding of the trunk that is left out."""
    before = pd.read_csv("metrics/finetune/history.csv")
    write_json(paths.TRUNK / "trunk.json", {"layer": None})
    run("finetune")
    pd.testing.assert_frame_equal(pd.read_csv("metrics/finetune/history.csv"), before, rtol=1e-2)
    assert changed_layers() == BLOCK5


def test_a_rate_that_changes_nothing_is_told(pipeline: Path) -> None:
    """With weights so far from zero that adding the step to them leaves them as they are."""
    tensors = {
        name: np.copysign(np.maximum(np.abs(values), np.float32(1e-3)), values)
        for name, values in weights.load(paths.WEIGHTS).items()
    }
    paths.WEIGHTS.unlink()
    weights.save(paths.WEIGHTS, tensors)
    write_params(finetune__learning_rate=1e-15, finetune__epochs=1)
    message = r"^params\.yaml: finetune\.learning_rate: too low to change block5_conv1 of vgg16: raise it$"
    with pytest.raises(InputError, match=message):
        run("finetune")
