"""Heat maps of images of one's own: each image gets a file, which shows what its predicted class rests on."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from headstart.deploying import own_images
from headstart.drawing.overlay import overlay
from headstart.explaining import grad_cam
from headstart.foundation import paths
from headstart.foundation.errors import InputError
from headstart.foundation.framing import Fit
from headstart.images.fitting import onto_picture
from headstart.images.images import UnreadableImage
from headstart.models import models, predictor
from headstart.scoring import winner
from tests.pictures import encode, jpeg, pixels

pytest_plugins = ["tests.pipeline_fixtures"]


def test_every_file_has_a_picture_of_its_own_called_like_it() -> None:
    shown = ["a/1.jpg", "b/1.jpg", "b/1.png", "2.jpg", "-rf.jpg", "\U0001f431.jpg", "con.jpg", "2.jpg"]
    files = own_images.targets(Path("maps"), shown)
    assert len(set(files)) == len(files)
    assert all(file.parent == Path("maps") and file.suffix == ".jpg" and file.name.isascii() for file in files)
    assert own_images.targets(Path("maps"), ["a/1.jpg", "notes.txt"]) == [Path("maps/1.jpg"), Path("maps/notes.jpg")]


@pytest.mark.parametrize(
    ("size", "expected"), [((24, 32), (24, 32)), ((600, 300), (512, 256)), ((300, 1200), (128, 512))]
)
def test_pictures_keep_their_shape_and_are_of_a_screens_size(size: tuple[int, int], expected: tuple[int, int]) -> None:
    assert own_images.picture(encode(pixels(1, *size))).shape == (*expected, 3)


def test_what_is_no_image_has_no_picture() -> None:
    with pytest.raises(UnreadableImage, match="truncated JPEG"):
        own_images.picture(jpeg(1)[:300])


@pytest.mark.parametrize("fit", ["stretch", "crop", "pad"])
def test_a_heat_map_is_that_of_the_class_on_the_picture(pipeline: Path, fit: Fit) -> None:
    model = predictor.load(*winner.find("finetune"))
    description = model.assembled.description
    assert description.extraction
    fitted = description.model_copy(update={"extraction": description.extraction.model_copy(update={"fit": fit})})
    own_images.check(model.assembled, Path("maps"))
    size = model.framing.size
    squares = np.stack([pixels(number, size, size) for number in range(3)])
    pictures = [pixels(number, 60, 90) for number in range(3)]
    classes = np.array([0, 2, 1])
    files = own_images.targets(Path("maps"), ["1.png", "2.png", "3.png"])
    own_images.draw(model.assembled._replace(description=fitted), squares, classes, pictures, files)
    assert model.assembled.whole
    classifier = models.classifier_of(model.assembled.model)
    heat = grad_cam.heat_maps(model.assembled.whole, classifier, squares, classes[:, None])[:, 0]
    for picture, of_picture, file in zip(pictures, heat, files, strict=True):
        found = np.asarray(Image.open(io.BytesIO(file.read_bytes())), np.float64)
        assert found.shape == (60, 90, 3)
        assert np.abs(found - overlay(picture, onto_picture(of_picture, 60, 90, fit))).mean() < 4, (
            "but for what JPEG loses"
        )
    assert sorted(Path("maps").iterdir()) == sorted(files)


def test_what_has_no_heat_maps_is_told(pipeline: Path) -> None:
    without, on_a_base = (predictor.assemble(*winner.find(name)[:2]) for name in ("scratch", "head"))
    with pytest.raises(InputError, match=r"^--heat-maps: scratch has no pretrained base: choose another --str"):
        own_images.check(without, Path("maps"))
    with pytest.raises(InputError, match=r"^--heat-maps: params.yaml: a file, expected a folder: name another one$"):
        own_images.check(on_a_base, Path("params.yaml"))
    own_images.check(on_a_base, paths.DATA)
