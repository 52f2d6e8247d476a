"""Bases whose layers do not stand in one line, with random weights, at the least size of their images."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pytest

from headstart.base import base, graph, network, runtime
from headstart.base.bases import KINDS
from headstart.features.features import compile_forward
from headstart.foundation.errors import InputError
from headstart.foundation.framing import Framing
from headstart.images import images
from headstart.models import models
from headstart.pretrained import untrained
from tests.pictures import encode
from tests.policies import POLICIES

pytest_plugins = ["tests.pipeline_fixtures"]
pytestmark = pytest.mark.usefixtures("tensorflow")


class Expected(NamedTuple):
    """Where a base is cut: what is kept for fine-tuning, and how many layers stand in its last two blocks."""

    trunk: str
    blocks: tuple[int, int]


# One of every family. Those that take long are left to `-m slow`.
QUICK = ("resnet50", "efficientnet_lite0", "convnext_tiny")
BASES = {
    "vgg19": Expected("block4_pool", (5, 10)),
    "resnet50": Expected("conv4_block6_out", (32, 94)),
    "mobilenet_v2": Expected("block_12_add", (34, 96)),
    "efficientnet_lite0": Expected("block5c_add", (43, 95)),
    "efficientnet_v2_b0": Expected("block5e_add", (118, 234)),
    "xception": Expected("add_10", (15, 105)),
    "densenet121": Expected("pool4_pool", (114, 286)),
    "convnext_tiny": Expected("add_14", (23, 87)),
}


def each(quick: tuple[str, ...]) -> list[Any]:
    return [pytest.param(name, marks=() if name in quick else pytest.mark.slow) for name in BASES]


@pytest.fixture(scope="module", params=each(QUICK))
def built(request: pytest.FixtureRequest, tensorflow: None) -> Any:
    return base.build(request.param, untrained.weights(request.param), KINDS[request.param].least_size)


def prepared(model: Any, count: int = 3) -> Any:
    """Preprocessed pictures of large spots."""
    import tensorflow as tf

    spots = np.random.default_rng(1).uniform(0, 255, (count, 4, 4, 3)).astype(np.float32)
    return base.preprocess(model.name, tf.image.resize(spots, model.input_shape[1:3]))


def run(model: Any, values: Any, training: bool = False) -> npt.NDArray[np.float32]:
    return np.asarray(model(values, training=training))


def test_a_tiny_grey_image_passes(built: Any, tmp_path: Path) -> None:
    file = tmp_path / "grey.png"
    file.write_bytes(encode(np.random.default_rng(0).integers(0, 256, (28, 28), np.uint8), "PNG"))
    size = KINDS[built.name].least_size
    features = compile_forward(built, None, built.name, 1)(images.load(file, Framing(size))[None], None)["features"]
    assert features.shape == (1, *built.output_shape[1:])
    assert min(features.shape) >= 1
    assert np.isfinite(features).all()
    assert features.any(), "random weights must not let everything vanish"


def test_it_is_cut_before_its_last_block(built: Any) -> None:
    expected = BASES[built.name]
    assert base.trunk(built, "auto") == expected.trunk
    assert tuple(base.blocks(built)[:2]) == expected.blocks
    assert base.count_unfrozen(built, "last_block") == expected.blocks[0]
    assert base.blocks(built) == sorted(base.blocks(built))


def test_two_parts_are_the_whole(built: Any) -> None:
    values = prepared(built)
    whole = run(built, values)
    cuts = graph.cuts(built)
    for cut in (cuts[len(cuts) // 2], BASES[built.name].trunk):
        lower, upper = base.between(built, None, cut), base.between(built, cut, None)
        np.testing.assert_allclose(run(upper, run(lower, values)), whole, rtol=1e-4, atol=1e-6 * np.abs(whole).max())
        assert {id(weight) for weight in built.weights} == {id(weight) for weight in lower.weights + upper.weights}


def test_it_infers_even_while_it_trains(built: Any) -> None:
    """Neither batch statistics nor dropout, and its own statistics stay as they are."""
    values = prepared(built)
    built.trainable = True
    before = base.digests(built)
    np.testing.assert_array_equal(run(built, values, training=True), run(built, values))
    top = base.between(built, BASES[built.name].trunk, None)
    inner = run(base.between(built, None, BASES[built.name].trunk), values)
    np.testing.assert_array_equal(run(top, inner, training=True), run(top, inner))
    assert base.digests(built) == before
    built.trainable = False


@pytest.mark.parametrize("unfreeze", [4, "last_block"])
def test_exactly_the_last_layers_train(built: Any, unfreeze: int | str) -> None:
    import keras
    import tensorflow as tf

    pooling = keras.Sequential([keras.Input(built.output_shape[1:]), keras.layers.GlobalAveragePooling2D()])
    count = base.count_unfrozen(built, unfreeze)
    before = base.digests(built)
    weights = [weight.numpy() for weight in built.weights]
    model = models.join(built, pooling, count)
    values = run(base.between(built, None, base.cut_before(built, count)), prepared(built))
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model(tf.constant(values), training=True) ** 2)
    # As large a step for a vanishing gradient as for any.
    keras.optimizers.Adam(1e-3, epsilon=1e-30).apply(
        tape.gradient(loss, model.trainable_variables), model.trainable_variables
    )
    base.check_frozen(built, before)
    after = base.digests(built)
    changed = {name.partition("/")[0] for name in before if before[name] != after[name]}
    assert changed == {layer.name for layer in built.layers[-count:] if layer.weights}
    assert not [name for name in before if "moving" in name and before[name] != after[name]]
    for variable, values in zip(built.weights, weights, strict=True):
        variable.assign(values)
    built.trainable = False


def test_weights_come_back_by_their_names(built: Any) -> None:
    """Into another base, built when Keras had already counted many layers."""
    random = np.random.default_rng(0)
    tensors = {
        name: random.uniform(0.5, 1.5, variable.shape).astype(np.float32)
        for name, variable in network.variables(built).items()
    }
    again = base.build(built.name, tensors, built.input_shape[1])
    assert [operation.name for operation in again.operations] == [operation.name for operation in built.operations]
    assert list(network.variables(again)) == list(tensors)
    for name, variable in network.variables(again).items():
        np.testing.assert_array_equal(variable.value, tensors[name])


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("name", each(("efficientnet_lite0",)))
def test_features_are_the_same_bytes_again(name: str, policy: str) -> None:
    size = KINDS[name].least_size
    weights = untrained.weights(name)
    pixels = np.random.default_rng(0).integers(0, 256, (4, size, size, 3), np.uint8)
    runtime.set_policy(policy)
    found = []
    for _ in range(2):
        outputs = compile_forward(base.build(name, weights, size), BASES[name].trunk, name, 4)(pixels, None)
        found.append({kind: values.tobytes() for kind, values in outputs.items()})
    assert found[0] == found[1]


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("name", each(("efficientnet_lite0", "convnext_tiny")))
def test_how_many_images_come_at_once_makes_no_difference_to_features(name: str, policy: str) -> None:
    size = KINDS[name].least_size
    pixels = np.random.default_rng(0).integers(0, 256, (5, size, size, 3), np.uint8)
    runtime.set_policy(policy)
    forward = compile_forward(base.build(name, untrained.weights(name), size), BASES[name].trunk, name, 5)
    together = forward(pixels, None)
    for part in (slice(0, 1), slice(4, 5), slice(1, 4)):
        for kind, values in forward(pixels[part], None).items():
            np.testing.assert_array_equal(values, together[kind][part])


def test_a_layer_with_others_beside_it_is_no_trunk(built: Any) -> None:
    cuts = graph.cuts(built)
    beside = [layer.name for layer in built.layers if layer.name not in cuts]
    if not beside:
        assert built.name == "vgg19"
        return
    with pytest.raises(InputError) as caught:
        base.trunk(built, beside[-1])
    told = str(caught.value)
    assert told.startswith(f"params.yaml: extract_features.trunk: {beside[-1]} of {built.name} has other layers beside")
    near = told.rpartition("near it ")[2].split(", ")
    assert len(near) == 4
    assert set(near) <= set(cuts[1:])
    assert "\n" not in told


def test_a_base_that_can_only_be_cut_at_its_ends_keeps_nothing() -> None:
    nasnet = base.build("nasnet_mobile", {}, 32)
    assert base.trunk(nasnet, "auto") is None
    assert base.cut_before(nasnet, 0) == nasnet.layers[-1].name
    assert base.cut_before(nasnet, 30) == "stem_bn1"
