"""The table of bases says what the installed Keras says, and Keras has no base that is not in it."""

import inspect
import re
import sys
from typing import Any

import numpy as np
import pytest

from headstart.base import base, bases
from headstart.base.bases import KINDS
from headstart.foundation.errors import InputError
from tests.pipeline import ROOT

pytest_plugins = ["tests.pipeline_fixtures"]
pytestmark = pytest.mark.usefixtures("tensorflow")

# Those that Keras has.
OF_KERAS = [name for name, kind in KINDS.items() if kind.constructor]
# Of these Keras's code tells no usual size before it has built them.
SILENT = {"mobilenet_v3_small", "mobilenet_v3_large"}


def constructor(name: str) -> Any:
    import keras

    return getattr(keras.applications, str(KINDS[name].constructor))


def refusal(name: str, **arguments: Any) -> str:
    """What Keras says to arguments that it does not build a base with."""
    with pytest.raises(ValueError, match="input_shape") as caught:
        constructor(name)(**arguments)
    return str(caught.value)


def test_every_image_classifier_of_keras_is_there() -> None:
    import keras

    classifiers = {
        name
        for name, entry in vars(keras.applications).items()
        if inspect.isfunction(entry) and "include_top" in inspect.signature(entry).parameters
    }
    assert {KINDS[name].constructor for name in OF_KERAS} == classifiers


@pytest.mark.parametrize("name", OF_KERAS)
def test_names_are_the_constructors_in_snake_case(name: str) -> None:
    assert name.replace("_", "") == str(KINDS[name].constructor).lower()
    assert re.fullmatch(r"[a-z]+[0-9]*(_[a-z]+)*(_v[0-9])?(_[a-z]+|_b[0-9])?", name)


@pytest.mark.parametrize("name", OF_KERAS)
def test_images_may_have_the_least_size_and_no_less(name: str) -> None:
    least = KINDS[name].least_size
    message = refusal(name, weights=None, include_top=False, input_shape=(least - 1, least - 1, 3))
    assert f"at least {least}x{least};" in message


@pytest.mark.parametrize("name", sorted(set(OF_KERAS) - SILENT))
def test_the_usual_size_is_keras_own(name: str) -> None:
    usual = KINDS[name].usual_size
    message = refusal(name, weights="imagenet", include_top=True, input_shape=(33, 33, 3))
    assert f"({usual}, {usual}, 3)" in message


@pytest.mark.parametrize("name", OF_KERAS)
def test_the_preprocessing_is_that_of_the_constructors_module(name: str) -> None:
    import keras

    public = getattr(keras.applications, KINDS[name].module).preprocess_input
    assert public is sys.modules[constructor(name).__module__].preprocess_input


@pytest.mark.parametrize("name", OF_KERAS)
def test_images_are_preprocessed_as_keras_does(name: str) -> None:
    import keras

    pixels = np.random.default_rng(0).integers(0, 256, (2, 5, 4, 3), np.uint8)
    expected = getattr(keras.applications, KINDS[name].module).preprocess_input(pixels.astype(np.float32))
    found = base.preprocess(name, pixels)
    assert found.dtype == "float32"
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)
    holds_it_inside = "include_preprocessing" in inspect.signature(constructor(name)).parameters
    assert not holds_it_inside or np.array_equal(found, pixels)


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("vgg61", "vgg16"),
        ("ResNet50V2", "resnet50_v2"),
        ("efficientnetv2-b0", "efficientnet_v2_b0"),
        ("mobilenet_v4", "mobilenet_v2"),
    ],
)
def test_a_wrong_name_is_told_the_nearest(name: str, nearest: str) -> None:
    with pytest.raises(ValueError, match=rf"^a base of docs/bases\.md; nearest: .*\b{nearest}\b"):
        bases.known(name)
    assert bases.known(nearest) == nearest


def test_images_that_are_too_small() -> None:
    bases.check_size("xception", 71, "--size")
    message = r"^--size: found 70, but xception takes images of 71 pixels or more: choose 71 to 1024$"
    with pytest.raises(InputError, match=message):
        bases.check_size("xception", 70, "--size")


def test_the_page_lists_every_base() -> None:
    page = (ROOT / "docs" / "bases.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z0-9_]+)` \| [\d.]+ M \|", page, re.MULTILINE)
    assert rows == list(KINDS)
