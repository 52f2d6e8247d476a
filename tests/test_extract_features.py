"""The stage leaves the base's outputs, whole, the same in every run, and never augments what is judged by."""

import hashlib
import json
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import yaml

from headstart.base import base, weights
from headstart.features import features
from headstart.foundation import code, paths, versions
from headstart.foundation.errors import InputError
from headstart.foundation.framing import Framing
from headstart.images import images, manifest
from stages import extract_features
from tests.pictures import fill
from tests.pipeline import IMAGE_SIZE, SMALL, TEST, TRAIN, VALIDATION, Finished, outputs, run, write_params

pytest_plugins = ["tests.pipeline_fixtures"]

ARRAYS = ("data/features", "data/trunk", "data/flipped")
IMAGES, VIEWS = "data/features/images.npy", "data/features/views.npy"
# Everything there is, as far as it goes.
VIOLENT = {
    "flip": "both",
    "rotation": 0.5,
    "zoom": 0.9,
    "shift_horizontal": 0.5,
    "shift_vertical": 0.5,
    "shear": 1.0,
    "brightness": 1.0,
    "contrast": 1.0,
    "fill": "constant",
    "randaugment": 10,
    "randaugment_magnitude": 10,
}


class Interrupted(BaseException):
    """What Ctrl-C does, where the test wants it."""


def interrupt(patch: pytest.MonkeyPatch, after: int) -> None:
    """End the run after so many calls of the base; finished work is kept every two."""
    patch.setattr(features, "_BATCHES_A_BLOCK", 2)
    original = features.compile_forward

    def compiled(*arguments: Any) -> Callable[..., Any]:
        forward, left = original(*arguments), iter(range(after))

        def counted(*inputs: Any) -> Any:
            if next(left, None) is None:
                raise Interrupted
            return forward(*inputs)

        return counted

    patch.setattr(features, "compile_forward", compiled)


def forget_outputs() -> None:
    """What DVC does before it runs the stage."""
    for path in outputs(*ARRAYS):
        Path(path).unlink()


def test_files_have_the_shapes_that_are_promised(finished: Finished) -> None:
    train, unseen = 3 * TRAIN, 3 * (VALIDATION + TEST)
    shapes = {
        "features/images": (train + unseen, 1, 1, 512),
        "features/views": (2, train, 1, 1, 512),
        "trunk/images": (unseen, 3, 3, 512),
        "trunk/views": (2, train, 3, 3, 512),
        "flipped/features/images": (unseen, 1, 1, 512),
        "flipped/trunk/images": (unseen, 3, 3, 512),
    }
    found = {
        str(path.relative_to(finished.folder / "data").with_suffix("")): np.load(path, mmap_mode="r")
        for folder in ARRAYS
        for path in (finished.folder / folder).rglob("*.npy")
    }
    assert {name: array.shape for name, array in found.items()} == shapes
    assert {array.dtype for array in found.values()} == {np.dtype(np.float16)}
    assert all(np.isfinite(array).all() for array in found.values())


def test_the_record_says_how_they_were_made(finished: Finished) -> None:
    record = json.loads((finished.folder / "data/features/extraction.json").read_text())
    train = np.load(finished.folder / IMAGES)[: 3 * TRAIN].astype(np.float64)
    assert record == {
        "origin": {"base": "vgg16", "weights": "random", "sha256": None},
        "image_size": IMAGE_SIZE,
        "batch_size": SMALL["extract_features.batch_size"],
        "fit": "stretch",
        "white_level": 65535,
        "policy": "float32",
        "blocks": [4, 8, 12, 15, 18],
        "feature_rms": pytest.approx(np.sqrt(np.mean(train**2)), rel=1e-8),
        "versions": versions.installed(),
    }
    assert json.loads((finished.folder / "data/trunk/trunk.json").read_text()) == {"layer": "block4_pool"}


def test_rows_are_in_the_manifests_order(pipeline: Path) -> None:
    import keras

    frame = manifest.read(paths.MANIFEST)
    loaded = [images.load(paths.PREPARED / path, Framing(IMAGE_SIZE)) for path in frame["path"]]
    pixels = np.stack(loaded).astype(np.float32)
    whole = base.build("vgg16", weights.load(paths.WEIGHTS), IMAGE_SIZE)
    expected = whole.predict(keras.applications.vgg16.preprocess_input(pixels.copy()), verbose=0)
    found = np.load(IMAGES).astype(np.float32)
    np.testing.assert_allclose(found, expected, rtol=2e-3, atol=2e-3 * expected.max())
    mirrored = whole.predict(keras.applications.vgg16.preprocess_input(pixels[3 * TRAIN :, :, ::-1]), verbose=0)
    found = np.load("data/flipped/features/images.npy").astype(np.float32)
    np.testing.assert_allclose(found, mirrored, rtol=2e-3, atol=2e-3 * expected.max())


def test_only_views_of_training_images_are_augmented(pipeline: Path) -> None:
    before = outputs(*ARRAYS)
    write_params(**{f"augmentation__{name}": value for name, value in VIOLENT.items()})
    run("extract_features")
    changed = {path for path, content in outputs(*ARRAYS).items() if content != before[path]}
    assert changed == {VIEWS, "data/trunk/views.npy"}
    # They did change, in every view of every image.
    views = [np.frombuffer(content, np.float16)[64:] for content in (outputs(*ARRAYS)[VIEWS], before[VIEWS])]
    after, earlier = (one.reshape(2, 3 * TRAIN, -1) for one in views)
    assert (after != earlier).any(axis=2).all()


def test_two_runs_give_the_same_bytes(pipeline: Path) -> None:
    before = outputs(*ARRAYS)
    forget_outputs()
    run("extract_features")
    assert outputs(*ARRAYS) == before
    assert list(Path("data/working").iterdir()) == []


def test_an_interrupted_run_goes_on(pipeline: Path) -> None:
    before = outputs(*ARRAYS)
    forget_outputs()
    with pytest.MonkeyPatch.context() as patch:
        interrupt(patch, after=5)
        with pytest.raises(Interrupted):
            run("extract_features")
    assert outputs(*ARRAYS) == {}
    with pytest.MonkeyPatch.context() as patch:
        # Twenty-two calls in all, four of them done and kept.
        interrupt(patch, after=22 - 4)
        run("extract_features")
    assert outputs(*ARRAYS) == before
    assert list(Path("data/working").iterdir()) == []


def test_finished_arrays_outlive_an_interruption_between_two_of_them(pipeline: Path) -> None:
    before = outputs(*ARRAYS)
    forget_outputs()
    place, left = extract_features._place, iter(range(3))

    def placing(file: Path, target: Path) -> None:
        if next(left, None) is None:
            raise Interrupted
        place(file, target)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(extract_features, "_place", placing)
        with pytest.raises(Interrupted):
            run("extract_features")
    forget_outputs()
    with pytest.MonkeyPatch.context() as patch:
        interrupt(patch, after=0)
        run("extract_features")
    assert outputs(*ARRAYS) == before


def _new_seed() -> None:
    write_params(seed=43)


def _new_augmentation() -> None:
    write_params(augmentation__zoom=0.3)


def _new_size() -> None:
    write_params(extract_features__image_size=32)


def _new_images() -> None:
    frame = manifest.read(paths.MANIFEST)
    manifest.write(frame.drop(index=frame.index[:3]), paths.MANIFEST)


def _new_weights() -> None:
    tensors = weights.load(paths.WEIGHTS)
    weights.save(paths.WEIGHTS, {name: values * 1.5 for name, values in tensors.items()})


def _new_code() -> None:
    """Not the project's own: the test puts other code in its place."""


@pytest.mark.parametrize(
    "change", [_new_seed, _new_augmentation, _new_size, _new_images, _new_weights, _new_code], ids=lambda f: f.__name__
)
def test_nothing_of_other_work_is_taken_up(pipeline: Path, change: Callable[[], None]) -> None:
    steps = Path("data/working/extract_features/state.json")
    with pytest.MonkeyPatch.context() as patch:
        interrupt(patch, after=2)
        with pytest.raises(Interrupted):
            run("extract_features")
    assert json.loads(steps.read_text()) == {"steps": 2}
    change()
    with pytest.MonkeyPatch.context() as patch:
        if change is _new_code:
            patch.setattr(code, "digest", lambda stage: f"other code of {stage}")
        interrupt(patch, after=0)
        with pytest.raises(Interrupted):
            run("extract_features")
    assert not steps.exists()


def test_without_a_trunk_none_is_kept(pipeline: Path) -> None:
    features_before = {path: content for path, content in outputs("data/features").items() if path.endswith(".npy")}
    forget_outputs()
    write_params(extract_features__trunk="none")
    run("extract_features")
    assert outputs("data/trunk") == {"data/trunk/trunk.json": b'{\n  "layer": null\n}\n'}
    for path, content in features_before.items():
        found, expected = np.load(path).astype(float), np.frombuffer(content[128:], np.float16).astype(float)
        np.testing.assert_allclose(found.ravel(), expected, rtol=2e-3, atol=1e-3)


def test_without_mirrored_images_none_are_kept(pipeline: Path) -> None:
    kept = outputs("data/features", "data/trunk")
    forget_outputs()
    write_params(test_time_flip=False)
    run("extract_features")
    assert outputs("data/flipped") == {"data/flipped/flipped.json": b'{\n  "flipped": false\n}\n'}
    assert outputs("data/features", "data/trunk") == kept


def test_without_views_their_files_are_empty(pipeline: Path) -> None:
    sheet = paths.PREVIEW.read_bytes()
    paths.PREVIEW.unlink()
    write_params(extract_features__views=0)
    run("preview", "extract_features")
    assert np.load(VIEWS).shape == (0, 18, 1, 1, 512)
    assert np.load("data/trunk/views.npy").shape == (0, 18, 3, 3, 512)
    # The sheet is for those who augment anew in every epoch as well.
    assert paths.PREVIEW.read_bytes() == sheet


@pytest.mark.parametrize("trunk", ["block6_pool", "input_layer"])
def test_a_trunk_that_is_no_layer_is_told_before_any_work(pipeline: Path, trunk: str) -> None:
    write_params(extract_features__trunk=trunk)
    message = rf"^params\.yaml: extract_features\.trunk: vgg16 has no layer '{trunk}'; nearest: bl"
    with pytest.raises(InputError, match=message):
        run("extract_features")
    assert not Path("data/working/extract_features").exists()


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        (paths.MANIFEST, r"^data/prepared/manifest\.csv: no such file: run `dvc repro prepare`$"),
        (paths.WEIGHTS, r"^data/weights/base\.npz: no such file: run `dvc repro backbone`$"),
    ],
)
def test_a_missing_input_is_told(pipeline: Path, missing: Path, message: str) -> None:
    missing.unlink()
    with pytest.raises((InputError, FileNotFoundError), match=message):
        run("extract_features")


def test_a_disk_without_links_gets_copies(pipeline: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = outputs(*ARRAYS)
    forget_outputs()

    def no_links(*arguments: Any) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(os, "link", no_links)
    run("extract_features")
    assert outputs(*ARRAYS) == before


def test_grey_and_tiny_images_go_all_the_way(pipeline: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A set as MNIST is: 28 × 28 grey pixels in files of numbers, by an entry of the catalog."""
    entry = write_idx_entry(Path("digits.yaml"), np.random.default_rng(0).integers(0, 256, (12, 28, 28), np.uint8))
    write_params(prepare__source=str(entry), prepare__train=2, prepare__validation=1, prepare__test=1)
    run("prepare", "extract_features")
    assert "  licence: none\n  cite: Nobody: Nothing, 2020\n" in capsys.readouterr().out
    frame = manifest.read(paths.MANIFEST)
    assert {(row.width, row.height) for row in frame.itertuples()} == {(28, 28)}
    found = np.load(IMAGES)
    assert found.shape == (12, 1, 1, 512)
    assert len(np.unique(found.reshape(12, -1), axis=0)) == 12
    assert np.isfinite(np.load(VIEWS)).all()


def write_idx_entry(path: Path, pictures: npt.NDArray[np.uint8]) -> Path:
    """Write an entry of the catalog for grey pictures of three classes in turn, its files where downloads stay."""
    contents = {
        "images": struct.pack(">BBBB3I", 0, 0, 8, 3, *pictures.shape) + pictures.tobytes(),
        "labels": struct.pack(">BBBBI", 0, 0, 8, 1, len(pictures))
        + bytes(number % 3 for number in range(len(pictures))),
    }
    files = {}
    for kind, content in contents.items():
        fill(paths.DOWNLOADS / path.stem, {kind: content})
        digest = hashlib.sha256(content).hexdigest()
        mirrors = [{"url": "http://127.0.0.1:1/nothing-listens-here"}]
        files[kind] = {"name": kind, "size": len(content), "sha256": digest, "mirrors": mirrors}
    about = {"name": path.stem, "description": "A test", "images": len(pictures), "homepage": "https://example.org"}
    about |= {"licence": "none", "citation": "Nobody: Nothing, 2020"}
    entry = about | {"format": "idx", "classes": ["0", "1", "2"], "files": [files]}
    path.write_text(yaml.safe_dump(entry), encoding="utf-8")
    return path
