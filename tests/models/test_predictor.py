"""A predictor says of an image what evaluation said of it."""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from headstart.base import precision
from headstart.foundation import paths
from headstart.foundation.array_types import FloatArray
from headstart.images import images
from headstart.models import predictor
from headstart.models.description import Inference, describe
from headstart.models.strategies import STRATEGIES
from headstart.scoring import predictions, winner
from headstart.statistics import calibration
from tests.policies import needs_bfloat16

pytest_plugins = ["tests.pipeline_fixtures"]
# What the model says is the same to the last digit. The temperature that model.json keeps and the probabilities in
# metrics/<strategy>/predictions.csv are rounded, and whoever reads these makes their sum 1 again.
CLOSE = 2 * 10.0**-predictions.DECIMALS


def evaluated(name: str) -> tuple[NDArray[np.uint8], FloatArray]:
    """The test images as the model sees them, and the probabilities in metrics/<strategy>/predictions.csv."""
    said = predictions.read(paths.METRICS / name / "predictions.csv")
    framing = describe(paths.MODELS / name).framing
    return np.stack([images.load(paths.PREPARED / path, framing) for path in said.images]), said.probabilities


@pytest.mark.parametrize("name", STRATEGIES)
def test_probabilities_are_those_of_the_evaluation(pipeline: Path, name: str) -> None:
    pixels, expected = evaluated(name)
    found = predictor.load(*winner.find(name))(pixels)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, expected, rtol=0, atol=CLOSE)
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-12)


@pytest.mark.parametrize("name", ["scratch", "finetune"])
def test_the_winner_needs_nothing_but_its_folder(
    pipeline: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    pixels, expected = evaluated(name)
    winner.write(name, winner.find(name).inference)
    (tmp_path / "elsewhere" / "models").mkdir(parents=True)
    paths.WINNER.rename(tmp_path / "elsewhere" / "models" / "winner")
    monkeypatch.chdir(tmp_path / "elsewhere")
    model = predictor.load(*winner.find(None))
    assert model.classes == ("cat", "dog", "emu")
    np.testing.assert_allclose(model(pixels), expected, rtol=0, atol=CLOSE)


@pytest.mark.parametrize("name", ["scratch", "probe", "head", "finetune"])
def test_how_many_images_come_at_once_makes_no_difference(pipeline: Path, name: str) -> None:
    pixels, _ = evaluated(name)
    model = predictor.load(*winner.find(name))
    for size in (1, 3, model.batch_size, model.batch_size + 1):
        in_parts = np.concatenate([model(pixels[start : start + size]) for start in range(0, len(pixels), size)])
        np.testing.assert_array_equal(in_parts, model(pixels))


@pytest.mark.parametrize("name", ["scratch", "head"])
def test_with_flip_it_is_the_mean_over_the_image_and_its_mirror_image(pipeline: Path, name: str) -> None:
    pixels, _ = evaluated(name)
    folder, weights, inference = winner.find(name)
    raw = predictor.load(folder, weights, Inference(temperature=1.0, flip=False))
    flipping = predictor.load(folder, weights, Inference(temperature=inference.temperature, flip=True))
    mean = (raw(pixels) + raw(pixels[:, :, ::-1].copy())) / 2
    np.testing.assert_allclose(flipping(pixels), calibration.apply_temperature(mean, inference.temperature), atol=1e-12)


@pytest.mark.parametrize(
    ("flags", "policy"),
    [pytest.param({"amx_bf16"}, "mixed_bfloat16", marks=needs_bfloat16), (set(), "float32")],
    ids=["in hardware", "emulated"],
)
def test_a_precision_that_would_be_emulated_is_replaced(
    pipeline: Path, monkeypatch: pytest.MonkeyPatch, flags: set[str], policy: str
) -> None:
    """A model that was trained on another machine."""
    import keras

    winner.write("head", winner.find("head").inference)
    file = paths.WINNER / "model.json"
    elsewhere = json.loads(file.read_text(encoding="utf-8"))
    elsewhere["extraction"]["policy"] = "mixed_bfloat16"
    file.write_text(json.dumps(elsewhere), encoding="utf-8")
    monkeypatch.setattr(precision, "_cpu_flags", lambda: frozenset(flags))
    pixels, expected = evaluated("head")
    found = predictor.load(*winner.find(None))(pixels)
    assert keras.config.dtype_policy().name == policy
    np.testing.assert_allclose(found, expected, rtol=0, atol=CLOSE if policy == "float32" else 0.05)
