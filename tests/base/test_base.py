"""VGG16 is VGG16 to the letter: its layers, its weights, its preprocessing, where it is cut.

The other bases have a module of their own, test_other_bases.
"""

from typing import Any

import numpy as np
import pytest

from headstart.base import base, runtime
from headstart.foundation.errors import InputError
from headstart.pretrained import untrained
from tests.pipeline import small_base

pytest_plugins = ["tests.pipeline_fixtures"]
pytestmark = pytest.mark.usefixtures("tensorflow")

# The layer whose output is the last that stays as it is, by the number of layers that train.
CUTS = {
    0: "block5_pool",
    1: "block5_pool",  # pooling has nothing to train
    2: "block5_conv2",
    3: "block5_conv1",
    4: "block4_pool",
    5: "block4_pool",
    6: "block4_conv2",
    7: "block4_conv1",
    8: "block3_pool",
    9: "block3_pool",
    10: "block3_conv2",
    11: "block3_conv1",
    12: "block2_pool",
    13: "block2_pool",
    14: "block2_conv1",
    15: "block1_pool",
    16: "block1_pool",
    17: "block1_conv1",
}


@pytest.fixture(scope="module")
def weights() -> dict[str, Any]:
    """Weights of every layer, biases among them, none of them alike."""
    random = np.random.default_rng(0)
    drawn = untrained.weights("vgg16")
    return {name: values + random.normal(0, 1e-3, values.shape).astype(np.float32) for name, values in drawn.items()}


@pytest.fixture(scope="module")
def vgg16(tensorflow: None, weights: dict[str, Any]) -> Any:
    return base.build("vgg16", weights, 64)


def pixels(count: int = 3, size: int = 64) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.random.default_rng(1).integers(0, 256, (count, size, size, 3), np.uint8)


@pytest.mark.parametrize("size", [32, 64, 180])
def test_feature_maps_have_a_32nd_of_the_side(size: int) -> None:
    assert base.build("vgg16", {}, size).output_shape == (None, size // 32, size // 32, 512)


def test_every_weight_is_in_its_place(vgg16: Any, weights: dict[str, Any]) -> None:
    found = {f"{layer.name}/{weight.name}": weight.value.numpy() for layer in vgg16.layers for weight in layer.weights}
    assert list(found) == list(weights)
    for name, values in found.items():
        np.testing.assert_array_equal(values, weights[name])


def test_it_is_frozen(vgg16: Any) -> None:
    assert vgg16.trainable_weights == []
    assert len(vgg16.non_trainable_weights) == 26


def test_half_a_set_of_weights_is_refused(weights: dict[str, Any]) -> None:
    less = {name: values for name, values in weights.items() if name != "block5_conv3/bias"}
    with pytest.raises(KeyError, match="block5_conv3/bias"):
        base.build("vgg16", less, 32)


def test_bfloat16_computes_in_it_and_keeps_its_weights_in_float32() -> None:
    runtime.set_policy("mixed_bfloat16")
    model = base.build("vgg16", {}, 32)
    assert {layer.compute_dtype for layer in model.layers[1:]} == {"bfloat16"}
    assert {weight.dtype for weight in model.weights} == {"float32"}
    assert model.output.dtype == "bfloat16"


@pytest.mark.parametrize("compiled", [False, True])
def test_preprocessing_is_that_of_keras(compiled: bool) -> None:
    import keras
    import tensorflow as tf

    images = pixels()
    preprocess = tf.function(base.preprocess) if compiled else base.preprocess
    expected = keras.applications.vgg16.preprocess_input(images.astype(np.float32))
    found = preprocess("vgg16", tf.constant(images))
    assert found.dtype == tf.float32
    np.testing.assert_array_equal(found, expected)


def test_the_cut_stands_below_all_that_trains(vgg16: Any) -> None:
    assert {unfreeze: base.cut_before(vgg16, unfreeze) for unfreeze in CUTS} == CUTS
    assert base.cut_before(vgg16, 18) == vgg16.layers[0].name


@pytest.mark.parametrize("unfreeze", range(19))
def test_no_weight_stands_between_cut_and_unfrozen_layers(vgg16: Any, unfreeze: int) -> None:
    names = [layer.name for layer in vgg16.layers]
    cut = names.index(base.cut_before(vgg16, unfreeze))
    unfrozen = len(names) - unfreeze
    weighted = [number for number, layer in enumerate(vgg16.layers) if layer.weights and number >= unfrozen]
    assert cut == (min(weighted) - 1 if weighted else len(names) - 1)


@pytest.mark.parametrize("unfreeze", [19, 1000])
def test_more_layers_than_there_are_cannot_train(vgg16: Any, unfreeze: int) -> None:
    message = rf"^params\.yaml: finetune\.unfreeze: found {unfreeze}, but vgg16 has 18 layers: choose 0 to 18$"
    with pytest.raises(InputError, match=message):
        base.cut_before(vgg16, unfreeze)


@pytest.mark.parametrize("cut", ["block1_conv1", "block3_pool", "block4_pool", "block5_pool"])
def test_two_parts_are_the_whole(vgg16: Any, cut: str) -> None:
    images = base.preprocess("vgg16", pixels())
    lower, upper = base.between(vgg16, None, cut), base.between(vgg16, cut, None)
    np.testing.assert_allclose(upper(lower(images)), vgg16(images), rtol=1e-5, atol=1e-5)
    assert lower.output_shape == vgg16.get_layer(cut).output.shape == upper.input_shape


def test_a_part_shares_the_weights() -> None:
    whole = small_base()
    part = base.between(whole, "pool1", "conv3")
    assert [layer.name for layer in part.layers[1:]] == ["conv2", "conv3"]
    assert part.get_layer("conv2") is whole.get_layer("conv2")


def test_a_part_may_be_nothing(vgg16: Any) -> None:
    nothing = base.between(vgg16, None, vgg16.layers[0].name)
    values = base.preprocess("vgg16", pixels())
    np.testing.assert_array_equal(nothing(values), values)


@pytest.mark.parametrize(("name", "count"), [("block5_pool", 1), ("block5_conv1", 4), ("block1_conv1", 18)])
def test_a_layers_name_stands_for_it_and_all_after_it(vgg16: Any, name: str, count: int) -> None:
    assert base.count_unfrozen(vgg16, name) == count == base.count_unfrozen(vgg16, count)
    assert base.cut_before(vgg16, name) == base.cut_before(vgg16, count)


@pytest.mark.parametrize("name", ["block5_con1", "input_layer"])
def test_a_first_layer_to_unfreeze_that_there_is_not(vgg16: Any, name: str) -> None:
    with pytest.raises(
        InputError, match=rf"^params\.yaml: finetune\.unfreeze: vgg16 has no layer '{name}'; nearest: bl"
    ):
        base.count_unfrozen(vgg16, name)


def test_blocks_begin_where_maps_get_smaller(vgg16: Any) -> None:
    assert base.blocks(vgg16) == [4, 8, 12, 15, 18]


def test_what_is_kept_for_fine_tuning(vgg16: Any) -> None:
    assert base.trunk(vgg16, "none") is None
    assert base.trunk(vgg16, "auto") == "block4_pool"
    assert base.trunk(vgg16, "block3_conv2") == "block3_conv2"


@pytest.mark.parametrize("name", ["block6_pool", "input_layer"])
def test_a_trunk_that_is_no_layer(vgg16: Any, name: str) -> None:
    message = rf"^params\.yaml: extract_features\.trunk: vgg16 has no layer '{name}'; nearest: (\w+, )*block\w+$"
    with pytest.raises(InputError, match=message):
        base.trunk(vgg16, name)


def changed(model: Any, *names: str) -> None:
    for name in names:
        bias = model.get_layer(name).bias
        bias.assign(bias + 1e-6)


def test_digests_tell_what_changed() -> None:
    model = small_base()
    before = base.digests(model)
    assert list(before) == [f"conv{number}/{variable}" for number in (1, 2, 3) for variable in ("kernel", "bias")]
    changed(model, "conv2")
    after = base.digests(model)
    assert [name for name in before if before[name] != after[name]] == ["conv2/bias"]


def test_training_must_change_what_is_unfrozen_and_nothing_else() -> None:
    model = small_base()
    model.get_layer("conv3").trainable = True
    before = base.digests(model)
    message = r"^params\.yaml: finetune\.learning_rate: too low to change conv3 of small: raise it$"
    with pytest.raises(InputError, match=message):
        base.check_frozen(model, before)
    changed(model, "conv3")
    base.check_frozen(model, before)
    changed(model, "conv1")
    with pytest.raises(RuntimeError, match=r"^small: conv1/bias is frozen but changed$"):
        base.check_frozen(model, before)
