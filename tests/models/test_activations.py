"""Wherever activations are taken from, they are those of the images."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from headstart.base import base
from headstart.features import augmentation, features
from headstart.foundation import paths
from headstart.foundation.array_types import IntArray
from headstart.foundation.framing import Framing
from headstart.foundation.resume import Resumable
from headstart.images import images
from headstart.images.assignments import Spans
from headstart.models import activations
from headstart.models.activations import NO_VIEWS, Source, Views, training_samples
from headstart.models.samples import Stored
from tests.augmented import ALL, augmented
from tests.pictures import encode
from tests.pipeline import small_base

pytest_plugins = ["tests.pipeline_fixtures"]
pytestmark = pytest.mark.usefixtures("tensorflow")

SIZE = 16
# Images, and how many of them are trained on.
IMAGES, TRAINED = 15, 7
VIEWS = Views(kept=2, augmentation=ALL, seed=7)
ARRAYS = ["views", "images", "flipped/images"]
# Layers below, at and above the trunk; the last has its features kept.
LAYERS = ["conv1", "pool1", "conv2", "conv3", "pool2"]
ROWS: IntArray = np.array([0, 2, 3, 6])
LABELS: IntArray = np.array([0, 1, 0, 1])


@pytest.fixture
def model() -> Any:
    return small_base(SIZE, "vgg16")


@pytest.fixture
def manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pd.DataFrame:
    """Images on the disk and their manifest, the current folder around them."""
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"path": [f"{number}.png" for number in range(IMAGES)]})
    frame["split"] = ["train"] * TRAINED + ["validation"] * 5 + ["test"] * 3
    paths.PREPARED.mkdir(parents=True)
    for path in frame["path"]:
        (paths.PREPARED / path).write_bytes(encode(random.integers(0, 256, (20, 18, 3), np.uint8), "PNG"))
    frame["sha256"] = [f"{number:064x}" for number in range(len(frame))]
    return frame


def source(model: Any, manifest: pd.DataFrame, trunk: str | None, views: Views = VIEWS) -> Source:
    """A source with the files that extraction leaves."""
    spans = Spans(range(TRAINED), range(TRAINED, IMAGES))
    given = Source(model, trunk, manifest, spans, views, 3, Framing(SIZE))
    work = features.Work(
        files=[paths.PREPARED / path for path in manifest["path"]],
        sha256s=list(manifest["sha256"]),
        plain=range(IMAGES),
        trunk=spans.unseen,
        flipped=spans.unseen,
        viewed=spans.trained,
        views=tuple(range(views.kept)),
        framing=Framing(SIZE),
        batch_size=3,
        augmentation=views.augmentation,
        seed=views.seed,
        base="vgg16",
    )
    for name, file in features.extract(model, trunk, work, Resumable("extract", trunk, [])).items():
        target = Path("data") / f"{name}.npy"
        target.parent.mkdir(parents=True, exist_ok=True)
        file.rename(target)
    return given


def expected(model: Any, layer: str, array: str, manifest: pd.DataFrame, views: tuple[int, ...] = (0, 1)) -> Any:
    """Activations straight from the images."""
    rows = manifest[:TRAINED] if array == "views" else manifest[TRAINED:]
    pixels = np.stack([images.load(paths.PREPARED / path, Framing(SIZE)) for path in rows["path"]])
    if array.startswith("flipped/"):
        pixels = pixels[:, :, ::-1]
    lower = base.between(model, None, layer)
    if array == "views":
        pictures = [augmented(pixels, ALL, list(rows["sha256"]), view, seed=7) for view in views]
        return np.stack([lower(base.preprocess("vgg16", of_view)) for of_view in pictures])
    return np.asarray(lower(base.preprocess("vgg16", pixels)))[np.newaxis]


def unseen(found: Stored) -> npt.NDArray[Any]:
    """The values of the images that are validated or tested on, (1, images, …), however many others there are."""
    return found.values[:, TRAINED - found.first :]


def close(found: npt.NDArray[Any], wanted: npt.NDArray[Any]) -> None:
    """Equal to what float16 holds, rounded once or twice."""
    assert found.dtype == np.float16
    np.testing.assert_allclose(found.astype(np.float64), wanted, rtol=3e-3, atol=2e-3 * np.abs(wanted).max())


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("trunk", ["pool1", None])
def test_every_way_leads_to_the_same_activations(
    model: Any, manifest: pd.DataFrame, layer: str, trunk: str | None
) -> None:
    given = source(model, manifest, trunk)
    state = Resumable("finetune", (), [])
    for array in ARRAYS:
        found = activations.at(layer, array, given, state)
        wanted = expected(model, layer, array, manifest)
        values = found.values if array == "views" else unseen(found)
        assert values.shape == wanted.shape
        close(values, wanted)
        with pytest.raises(ValueError, match="read-only"):
            found.values[0] = 0


def test_images_themselves_may_be_asked_for(model: Any, manifest: pd.DataFrame) -> None:
    """Where every layer trains, nothing is left to compute but the preprocessing."""
    given = source(model, manifest, "pool1")
    found = activations.at(model.layers[0].name, "views", given, Resumable("finetune", (), []))
    close(found.values, expected(model, model.layers[0].name, "views", manifest))


@pytest.mark.parametrize(("layer", "kept"), [("pool2", paths.FEATURES), ("pool1", paths.TRUNK)])
def test_what_is_kept_is_not_computed(model: Any, manifest: pd.DataFrame, layer: str, kept: Path) -> None:
    given = source(model, manifest, "pool1")
    found = activations.at(layer, "images", given, Resumable("finetune", (), [])).values
    assert isinstance(found, np.memmap)
    assert Path(found.filename) == Path.cwd() / kept / "images.npy"  # type: ignore[arg-type]


def test_above_the_trunk_no_image_is_read(model: Any, manifest: pd.DataFrame) -> None:
    given = source(model, manifest, "pool1")
    for file in paths.PREPARED.rglob("*.png"):
        file.unlink()
    state = Resumable("finetune", (), [])
    for array in ARRAYS:
        activations.at("conv3", array, given, state)
    with pytest.raises(FileNotFoundError):
        activations.at("conv1", "images", given, state)


def test_nothing_stays_behind(model: Any, manifest: pd.DataFrame) -> None:
    given = source(model, manifest, "pool1")
    state = Resumable("finetune", (), [])
    for layer in LAYERS:
        for array in ARRAYS:
            activations.at(layer, array, given, state)
    state.discard()
    assert not list(Path("data/working").glob("finetune*"))


def test_kept_views_are_the_same_in_every_epoch(model: Any, manifest: pd.DataFrame) -> None:
    given = source(model, manifest, "pool1")
    state = Resumable("train_augmented", (), [])
    train = training_samples("pool2", given, state)(ROWS, LABELS, state)
    assert train(0) is train(5)
    close(train(0).values, expected(model, "pool2", "views", manifest))
    np.testing.assert_array_equal(train(0).labels, LABELS)
    np.testing.assert_array_equal(train(0).order, ROWS)


@pytest.mark.parametrize("layer", ["conv1", "pool2"])
def test_without_kept_views_every_epoch_makes_its_own(model: Any, manifest: pd.DataFrame, layer: str) -> None:
    given = source(model, manifest, "pool1", VIEWS._replace(kept=0))
    state = Resumable("train_augmented", (), [])
    train = training_samples(layer, given, state)(ROWS, LABELS, state)
    for epoch in (0, 1, 5):
        found = train(epoch)
        assert found.values.shape[:2] == (1, len(ROWS))
        close(found.values, expected(model, layer, "views", manifest, views=(epoch,))[:, ROWS])
        np.testing.assert_array_equal(found.labels, LABELS)
    # An epoch's views live as long as they are used.
    assert [path.name for path in state.path.iterdir()] == ["key"]


def test_the_base_is_compiled_once_for_all_epochs(
    model: Any, manifest: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = source(model, manifest, None, VIEWS._replace(kept=0))
    traced = []
    original = augmentation.augment

    def augment(*arguments: Any) -> Any:
        traced.append(arguments)
        return original(*arguments)

    monkeypatch.setattr(augmentation, "augment", augment)
    state = Resumable("train_augmented", (), [])
    train = training_samples("pool2", given, state)(ROWS, LABELS, state)
    for epoch in range(3):
        train(epoch)
    assert len(traced) == 1


def test_an_epochs_views_are_the_same_in_every_run(model: Any, manifest: pd.DataFrame) -> None:
    given = source(model, manifest, None, VIEWS._replace(kept=0))
    straight, resumed = (
        training_samples("pool2", given, state)(ROWS, LABELS, state)
        for state in (Resumable("one", (), []), Resumable("two", (), []))
    )
    for epoch in range(2):
        straight(epoch)
    np.testing.assert_array_equal(resumed(2).values, straight(2).values)


def test_fresh_views_are_the_kept_ones_of_their_number(model: Any, manifest: pd.DataFrame) -> None:
    kept = source(model, manifest, "pool1")
    fresh = kept._replace(views=VIEWS._replace(kept=0))
    of_kept, of_fresh = (
        training_samples("pool2", given, state)(ROWS, LABELS, state)
        for given, state in ((kept, Resumable("kept", (), [])), (fresh, Resumable("fresh", (), [])))
    )
    for view in (0, 1):
        np.testing.assert_array_equal(of_fresh(view).values[0], of_kept(view).values[view, ROWS])


def test_an_interrupted_run_leaves_activations_that_are_taken_up(
    model: Any, manifest: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = source(model, manifest, None)
    first = np.array(activations.at("conv1", "views", given, Resumable("finetune", (), [])).values)
    monkeypatch.setattr(images, "load", None)  # any image read would fail
    again = activations.at("conv1", "views", given, Resumable("finetune", (), [])).values
    np.testing.assert_array_equal(again, first)


def test_other_work_does_not_take_them_up(model: Any, manifest: pd.DataFrame) -> None:
    given = source(model, manifest, None)
    activations.at("conv1", "images", given, Resumable("finetune", "one", []))
    state = Resumable("finetune", "other", [])
    assert [path.name for path in state.path.iterdir()] == ["key"]


def test_who_wants_no_training_images_needs_no_views(model: Any, manifest: pd.DataFrame) -> None:
    given = source(model, manifest, "pool1")._replace(views=NO_VIEWS)
    close(
        activations.at("conv1", "images", given, Resumable("evaluate", (), [])).values,
        expected(model, "conv1", "images", manifest),
    )
