"""The exported files give the pipeline's own probabilities, without the project."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from PIL import Image

from headstart.foundation import paths
from headstart.images import images
from headstart.models import predictor
from headstart.scoring import winner
from tests.command import PROJECT, headstart, make_project
from tests.pictures import fill, pixels
from tests.pipeline import CLASSES, IMAGE_SIZE, SMALL, Finished

pytest_plugins = ["tests.pipeline_fixtures"]

STRATEGY = "finetune"
# Runs in a folder where there is no project, and sees no other.
ELSEWHERE = """
import sys
import keras, numpy
model = keras.saving.load_model("model.keras", safe_mode=True)
images = numpy.load("images.npz")
numpy.savez("found.npz", **{name: model(images[name]) for name in images.files})
assert not [name for name in sys.modules if name.startswith(("stages", "headstart"))]
"""


@pytest.fixture(scope="module")
def exported(finished: Finished, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fine-tuned model, exported by the command in a process of its own."""
    folder = tmp_path_factory.mktemp("exported")
    project = tmp_path_factory.mktemp("run") / "project"
    shutil.copytree(finished.folder, project, copy_function=os.link)
    done = headstart(
        fill(project, PROJECT) / "models",
        "export",
        "--strategy",
        STRATEGY,
        "--output",
        str(folder),
        PYTHONWARNINGS="error::DeprecationWarning:headstart",
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert done.stdout.splitlines() == [f"{folder}/model.{kind}" for kind in ("keras", "onnx", "json")]
    assert sorted(path.name for path in folder.iterdir()) == ["model.json", "model.keras", "model.onnx"]
    return folder


def pictures() -> dict[str, np.ndarray]:
    """Images of the size that the model sees, and of others."""
    sizes = {"square": (IMAGE_SIZE, IMAGE_SIZE), "large": (150, 100), "small": (20, 31)}
    return {name: np.stack([pixels(number, *size) for number in range(3)]) for name, size in sizes.items()}


def expected(finished: Finished) -> dict[str, np.ndarray]:
    """The pipeline's own probabilities."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(finished.folder)
        model = predictor.load(*winner.find(STRATEGY))

    def resized(image: images.Pixels) -> images.Pixels:
        return np.asarray(Image.fromarray(image).resize((IMAGE_SIZE, IMAGE_SIZE), Image.Resampling.BILINEAR))

    return {name: model(np.stack([resized(image) for image in stack])) for name, stack in pictures().items()}


def test_keras_gives_the_same_probabilities_in_a_process_that_knows_nothing_of_the_project(
    finished: Finished, exported: Path, tmp_path: Path
) -> None:
    (tmp_path / "model.keras").symlink_to(exported / "model.keras")
    np.savez(tmp_path / "images.npz", **pictures())  # type: ignore[arg-type]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    subprocess.run([sys.executable, "-I", "-c", ELSEWHERE], cwd=tmp_path, env=environment, check=True)
    found = np.load(tmp_path / "found.npz")
    for name, probabilities in expected(finished).items():
        np.testing.assert_allclose(found[name], probabilities, rtol=0, atol=1e-3 if name == "square" else 0.02)


def test_onnx_gives_the_same_probabilities(finished: Finished, exported: Path) -> None:
    session = onnxruntime.InferenceSession(exported / "model.onnx", providers=["CPUExecutionProvider"])
    for name, probabilities in expected(finished).items():
        (found,) = session.run(["probabilities"], {"pixels": pictures()[name]})
        np.testing.assert_allclose(found, probabilities, rtol=0, atol=1e-3 if name == "square" else 0.01)
    (given,), (answered,) = session.get_inputs(), session.get_outputs()
    assert (given.type, given.shape) == ("tensor(uint8)", ["n", "height", "width", 3])
    assert (answered.type, answered.shape) == ("tensor(float)", ["n", len(CLASSES)])


def test_the_classes_stand_beside_and_in_the_files(finished: Finished, exported: Path) -> None:
    facts = json.loads((exported / "model.json").read_text(encoding="utf-8"))
    metrics = json.loads((finished.folder / paths.EVALUATION).read_text(encoding="utf-8"))
    assert facts == {
        "classes": list(CLASSES),
        "strategy": STRATEGY,
        "base": "vgg16",
        "base_weights": "random weights",
        "image_size": IMAGE_SIZE,
        "fit": "stretch",
        "temperature": metrics[STRATEGY]["temperature"],
        "flip": SMALL["test_time_flip"],
        "decision": None,
    }
    held = {prop.key: json.loads(prop.value) for prop in onnx.load(exported / "model.onnx").metadata_props}
    assert held == facts


def test_what_can_not_be_done_is_told(tmp_path: Path) -> None:
    project = make_project(tmp_path)
    done = headstart(project, "export")
    line = "error: models/winner: no model there: run `dvc repro`, or `dvc pull models/winner`\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", line)
    (project / "a file").touch()
    done = headstart(project, "export", "--output", "a file")
    line = "error: --output: a file: a file, expected a folder: name another one\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", line)
