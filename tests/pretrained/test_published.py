"""Keras's own files, from a web server on this machine, become the weights that Keras itself would have loaded."""

import hashlib
import http.server
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
import pytest
import yaml

from headstart.base import base, weights
from headstart.base.bases import KINDS
from headstart.base.origin import Origin
from headstart.fetching.mirrors import MirrorError
from headstart.foundation import paths
from headstart.foundation.errors import InputError
from headstart.pretrained import imagenet, published
from stages import backbone
from tests.pipeline import ROOT

pytest_plugins = ["tests.pipeline_fixtures"]
pytestmark = pytest.mark.usefixtures("tensorflow")

TARGET, DOWNLOADS = Path("base.npz"), Path("downloads")


class Wish(NamedTuple):
    """What Keras's code says of a base's file.

    Attributes:
        address: name of the folder's address in the module of the base.
        digests: name of the base in the module's table of digests; None where there is none.
        file: the file.
    """

    address: str
    digests: str | None
    file: str


WISHES = {
    "mobilenet_v2": Wish("BASE_WEIGHT_PATH", None, "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5"),
    "mobilenet_v3_small": Wish(
        "BASE_WEIGHT_PATH", "small_224_1.0_float", "weights_mobilenet_v3_small_224_1.0_float_no_top_v2.h5"
    ),
    "efficientnet_b0": Wish("BASE_WEIGHTS_PATH", "b0", "efficientnetb0_notop.h5"),
}


def constructor(name: str) -> Any:
    import keras

    return getattr(keras.applications, str(KINDS[name].constructor))


def write_as_keras(file: Path, name: str) -> None:
    """Write random weights of a base in the format of the files on Keras's host, no tensor like the other."""
    from keras.src.legacy.saving import legacy_h5_format

    model = constructor(name)(weights=None, include_top=False, input_shape=(96, 96, 3))
    random = np.random.default_rng(0)
    for variable in model.weights:
        variable.assign(variable.value.numpy() + random.uniform(0.01, 0.1, variable.shape).astype(variable.dtype))
    with h5py.File(file, "w") as archive:
        legacy_h5_format.save_weights_to_hdf5_group(archive, model)


@pytest.fixture(scope="module")
def files(tensorflow: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files."""
    folder = tmp_path_factory.mktemp("files")
    for name, wish in WISHES.items():
        write_as_keras(folder / wish.file, name)
    return folder


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def host(files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that is served in the place of Keras's host, and the current folder beside it."""
    folder = tmp_path / "host"
    folder.mkdir()
    monkeypatch.chdir(tmp_path)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=folder)) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        for name, wish in WISHES.items():
            module = sys.modules[constructor(name).__module__]
            monkeypatch.setattr(module, wish.address, f"http://127.0.0.1:{server.server_port}/")
            if wish.digests:
                digest = hashlib.md5((files / wish.file).read_bytes()).hexdigest()
                monkeypatch.setitem(module.WEIGHTS_HASHES, wish.digests, ("", digest))
        yield folder
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("name", WISHES)
def test_weights_are_those_that_keras_loads(host: Path, files: Path, name: str) -> None:
    file = files / WISHES[name].file
    shutil.copy(file, host)
    told = backbone.write_weights(name, "imagenet", TARGET, DOWNLOADS).line
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    pinned = f"SHA-256 {digest} pinned on first use, since Keras publishes none: commit data/weights.pins.json"
    trust = "MD5 verified" if WISHES[name].digests else pinned
    assert re.fullmatch(rf"ImageNet weights from http://127\.0\.0\.1:\d+/{file.name}, {trust}", told)
    assert list(DOWNLOADS.iterdir()) == []

    with published._files_from(lambda *_: file), warnings.catch_warnings(action="ignore"):  # of images of 96 pixels
        theirs = constructor(name)(weights="imagenet", include_top=False, input_shape=(96, 96, 3))
    ours = base.build(name, weights.load(TARGET), 96)
    images = base.preprocess(name, np.random.default_rng(0).integers(0, 256, (2, 96, 96, 3), np.uint8))
    expected = np.asarray(theirs(images))
    np.testing.assert_allclose(ours(images), expected, rtol=1e-4, atol=1e-5 * np.abs(expected).max())


def refused(name: str, given: str = "imagenet") -> str:
    """What is said to weights that are no good; nothing of them stays."""
    import keras

    get_file = keras.utils.get_file
    with pytest.raises(InputError) as caught:
        backbone.write_weights(name, given, TARGET, DOWNLOADS)
    assert not TARGET.exists()
    assert not [path for path in DOWNLOADS.rglob("*") if path.name.startswith(".partial")]
    assert sys.modules[get_file.__module__].get_file is get_file
    assert "\n" not in str(caught.value)
    return str(caught.value)


NAME = "mobilenet_v3_small"
FILE = WISHES[NAME].file


def test_a_file_with_another_digest_is_refused(host: Path, files: Path) -> None:
    (host / FILE).write_bytes((files / FILE).read_bytes() + b"\0")
    assert re.fullmatch(
        rf"the ImageNet weights of {NAME}: could not be downloaded\. "
        rf"Tried: http://127\.0\.0\.1:\d+/{FILE} \(wrong content: "
        rf"MD5 is [0-9a-f]{{12}}…, expected [0-9a-f]{{12}}…\)\. Put the file at downloads/{FILE} and run this again",
        refused(NAME),
    )


def test_a_file_put_there_by_hand_is_taken_first(host: Path, files: Path) -> None:
    DOWNLOADS.mkdir()
    shutil.copy(files / FILE, DOWNLOADS)
    told = backbone.write_weights(NAME, "imagenet", TARGET, DOWNLOADS).line
    assert told == f"ImageNet weights from downloads/{FILE}, MD5 verified"
    assert [path.name for path in DOWNLOADS.iterdir()] == [FILE]


def test_after_a_wrong_file_put_there_by_hand_the_host_is_asked(host: Path, files: Path) -> None:
    DOWNLOADS.mkdir()
    (DOWNLOADS / FILE).write_bytes(b"\x89HDF, but no more of it")
    shutil.copy(files / FILE, host)
    assert backbone.write_weights(NAME, "imagenet", TARGET, DOWNLOADS).line.startswith("ImageNet weights from http://")


def test_a_named_file_is_taken_whatever_it_is_called(host: Path, files: Path) -> None:
    shutil.copy(files / FILE, "my weights")
    told = backbone.write_weights(NAME, "my weights", TARGET, DOWNLOADS).line
    assert told == "ImageNet weights from my weights, MD5 verified"
    assert Path("my weights").exists()


def test_weights_without_a_published_digest_are_pinned_on_first_use(host: Path, files: Path) -> None:
    name = "mobilenet_v2"
    file = files / WISHES[name].file
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    shutil.copy(file, host)
    backbone.write_weights(name, "imagenet", TARGET, DOWNLOADS)
    assert json.loads(paths.PINS.read_text(encoding="utf-8")) == {file.name: digest}
    told = backbone.write_weights(name, "imagenet", TARGET, DOWNLOADS).line
    assert told.endswith(", SHA-256 as pinned in data/weights.pins.json on first use")
    TARGET.unlink()
    other = host / file.name
    with h5py.File(other, "a") as archive:  # other weights, which Keras would take
        archive.visititems(lambda _, item: item.write_direct(2 * item[...]) if isinstance(item, h5py.Dataset) else None)
    told = refused(name)

    assert f"expected {digest[:12]}… as pinned in data/weights.pins.json" in told
    shutil.copy(other, "mine.h5")
    assert backbone.write_weights(name, "mine.h5", TARGET, DOWNLOADS).origin.weights == "own"
    shutil.copy(file, "mine.h5")
    assert backbone.write_weights(name, "mine.h5", TARGET, DOWNLOADS).origin.weights == "imagenet"


def test_a_file_that_nothing_tells_from_another_is_not_pinned(host: Path, files: Path) -> None:
    """Nor taken for ImageNet's weights."""
    shutil.copy(files / WISHES["mobilenet_v2"].file, "mine.h5")
    written = backbone.write_weights("mobilenet_v2", "mine.h5", TARGET, DOWNLOADS)
    digest = hashlib.sha256(Path("mine.h5").read_bytes()).hexdigest()
    assert written.origin == Origin(base="mobilenet_v2", weights="own", sha256=digest)
    assert written.line == f"weights of your own from mine.h5, SHA-256 {digest}"
    assert not paths.PINS.exists()


def test_weights_that_turn_out_to_be_none_are_not_pinned(host: Path, files: Path) -> None:
    Path("mine.h5").write_bytes((files / FILE).read_bytes())
    refused("mobilenet_v2", "mine.h5")
    assert not paths.PINS.exists()


@pytest.mark.parametrize("content", ["", "[]", '{"a.h5": 1}'])
def test_pins_that_can_not_be_read_are_no_pins_at_all(host: Path, files: Path, content: str) -> None:
    """Else another file could be pinned unnoticed."""
    shutil.copy(files / WISHES["mobilenet_v2"].file, host)
    paths.PINS.parent.mkdir()
    paths.PINS.write_text(content, encoding="utf-8")
    assert re.match(
        r"data/weights\.pins\.json: (not JSON|expected digests).*git checkout data/weig", refused("mobilenet_v2")
    )
    assert paths.PINS.read_text(encoding="utf-8") == content


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        (NAME, None, "no such file"),
        (NAME, b"\x89HDF", r"not readable as a Keras \.h5 file \(OSError\)"),
        ("mobilenet_v2", b"<html>", r"not readable as an ONNX model \(DecodeError\)"),
        ("mobilenet_v2", NAME, r"holds no Conv1/kernel; .*; and \d+ other tensors"),
    ],
)
def test_a_named_file_that_is_no_good(
    host: Path, files: Path, name: str, content: bytes | str | None, reason: str
) -> None:
    if content is not None:
        given = (files / WISHES[content].file).read_bytes() if isinstance(content, str) else content
        Path("mine.h5").write_bytes(given)
    assert re.fullmatch(
        rf"params\.yaml: backbone\.weights: mine\.h5: {reason}; expected `imagenet`, `random`, or a file with weights "
        rf"of {name}: \.weights\.h5, \.h5, \.keras or \.npz",
        refused(name, "mine.h5"),
    )


def test_a_file_of_another_base_on_the_host_is_told_with_its_address(host: Path, files: Path) -> None:
    """Keras publishes no digest of this one."""
    shutil.copy(files / FILE, host / WISHES["mobilenet_v2"].file)
    told = refused("mobilenet_v2")
    assert re.match(
        r"params\.yaml: backbone\.weights: http://127\.0\.0\.1:\d+/mobilenet_v2_\S+: not readable as ", told
    )


@pytest.mark.slow
def test_random_weights_are_the_same_in_another_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    params = yaml.safe_load((ROOT / "presets" / "quick.yaml").read_text())
    params["backbone"] = {"name": "mobilenet_v2", "weights": "random"}
    Path("params.yaml").write_text(yaml.safe_dump(params))
    base.build("mobilenet_v2", {}, 32)  # whatever was drawn before
    assert (
        backbone.write_weights("mobilenet_v2", "random", TARGET, DOWNLOADS).line
        == "random weights, the same in every run"
    )
    done = subprocess.run(
        [sys.executable, "-m", "stages.backbone"],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "mobilenet_v2: random weights, the same in every run\n"
    assert Path("data/weights/base.npz").read_bytes() == TARGET.read_bytes()


def asked(name: str) -> tuple[str, str, str | None]:
    """What Keras asks for: file, address, digest."""
    wishes: list[tuple[str, str, str | None]] = []

    def get(*wish: Any) -> Path:
        wishes.append(wish)
        raise MirrorError("that is all")

    with pytest.raises(MirrorError, match="that is all"):
        published.imagenet(name, get)
    (wish,) = wishes
    return wish


def is_published(name: str) -> None:
    file, address, digest = asked(name)
    assert re.fullmatch(r"\w[\w.-]+_no_?top(_v2)?\.h5", file)
    assert re.match(r"https://storage\.googleapis\.com/(tensorflow/)?keras-applications/", address)
    assert (digest is None) == (name in ("mobilenet", "mobilenet_v2"))
    assert digest is None or re.fullmatch(r"[0-9a-f]{32}|[0-9a-f]{64}", digest)


def test_keras_names_file_address_and_digest() -> None:
    is_published("vgg19")
    for name in ("vgg16", "xception"):
        file, address, _ = asked(name)
        canonical = imagenet.CANONICAL[name]
        assert (file, address) == (canonical.file, str(canonical.mirrors[0]))


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, kind in KINDS.items() if kind.constructor])
def test_keras_names_file_address_and_digest_of_every_base(name: str) -> None:
    is_published(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", KINDS)
def test_every_base_builds_at_its_least_size(name: str) -> None:
    import keras

    size = KINDS[name].least_size
    model = base.build(name, {}, size)
    images = base.preprocess(name, np.zeros((1, size, size, 3), np.uint8))
    assert np.isfinite(np.asarray(model(images))).all()
    trunk = base.trunk(model, "auto")
    assert (trunk is None) == name.startswith("nasnet")
    assert base.cut_before(model, len(model.layers) - 1) == model.layers[0].name
    keras.utils.clear_session()
