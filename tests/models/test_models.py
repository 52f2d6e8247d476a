"""A saved model is the trained one again, and what trains of the base is what was asked for."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headstart.base import base, runtime
from headstart.base.extraction import Extraction
from headstart.base.origin import Origin
from headstart.foundation.errors import InputError
from headstart.images.assignments import KEPT, Assignment
from headstart.models import architectures, classifier, models
from headstart.models.architectures import Network
from headstart.models.description import Description, describe
from headstart.settings import params
from headstart.settings.schema import Layers
from tests.pipeline import ROOT, small_base

pytest_plugins = ["tests.pipeline_fixtures"]
pytestmark = pytest.mark.usefixtures("tensorflow")

QUICK = params.load(ROOT / "presets" / "quick.yaml").train_head
LAYERS = Layers.model_validate({name: getattr(QUICK, name) for name in Layers.model_fields} | {"units": 3})
DESCRIPTION = Description(
    strategy="finetune",
    extraction=Extraction(
        origin=Origin(base="small", weights="imagenet"),
        image_size=16,
        batch_size=4,
        fit="stretch",
        white_level=65535,
        policy="float32",
        blocks=[5],
        feature_rms=2.5,
        versions={},
    ),
    classifier=LAYERS,
    network=None,
    classes=["cat", "dog", "emu"],
    unfreeze=0,
    trained_parameters=1234,
    epochs=7,
    best_epoch=3,
    versions={"tensorflow": "2.21.0"},
)
SMALL_LAYERS = ["conv1", "pool1", "conv2", "conv3", "pool2"]
IMAGES = np.random.default_rng(0).normal(0, 50, (4, 16, 16, 3)).astype(np.float32)


def head(whole: Any, seed: int = 1) -> Any:
    return classifier.build(LAYERS, whole.output_shape[1:], 2.5, 3, seed)


def trained(whole: Any, unfreeze: int) -> Any:
    """A joined model after one step of descent, large enough to change every weight."""
    import keras
    import tensorflow as tf

    model = models.join(whole, head(whole), unfreeze)
    optimizer = keras.optimizers.SGD(1e-2)
    values = base.between(whole, None, base.cut_before(whole, unfreeze))(IMAGES)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(classifier.loss(np.array([0, 1, 2, 0]), model(tf.cast(values, model.input.dtype))))
    optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
    return model


@pytest.mark.parametrize("unfreeze", range(6))
def test_exactly_the_last_layers_train(unfreeze: int) -> None:
    whole = small_base()
    before = base.digests(whole)
    model = trained(whole, unfreeze)
    after = base.digests(whole)
    assert [layer.name for layer in whole.layers[1:] if layer.trainable] == SMALL_LAYERS[5 - unfreeze :]
    changed = [name for name in before if before[name] != after[name]]
    unfrozen = SMALL_LAYERS[5 - unfreeze :]
    assert changed == [name for name in before if name.partition("/")[0] in unfrozen]
    base.check_frozen(whole, before)
    assert len(model.trainable_weights) == len(changed) + 4


BLOCK5 = ["block5_conv1", "block5_conv2", "block5_conv3"]
BLOCK4 = ["block4_conv1", "block4_conv2", "block4_conv3"]
BLOCKS_1_TO_3 = [
    f"block{block}_conv{layer}" for block, count in ((1, 2), (2, 2), (3, 3)) for layer in range(1, count + 1)
]


@pytest.mark.parametrize(
    ("unfreeze", "expected"),
    [
        (0, []),
        (1, []),  # pooling has nothing to train
        (2, BLOCK5[2:]),
        (4, BLOCK5),
        (5, BLOCK5),
        (8, BLOCK4 + BLOCK5),
        (18, BLOCKS_1_TO_3 + BLOCK4 + BLOCK5),
    ],
)
def test_what_trains_of_vgg16(unfreeze: int, expected: list[str]) -> None:
    whole = base.build("vgg16", {}, 32)
    model = models.join(whole, head(whole), unfreeze)
    layers = [*expected, "hidden", "logits"]
    assert [weight.path for weight in model.trainable_weights] == [
        f"{layer}/{weight}" for layer in layers for weight in ("kernel", "bias")
    ]


def test_more_layers_than_there_are_cannot_train() -> None:
    whole = small_base()
    with pytest.raises(InputError, match=r"found 6, but small has 5 layers: choose 0 to 5$"):
        models.join(whole, head(whole), 6)


@pytest.mark.parametrize("unfreeze", range(6))
def test_a_joined_model_continues_the_frozen_part(unfreeze: int) -> None:
    whole = small_base()
    classifying = head(whole)
    expected = classifying(whole(IMAGES))
    model = models.join(whole, classifying, unfreeze)
    cut = base.cut_before(whole, unfreeze)
    found = model(base.between(whole, None, cut)(IMAGES))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    if unfreeze < 2:
        assert model is classifying


def test_in_bfloat16_the_logits_are_float32() -> None:
    runtime.set_policy("mixed_bfloat16")
    whole = small_base()
    model = models.join(whole, head(whole), 3)
    assert model.input.dtype == "bfloat16"
    assert model.output.dtype == "float32"
    assert {weight.dtype for weight in model.trainable_weights} == {"float32"}


def save(folder: Path, model: Any, description: Description) -> None:
    folder.mkdir(parents=True)
    weights = folder.with_name("some.weights.h5")
    model.save_weights(weights)
    models.write(folder, description, weights)


@pytest.mark.parametrize("unfreeze", [0, 2, 5])
def test_a_saved_model_comes_back(tmp_path: Path, unfreeze: int) -> None:
    whole = small_base()
    model = trained(whole, unfreeze)
    description = DESCRIPTION.model_copy(update={"unfreeze": unfreeze})
    save(tmp_path / "model", model, description)
    assert sorted(path.name for path in (tmp_path / "model").iterdir()) == ["model.json", "model.weights.h5"]

    again = small_base()
    loaded = models.load(tmp_path / "model", again)
    assert describe(tmp_path / "model") == description
    values = base.between(whole, None, base.cut_before(whole, unfreeze))(IMAGES)
    np.testing.assert_array_equal(loaded(values), model(values))
    # The unfrozen part of the base is the trained one too.
    np.testing.assert_array_equal(again(IMAGES), whole(IMAGES))


def test_another_trainings_weights_can_be_loaded(tmp_path: Path) -> None:
    nothing = np.array([], np.int64)
    fold, kept = (Assignment(number, number, 0, "", nothing, nothing, nothing) for number in (1, KEPT))
    folder = tmp_path / "model"
    assert models.weights_of(folder, kept) == folder / "model.weights.h5"
    assert models.weights_of(folder, fold) == folder / "trainings" / "run_2_fold_2.weights.h5"
    save(folder, trained(small_base(), 0), DESCRIPTION.model_copy(update={"unfreeze": 0}))
    models.weights_of(folder, fold).parent.mkdir()
    other = head(small_base())
    other.save_weights(models.weights_of(folder, fold))
    found = models.load(folder, small_base(), models.weights_of(folder, fold))
    for one, expected in zip(found.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(one, expected)


def test_the_same_model_is_the_same_bytes(tmp_path: Path) -> None:
    """No date, no path, no counter of Keras's goes into the files."""
    import keras

    for name in ("one", "two"):
        keras.utils.clear_session()
        save(tmp_path / name / "model", trained(small_base(), 2), DESCRIPTION)
    for file in ("model.json", "model.weights.h5"):
        assert (tmp_path / "one" / "model" / file).read_bytes() == (tmp_path / "two" / "model" / file).read_bytes()


def test_the_description_is_for_people_too(tmp_path: Path) -> None:
    whole = small_base()
    save(tmp_path / "model", head(whole), DESCRIPTION)
    text = (tmp_path / "model" / "model.json").read_text(encoding="utf-8")
    assert json.loads(text) == DESCRIPTION.model_dump()
    assert text.startswith('{\n  "strategy": "finetune",\n')


@pytest.mark.parametrize("name", ["café", "nan", "=cmd()", "a\nb", "🐱"])
def test_classes_keep_their_names(tmp_path: Path, name: str) -> None:
    description = DESCRIPTION.model_copy(update={"classes": [name, "dog", "emu"]})
    save(tmp_path / "model", head(small_base()), description)
    assert describe(tmp_path / "model").classes[0] == name


NETWORK = Network(
    architecture="resnet34", image_size=32, fit="pad", white_level=65535, channels=3, dropout=0.5, policy="float32"
)
FROM_SCRATCH = DESCRIPTION.model_copy(
    update={"strategy": "scratch", "extraction": None, "classifier": None, "network": NETWORK}
)


def test_a_saved_network_comes_back_with_its_moving_averages(tmp_path: Path) -> None:
    model = architectures.build(NETWORK, 3, seed=1)
    for number, weight in enumerate(model.non_trainable_weights):
        weight.assign(np.random.default_rng(number).uniform(0.5, 1.5, weight.shape))
    save(tmp_path / "model", model, FROM_SCRATCH)
    assert describe(tmp_path / "model") == FROM_SCRATCH
    images = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3)).astype(np.float32)
    np.testing.assert_array_equal(models.load_network(tmp_path / "model")(images), model(images))


@pytest.mark.parametrize(
    ("description", "size", "policy"), [(DESCRIPTION, 16, "float32"), (FROM_SCRATCH, 32, "float32")]
)
def test_what_a_model_sees_is_told_with_a_base_and_without(description: Description, size: int, policy: str) -> None:
    assert (description.image_size, description.policy) == (size, policy)
