"""Pixels are those of the files, decoded once; views are new in every epoch and the same in every run."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headstart.foundation import paths
from headstart.foundation.errors import InputError
from headstart.foundation.framing import Framing
from headstart.foundation.resume import Resumable
from headstart.images import images, manifest
from headstart.models import pixels
from headstart.models.samples import Samples, epoch_batches, in_order
from tests.augmented import augmented, changing
from tests.pipeline import SCRATCH_SIZE

pytest_plugins = ["tests.pipeline_fixtures"]
pytestmark = pytest.mark.usefixtures("tensorflow")

SETTINGS = changing(flip="both", rotation=0.2, zoom=0.3, randaugment=2, randaugment_magnitude=5)
DIGESTS = [f"{number:064x}" for number in range(10)]


def state(name: str = "train_scratch") -> Resumable:
    return Resumable(name, (), [paths.MANIFEST])


def drawn(images: int = 10, size: int = 16) -> Samples:
    values = np.random.default_rng(0).integers(0, 256, (1, images, size, size, 3), np.uint8)
    return Samples(values, np.arange(images))


def view(samples: Samples, chosen: list[int]) -> Any:
    assert samples.change
    return samples.change(samples.values[0][chosen], np.array(chosen))


def unreadable(*arguments: Any) -> Any:
    raise AssertionError("an image was read")


def test_pixels_are_those_of_the_files(pipeline: Path) -> None:
    frame = manifest.read(paths.MANIFEST)
    found = pixels.read(frame, Framing(SCRATCH_SIZE), state())
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(
        found, [images.load(paths.PREPARED / path, Framing(SCRATCH_SIZE)) for path in frame["path"]]
    )


def test_they_are_decoded_once_and_stay_on_the_disk(pipeline: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = manifest.read(paths.MANIFEST)
    before = np.array(pixels.read(frame, Framing(SCRATCH_SIZE), state()))
    monkeypatch.setattr(images, "load", unreadable)
    again = pixels.read(frame, Framing(SCRATCH_SIZE), state())
    assert isinstance(again, np.memmap)
    np.testing.assert_array_equal(again, before)


def test_an_image_that_does_not_decode_is_named_and_leaves_nothing(pipeline: Path) -> None:
    frame = manifest.read(paths.MANIFEST)
    path = paths.PREPARED / frame.loc[frame["split"] == "train", "path"].iloc[-1]
    path.unlink()
    path.write_bytes(b"no picture")
    with pytest.raises(InputError, match=rf"^{path}: .+; expected an image: run the prepare stage again$"):
        pixels.read(frame, Framing(SCRATCH_SIZE), state())
    assert [file.name for file in state().path.iterdir()] == ["key"]


@pytest.mark.parametrize("place", [0, 300, 599])
def test_one_coloured_pixel_makes_a_set_coloured(place: int) -> None:
    grey = np.repeat(np.random.default_rng(0).integers(0, 256, (600, 8, 8, 1), np.uint8), 3, axis=-1)
    assert pixels.are_grey(grey)
    grey[place, 7, 7, 2] ^= 1
    assert not pixels.are_grey(grey)


def test_views_are_those_of_the_epoch() -> None:
    train = drawn()
    views = pixels.views(train, DIGESTS, SETTINGS, seed=5)
    assert pixels.views(train, DIGESTS, None, seed=5)(3) is train
    for epoch in (0, 3):
        wanted = augmented(train.values[0].astype(np.uint8), SETTINGS, DIGESTS, epoch, 5)
        np.testing.assert_allclose(view(views(epoch), list(range(10))), wanted, atol=1e-3)


def test_a_view_depends_on_image_epoch_and_seed_alone() -> None:
    views = pixels.views(drawn(), DIGESTS, SETTINGS, seed=5)
    together = view(views(1), list(range(10)))
    view(views(2), [3, 1])
    np.testing.assert_array_equal(view(views(1), [7, 2]), together[[7, 2]])
    for other in (views(2), pixels.views(drawn(), DIGESTS, SETTINGS, seed=6)(1)):
        assert (view(other, list(range(10))) != together).any(axis=(1, 2, 3)).all()


def test_training_sees_views_in_its_own_order_and_labels_stay_with_them() -> None:
    samples = pixels.views(drawn(), DIGESTS, SETTINGS, seed=5)(4)
    expected = view(samples, list(range(10)))
    seen: dict[int, Any] = {}
    for values, labels in epoch_batches(samples, 4, epoch=4, seed=5):
        seen |= dict(zip(labels.tolist(), values, strict=True))
    assert list(seen) != sorted(seen)
    np.testing.assert_array_equal([seen[image] for image in range(10)], expected)


def test_in_order_nothing_is_augmented() -> None:
    samples = pixels.views(drawn(), DIGESTS, SETTINGS, seed=5)(4)
    found = np.concatenate([values for values, _ in in_order(samples, 4)])
    np.testing.assert_array_equal(found, samples.values[0])
