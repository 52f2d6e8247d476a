"""The exported networks compute what the pipeline computes, whatever model they are made of."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

from headstart.base import base
from headstart.base.bases import KINDS
from headstart.base.extraction import Extraction
from headstart.base.origin import Origin
from headstart.deploying import network, onnx_file
from headstart.foundation.framing import Fit, Framing
from headstart.images import images
from headstart.models import architectures, classifier, models
from headstart.models.architectures import Network
from headstart.models.description import Description, Inference
from headstart.models.predictor import Assembled, Predictor
from headstart.pretrained import untrained
from headstart.settings import params
from tests.pictures import encode, pixels
from tests.pipeline import ROOT, small_base

pytest_plugins = ["tests.pipeline_fixtures"]
pytestmark = pytest.mark.usefixtures("tensorflow")

SIZE = 16
HEAD = params.load(ROOT / "presets" / "quick.yaml").train_head
SQUARES = np.stack([pixels(number, SIZE, SIZE) for number in range(5)])
# Between float32 throughout and the float16 that predictions are made from.
CLOSE = 2e-4


def assembled(classes: int, unfreeze: int, scaling: str = "log") -> Assembled:
    """A model on the small base, its logits spread as those of a trained one."""
    description = Description(
        strategy="finetune",
        extraction=Extraction(
            origin=Origin(base="vgg16", weights="imagenet"),
            image_size=SIZE,
            batch_size=4,
            fit="stretch",
            white_level=65535,
            policy="float32",
            blocks=[2],
            feature_rms=30.0,
            versions={},
        ),
        classifier=HEAD.model_copy(update={"units": 4, "scaling": scaling}),
        network=None,
        classes=[f"class {number}" for number in range(classes)],
        unfreeze=unfreeze,
        trained_parameters=1,
        epochs=1,
        best_epoch=1,
        versions={},
    )
    whole = small_base(SIZE)
    assert description.classifier
    head = classifier.build(description.classifier, whole.output_shape[1:], 30.0, classes, seed=1)
    return Assembled(description, whole, models.join(whole, head, unfreeze))


def scratch(classes: int, channels: int) -> Assembled:
    """A network without a base."""
    described = Network(
        architecture="vgg_small",
        image_size=SIZE,
        fit="stretch",
        white_level=65535,
        channels=channels,
        dropout=0.5,
        policy="float32",
    )
    description = assembled(classes, 0).description.model_copy(
        update={"extraction": None, "classifier": None, "network": described}
    )
    return Assembled(description, None, architectures.build(described, classes, seed=1))


def run_onnx(model: onnx.ModelProto, images: Any) -> Any:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    (found,) = session.run(["probabilities"], {"pixels": images})
    return found


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize(
    ("classes", "unfreeze", "scaling"), [(2, 0, "log"), (3, 3, "log"), (3, 5, "none"), (2, 5, "linear")]
)
def test_both_networks_give_the_probabilities_of_the_predictor(
    classes: int, unfreeze: int, scaling: str, flip: bool
) -> None:
    # Features that are not scaled make logits of hundreds.
    inference = Inference(temperature=200.0 if scaling == "none" else 0.7, flip=flip)
    parts = assembled(classes, unfreeze, scaling)
    expected = Predictor(parts, inference)(SQUARES)
    assert expected.max() < 1 - 1e-4, "no answer is so sure that all networks would give it"
    square = network.square_to_probabilities(parts, inference)
    whole = network.pixels_to_probabilities(square, "stretch")
    np.testing.assert_allclose(whole(SQUARES), expected, rtol=0, atol=CLOSE)
    converted = onnx_file.convert(square, "stretch", {})
    np.testing.assert_allclose(run_onnx(converted, SQUARES), whole(SQUARES), rtol=0, atol=1e-5)


@pytest.mark.parametrize(("channels", "classes"), [(3, 2), (1, 3)])
def test_a_network_without_a_base_is_exported_too(channels: int, classes: int) -> None:
    parts = scratch(classes, channels)
    inference = Inference(temperature=0.5, flip=True)
    expected = Predictor(parts, inference)(SQUARES)
    square = network.square_to_probabilities(parts, inference)
    np.testing.assert_allclose(network.pixels_to_probabilities(square, "stretch")(SQUARES), expected, rtol=0, atol=1e-5)
    np.testing.assert_allclose(run_onnx(onnx_file.convert(square, "stretch", {}), SQUARES), expected, rtol=0, atol=1e-5)


def resized(images: Any, fit: Fit) -> tuple[Any, Any]:
    """What the Keras and the ONNX network make of images before they enter the base: their own mean, as it were."""
    import keras

    square = keras.Input((SIZE, SIZE, 3), name="square")
    identity = keras.Model(square, keras.layers.Reshape((SIZE * SIZE * 3,))(square))
    converted = onnx_file.convert(identity, fit, {})
    as_keras = network.pixels_to_probabilities(identity, fit)(images)
    return [np.reshape(found, (-1, SIZE, SIZE, 3)) for found in (as_keras, run_onnx(converted, images))]  # type: ignore[return-value]


@pytest.mark.parametrize(("height", "width"), [(16, 16), (24, 32), (300, 200), (7, 5), (1, 40), (500, 16)])
@pytest.mark.parametrize("fit", ["stretch", "crop", "pad"])
def test_images_of_any_size_are_fitted_as_the_pipeline_does(fit: Fit, height: int, width: int) -> None:
    noise = np.random.default_rng(0).integers(-40, 41, (height, width, 3))
    image = np.clip(pixels(3, height, width) + noise, 0, 255).astype(np.uint8)
    expected = images.square(encode(image, "PNG"), Framing(SIZE, fit)).astype(np.float32)
    as_keras, as_onnx = resized(image[np.newaxis], fit)
    # Of a padded picture the pipeline resizes the longer side first, and so rounds in another order.
    for found, share in ((as_keras, 0.25), (as_onnx, 0.25 if fit == "pad" else 0.05)):
        assert np.abs(found[0] - expected).max() <= 1
        assert (found[0] != expected).mean() <= share


def test_keras_takes_numbers_of_either_kind() -> None:
    whole = network.pixels_to_probabilities(
        network.square_to_probabilities(assembled(3, 3), Inference(temperature=1.0, flip=False)), "stretch"
    )
    np.testing.assert_array_equal(whole(SQUARES), whole(SQUARES.astype(np.float32)))


def test_an_onnx_file_is_the_same_bytes_and_its_names_tell_the_layers() -> None:
    """tf2onnx by itself numbers and orders its nodes otherwise at each call."""
    import keras

    found = []
    for _ in range(3):
        keras.utils.clear_session()
        square = network.square_to_probabilities(assembled(3, 3), Inference(temperature=1.0, flip=True))
        found.append(onnx_file.convert(square, "stretch", {"classes": '["a", "b", "c"]'}))
    assert found[0].SerializeToString() == found[1].SerializeToString() == found[2].SerializeToString()
    names = [node.name for node in found[0].graph.node]
    assert len(set(names)) == len(names)
    assert any("conv1" in name for name in names)
    assert [(prop.key, prop.value) for prop in found[0].metadata_props] == [("classes", '["a", "b", "c"]')]


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("parts", [partial(assembled, 2, 3), partial(scratch, 3, channels=1)], ids=["base", "none"])
def test_a_keras_file_comes_back_in_safe_mode(tmp_path: Path, parts: Callable[[], Assembled], flip: bool) -> None:
    import keras

    square = network.square_to_probabilities(parts(), Inference(temperature=2.0, flip=flip))
    whole = network.pixels_to_probabilities(square, "stretch")
    whole.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_array_equal(again(SQUARES), whole(SQUARES))


@pytest.mark.slow
def test_a_base_of_depthwise_convolutions_becomes_onnx() -> None:
    """With its preprocessing, normalisations and activations that end at 6."""
    size, name = 32, "efficientnet_lite0"
    whole = base.build(name, untrained.weights(name), size)
    description = assembled(2, 0).description
    assert description.extraction
    assert description.classifier
    extraction = description.extraction.model_copy(
        update={"origin": Origin(base=name, weights="random"), "image_size": size}
    )
    head = classifier.build(description.classifier, whole.output_shape[1:], 1.0, 2, seed=1)
    parts = Assembled(
        description.model_copy(update={"extraction": extraction, "unfreeze": 43}), whole, models.join(whole, head, 43)
    )
    inference = Inference(temperature=1.0, flip=True)
    square = network.square_to_probabilities(parts, inference)
    images = np.stack([pixels(number, size, size) for number in range(3)])
    found = run_onnx(onnx_file.convert(square, "stretch", {}), images)
    np.testing.assert_allclose(found, Predictor(parts, inference)(images), rtol=0, atol=CLOSE)


# One base of each of the modules that preprocessing comes from.
@pytest.mark.parametrize("name", {kind.module: name for name, kind in KINDS.items()}.values())
def test_preprocessing_is_the_base_s_own(name: str) -> None:
    values = np.random.default_rng(0).integers(0, 256, (2, 4, 4, 3)).astype(np.float32)
    np.testing.assert_allclose(network._preprocessing(name)(values), base.preprocess(name, values), rtol=0, atol=1e-4)
