"""Features are what the base gives for the images as it was trained to see them, and every run gives the same."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from headstart.base import base, runtime
from headstart.features import augmentation, features
from headstart.features.features import Step, Work, compile_forward, extract, half, plan
from headstart.foundation.errors import InputError
from headstart.foundation.framing import Framing
from headstart.foundation.resume import Resumable
from headstart.images import images
from tests.augmented import ALL, augmented
from tests.pictures import encode
from tests.pipeline import small_base
from tests.policies import POLICIES, needs_bfloat16

pytest_plugins = ["tests.pipeline_fixtures"]
pytestmark = pytest.mark.usefixtures("tensorflow")

SIZE = 16
# Images, and how many of them are trained on.
IMAGES, TRAINED = 19, 11
# Steps in the order of the work below: batches of 4, and 2 views.
TRAIN_STEPS = [Step(view, start, min(start + 4, 11)) for start in (0, 4, 8) for view in (None, 0, 1)]


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    for number in range(IMAGES):
        picture = random.integers(0, 256, (20, 18, 3), np.uint8)
        Path(f"{number}.png").write_bytes(encode(picture, "PNG"))


@pytest.fixture
def model() -> Any:
    return small_base(SIZE)


def work(**changes: Any) -> Work:
    given: dict[str, Any] = {
        "files": [Path(f"{number}.png") for number in range(IMAGES)],
        "sha256s": [f"{number:064x}" for number in range(IMAGES)],
        "plain": range(IMAGES),
        "trunk": range(TRAINED, IMAGES),
        "flipped": range(0),
        "viewed": range(TRAINED),
        "views": (0, 1),
        "framing": Framing(SIZE),
        "batch_size": 4,
        "augmentation": ALL,
        "seed": 7,
        "base": "vgg16",
    }
    return Work(**(given | changes))


def extracted(model: Any, trunk: str | None, given: Work, name: str = "stage") -> dict[str, npt.NDArray[Any]]:
    files = extract(model, trunk, given, Resumable(name, (trunk, given), []))
    return {key: np.load(path) for key, path in files.items()}


def loaded(first: int = 0, end: int = IMAGES) -> npt.NDArray[np.uint8]:
    return np.stack([images.load(Path(f"{number}.png"), Framing(SIZE)) for number in range(first, end)])


def expected(model: Any, pixels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """What Keras's own preprocessing and ``predict`` give."""
    import keras

    prepared = keras.applications.vgg16.preprocess_input(np.asarray(pixels, np.float32).copy())
    return np.asarray(model.predict(prepared, verbose=0), np.float64)


def close(found: npt.NDArray[Any], wanted: npt.NDArray[Any], digits: int = 11) -> None:
    """Equal to what a number of so many binary digits holds."""
    assert found.dtype == np.float16
    tolerance = 2.0 ** (2 - digits)
    np.testing.assert_allclose(found.astype(np.float64), wanted, rtol=tolerance, atol=tolerance * np.abs(wanted).max())


@pytest.mark.parametrize("trunk", [None, "pool1", "conv2"])
def test_features_are_those_of_predict(model: Any, trunk: str | None) -> None:
    found = extracted(model, trunk, work())
    close(found["features/images"], expected(model, loaded()))


@pytest.mark.parametrize(
    ("policy", "digits"), [("float32", 11), pytest.param("mixed_bfloat16", 6, marks=needs_bfloat16)]
)
def test_features_of_vgg16_are_those_of_predict(policy: str, digits: int) -> None:
    """In bfloat16 to the 8 binary digits it has, less what thirteen layers lose."""
    from headstart.pretrained import untrained

    weights = untrained.weights("vgg16")
    reference = base.build("vgg16", weights, 32)
    pixels = np.random.default_rng(0).integers(0, 256, (6, 32, 32, 3), np.uint8)
    wanted = expected(reference, pixels)
    runtime.set_policy(policy)
    forward = compile_forward(base.build("vgg16", weights, 32), "block4_pool", "vgg16", 8)
    close(forward(pixels, None)["features"], wanted, digits)


@pytest.mark.parametrize("policy", POLICIES)
def test_how_many_images_come_at_once_makes_no_difference(policy: str) -> None:
    """To the last digit, whatever place in a batch an image has, as it is and augmented."""
    from headstart.pretrained import untrained

    runtime.set_policy(policy)
    whole = base.build("vgg16", untrained.weights("vgg16"), 32)
    forward = compile_forward(whole, "block4_pool", "vgg16", 8, ALL)
    pixels = np.random.default_rng(0).integers(0, 256, (8, 32, 32, 3), np.uint8)
    digests = [f"{number:064x}" for number in range(8)]
    for augmented_ones in (False, True):

        def run(part: slice, augmented_ones: bool = augmented_ones) -> dict[str, npt.NDArray[Any]]:
            drawn = augmentation.draw(ALL, digests[part], 0, 7, 32) if augmented_ones else None
            return forward(pixels[part], drawn)

        together = run(slice(0, 8))
        for part in (slice(0, 1), slice(5, 6), slice(2, 5), slice(1, 8)):
            for kind, values in run(part).items():
                np.testing.assert_array_equal(values, together[kind][part])


def test_the_trunk_is_the_inner_layers_output(model: Any) -> None:
    found = extracted(model, "pool1", work())
    assert set(found) == {"features/images", "features/views", "trunk/images", "trunk/views"}
    inner = base.between(model, None, "pool1")
    close(found["trunk/images"], expected(inner, loaded(TRAINED)))
    assert found["trunk/views"].shape == (2, 11, 8, 8, 4)
    assert found["features/views"].shape == (2, 11, 4, 4, 4)


@pytest.mark.parametrize("trunk", [None, "pool1"])
def test_views_are_augmented_images(model: Any, trunk: str | None) -> None:
    found = extracted(model, trunk, work())
    for view in (0, 1):
        wanted = expected(model, augmented(loaded(end=TRAINED), ALL, work().sha256s[:TRAINED], view, seed=7))
        close(found["features/views"][view], wanted)


def test_only_views_are_augmented(model: Any) -> None:
    changed, plain = (
        extracted(model, "pool1", work()),
        extracted(model, "pool1", work(augmentation=augmentation.UNCHANGED), "plain"),
    )
    for name in changed:
        same = np.array_equal(changed[name], plain[name])
        assert same == (not name.endswith("views")), name
    np.testing.assert_array_equal(plain["features/views"], np.stack([plain["features/images"][:TRAINED]] * 2))


def test_the_batch_size_changes_next_to_nothing(model: Any) -> None:
    one, other = (extracted(model, None, work(batch_size=size), str(size)) for size in (1, 8))
    for name in one:
        close(one[name], other[name].astype(np.float64))


def test_mirrored_images_give_what_mirrored_files_would(model: Any) -> None:
    found = extracted(model, "pool1", work(flipped=range(TRAINED, IMAGES)))
    inner = base.between(model, None, "pool1")
    close(found["flipped/features/images"], expected(model, loaded(TRAINED)[:, :, ::-1]))
    close(found["flipped/trunk/images"], expected(inner, loaded(TRAINED)[:, :, ::-1]))
    plain = extracted(model, "pool1", work(), "plain")
    assert set(found) - set(plain) == {"flipped/features/images", "flipped/trunk/images"}
    assert all(np.array_equal(found[name], plain[name]) for name in plain)


def test_views_can_be_numbered_at_will(model: Any) -> None:
    """Training on fresh views asks for one at a time, by the number of the epoch."""
    kept = extracted(model, None, work(views=(0, 1, 2, 3)))["features/views"]
    one = extracted(model, None, work(plain=range(0), trunk=range(0), views=(2,)), "one")
    assert list(one) == ["features/views"]
    np.testing.assert_array_equal(one["features/views"], kept[2:3])


def test_without_views_there_are_none(model: Any) -> None:
    found = extracted(model, "pool1", work(views=()))
    assert found["features/views"].shape == (0, 11, 4, 4, 4)
    assert found["trunk/views"].shape == (0, 11, 8, 8, 4)


def test_compiled_and_eager_agree(model: Any) -> None:
    pixels = loaded(end=TRAINED)
    draws = augmentation.draw(ALL, work().sha256s[:TRAINED], 0, 7, SIZE)
    compiled = compile_forward(model, "pool1", "vgg16", len(pixels), ALL)
    views = augmented(pixels, ALL, work().sha256s[:TRAINED], 0, seed=7)
    eager = {
        "plain": half(model(base.preprocess("vgg16", pixels))).numpy(),
        "views": half(model(base.preprocess("vgg16", views))).numpy(),
    }
    close(compiled(pixels, None)["features"], eager["plain"].astype(np.float64))
    close(compiled(pixels, draws)["features"], eager["views"].astype(np.float64))


def test_large_values_saturate() -> None:
    import tensorflow as tf

    values = tf.constant([1e6, -1e6, 65504.0, 65519.0, 65520.0, 0.1, 3e38], tf.float32)
    found = half(values).numpy()
    assert found.dtype == np.float16
    assert found.tolist() == [65504, -65504, 65504, 65504, 65504, np.float16(0.1), 65504]
    assert np.isfinite(half(tf.constant([1e9], tf.bfloat16)).numpy()).all()


def test_batches_of_an_image_stand_together() -> None:
    """All views of a batch one after the other, so that it is decoded once."""
    steps = plan(work())
    assert steps[: len(TRAIN_STEPS)] == TRAIN_STEPS
    assert steps[len(TRAIN_STEPS) :] == [Step(None, 11, 15), Step(None, 15, 19)]


def test_with_folds_every_image_is_taken_in_every_way(model: Any) -> None:
    every = range(IMAGES)
    found = extracted(model, "pool1", work(trunk=every, flipped=every, viewed=every))
    assert {name: array.shape[:-3] for name, array in found.items()} == {
        **dict.fromkeys(["features/images", "trunk/images", "flipped/features/images", "flipped/trunk/images"], (19,)),
        **dict.fromkeys(["features/views", "trunk/views"], (2, 19)),
    }
    close(found["flipped/features/images"], expected(model, loaded()[:, :, ::-1]))
    close(found["features/views"][1], expected(model, augmented(loaded(), ALL, work().sha256s, 1, seed=7)))


def test_each_image_is_decoded_once(model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[Path] = []

    def counting(path: Path, framing: Framing) -> npt.NDArray[np.uint8]:
        decoded.append(path)
        return original(path, framing)

    original = images.load
    monkeypatch.setattr(images, "load", counting)
    extracted(model, "pool1", work())
    assert sorted(decoded) == sorted(work().files)


def test_an_image_that_went_bad_is_named(model: Any) -> None:
    Path("6.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(InputError, match=r"^6\.png: .*expected an image: run the prepare stage again$"):
        extracted(model, None, work())


class Interrupted(BaseException):
    """What Ctrl-C does, where the test wants it."""


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Callable[[int | None], list[int]]:
    """A function that has the base counted, and interrupted at a call of that number."""

    def arm(last: int | None) -> list[int]:
        seen: list[int] = []

        def compiled(*given: Any) -> Any:
            forward = compile_forward(*given)

            def counted(*arguments: Any) -> Any:
                seen.append(len(seen))
                if len(seen) == last:
                    raise Interrupted
                return forward(*arguments)

            return counted

        monkeypatch.setattr(features, "compile_forward", compiled)
        return seen

    monkeypatch.setattr(features, "_BATCHES_A_BLOCK", 3)
    return arm


@pytest.mark.parametrize("last", [1, 3, 4, 8, 11])
def test_an_interrupted_extraction_ends_as_an_undisturbed_one(
    model: Any, calls: Callable[[int | None], list[int]], last: int
) -> None:
    undisturbed = extracted(model, "pool1", work(), "undisturbed")
    calls(last)
    with pytest.raises(Interrupted):
        extracted(model, "pool1", work())
    seen = calls(None)
    found = extracted(model, "pool1", work())
    assert found.keys() == undisturbed.keys()
    for name in found:
        np.testing.assert_array_equal(found[name], undisturbed[name])
    # Eleven steps in all, finished in blocks of three.
    assert len(seen) == 11 - (last - 1) // 3 * 3


def test_it_may_be_interrupted_again_and_again(model: Any, calls: Callable[[int | None], list[int]]) -> None:
    undisturbed = extracted(model, "pool1", work(), "undisturbed")
    for _ in range(3):
        calls(4)
        with pytest.raises(Interrupted):
            extracted(model, "pool1", work())
    found = extracted(model, "pool1", work())
    for name in found:
        np.testing.assert_array_equal(found[name], undisturbed[name])


def test_finished_work_is_not_done_again(model: Any, calls: Callable[[int | None], list[int]]) -> None:
    """Interrupted after the last image, before the stage has taken the files."""
    first = extracted(model, "pool1", work())
    seen = calls(1)
    again = extracted(model, "pool1", work())
    assert seen == []
    for name in first:
        np.testing.assert_array_equal(again[name], first[name])


def test_other_work_starts_anew(model: Any, calls: Callable[[int | None], list[int]]) -> None:
    calls(8)
    with pytest.raises(Interrupted):
        extracted(model, "pool1", work())
    seen = calls(None)
    found = extracted(model, "pool1", work(seed=8))
    assert len(seen) == 11
    np.testing.assert_array_equal(
        found["features/views"], extracted(model, "pool1", work(seed=8), "undisturbed")["features/views"]
    )
