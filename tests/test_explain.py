"""The stage shows what is asked for, of every strategy, and changes no number."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from headstart.base import base, weights
from headstart.explaining import grad_cam
from headstart.foundation import paths
from headstart.foundation.errors import InputError
from headstart.foundation.framing import Framing
from headstart.images import images, manifest
from headstart.models import models
from headstart.models.description import describe
from headstart.models.strategies import TRANSFER
from headstart.scoring import predictions
from headstart.scoring.predictions import Predictions
from stages import explain
from tests.pipeline import CLASSES, IMAGE_SIZE, Finished, outputs, run, write_params

pytest_plugins = ["tests.pipeline_fixtures"]

SHEETS = ("activations", "filters", *(f"grad_cam_{name}" for name in TRANSFER))


def record() -> dict[str, Any]:
    return dict(json.loads((paths.EXPLANATION / "page" / "explanation.json").read_text(encoding="utf-8")))


def test_every_sheet_is_a_picture(finished: Finished) -> None:
    for name in SHEETS:
        with Image.open(finished.folder / paths.EXPLANATION / f"{name}.png") as image:
            assert min(image.size) > 100
            assert np.asarray(image.convert("RGB")).std() > 20


def test_two_runs_give_the_same_bytes_and_no_number_changes(pipeline: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pictures, numbers = outputs("plots/explain"), outputs("metrics", "models")
    run("explain")
    assert outputs("plots/explain") == pictures
    assert outputs("metrics", "models") == numbers
    printed = capsys.readouterr().out
    assert printed.endswith("The pictures: plots/explain, or `dvc plots show`\n")


def test_the_layers_and_filters_are_those_asked_for(pipeline: Path) -> None:
    left = record()
    assert [panel["layer"] for panel in left["filters"]] == ["block1_conv2", "block3_conv1"]
    assert [panel["shown"] for panel in left["filters"]] == [2, 2]
    assert left["layers"] == len(left["activations"]) == 17, "the last pooling leaves one position of 48 pixels"
    assert {panel["shown"] for panel in left["activations"]} == {3}


@pytest.mark.parametrize("name", TRANSFER)
def test_answers_are_those_of_the_predictions(pipeline: Path, name: str) -> None:
    drawn = predictions.read(paths.METRICS / name / "predictions.csv")
    answers = {answer["path"]: answer for answer in record()["answers"][name]}
    wrong = drawn.labels != drawn.predicted
    assert len(answers) == min(2, int(wrong.sum())) + min(2, int((~wrong).sum()))
    for path, answer in answers.items():
        place = drawn.images.index(path)
        said, actual = drawn.classes[drawn.predicted[place]], drawn.classes[drawn.labels[place]]
        assert (answer["predicted"], answer["actual"]) == (said, actual)
        assert answer["probability"] == pytest.approx(drawn.probabilities[place].max(), rel=1e-8)
        assert [one["of_class"] for one in answer["maps"]] == list(dict.fromkeys([said, actual]))


@pytest.mark.parametrize("unfreeze", [0, 4, 8])
def test_it_explains_whatever_was_unfrozen(pipeline: Path, unfreeze: int) -> None:
    """The network that is explained is the one that was trained, whichever of its layers were."""
    if unfreeze != describe(paths.MODELS / "finetune").unfreeze:
        write_params(finetune__unfreeze=unfreeze, finetune__epochs=1, finetune__learning_rate=1e-3)
        run("finetune")
    frame = manifest.read(paths.MANIFEST)
    files = list(frame.loc[frame["split"] == "test", "path"])[::4]
    pixels = np.stack([images.load(paths.PREPARED / path, Framing(IMAGE_SIZE)) for path in files])
    whole, classifier = explain.Networks().of("finetune")
    heat = grad_cam.heat_maps(whole, classifier, pixels, np.tile(np.arange(len(CLASSES)), (len(files), 1)))
    assert heat.shape == (len(files), len(CLASSES), 3, 3)
    assert heat.max() == 1
    own = base.build("vgg16", weights.load(paths.WEIGHTS), IMAGE_SIZE)
    lower = base.between(own, None, base.cut_before(own, unfreeze))
    trained = models.load(paths.MODELS / "finetune", own)
    expected = trained(lower(base.preprocess("vgg16", pixels)))
    np.testing.assert_allclose(classifier(whole(base.preprocess("vgg16", pixels))), expected, rtol=1e-4, atol=1e-5)


def rename(path: Path, names: dict[str, str]) -> None:
    """Give the classes other names in a file of predictions."""
    old = predictions.read(path)
    classes = tuple(names[name] for name in old.classes)
    path.unlink()
    predictions.write(path, Predictions(old.images, classes, old.labels, old.probabilities))


def test_other_heads_images_layers_and_names(pipeline: Path) -> None:
    """Average pooling, an image of one's own choice, the layers that `auto` takes, and any name of a class."""
    names = dict(zip(CLASSES, ("=cmd()", "猫🐱 <b>$\\frac{1}{0}$\n", "x" * 500), strict=True))
    for name in TRANSFER:
        rename(paths.METRICS / name / "predictions.csv", names)
    path = manifest.read(paths.MANIFEST)["path"][0]
    write_params(train_head__pooling="average", explain__image=path, explain__layers="auto")
    run("train_head", "explain")
    left = record()
    assert left["image"] == path
    assert [panel["layer"] for panel in left["filters"]] == [f"block{block}_conv1" for block in range(1, 6)]
    shown = {one["of_class"] for answers in left["answers"].values() for each in answers for one in each["maps"]}
    assert shown <= set(names.values())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"explain__image": "test/none.png"}, "explain.image: found 'test/none.png', expected auto or a path in"),
        ({"explain__layers": ["pool"]}, "explain.layers: vgg16 has no convolution 'pool'; it has block1_conv1, "),
        ({"explain__layers": []}, r"explain.layers: found \[\], expected auto or a list of layer names"),
        ({"explain__layers": "block1_conv1"}, "explain.layers: found 'block1_conv1', expected auto or a list"),
    ],
)
def test_a_wrong_parameter_is_named_and_leaves_everything(
    pipeline: Path, changes: dict[str, Any], message: str
) -> None:
    before = outputs("plots/explain")
    write_params(**changes)
    with pytest.raises(InputError, match=message):
        run("explain")
    assert outputs("plots/explain") == before


def test_without_predictions_it_says_what_to_do(pipeline: Path) -> None:
    (paths.METRICS / "head" / "predictions.csv").unlink()
    with pytest.raises(InputError, match=r"metrics/head/predictions.csv: no such file: run `dvc repro`"):
        run("explain")
