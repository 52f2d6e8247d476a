import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
import yaml

from headstart.base import origin
from headstart.base.origin import Origin
from headstart.base.weights import Tensors, load
from headstart.fetching.mirrors import LocalFile
from headstart.foundation.errors import InputError
from headstart.pretrained.imagenet import CANONICAL, Canonical, canonical_digest
from stages import backbone

ROOT = Path(__file__).parents[1]
SHAPES = {"conv/kernel": (3, 3, 3, 4), "conv/bias": (4,)}
TENSORS: Tensors = {name: np.arange(np.prod(shape), dtype=np.float32).reshape(shape) for name, shape in SHAPES.items()}
BASE = Canonical(SHAPES, canonical_digest(TENSORS, SHAPES), mirrors=(), file="small.h5", limit=100_000)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project folder in which vgg16 is a base of one small layer."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(CANONICAL, "vgg16", BASE)
    return tmp_path


def _params(name: str, weights: str) -> None:
    params = yaml.safe_load((ROOT / "presets" / "quick.yaml").read_text())
    params["backbone"] = {"name": name, "weights": weights}
    Path("params.yaml").write_text(yaml.safe_dump(params))


def _write_h5(path: Path, tensors: Tensors) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        for name, values in tensors.items():
            file[f"{name}:0"] = values
    return path


def _check_output() -> None:
    found = load(Path("data/weights/base.npz"))
    assert list(found) == list(TENSORS)
    for name, values in TENSORS.items():
        np.testing.assert_array_equal(found[name], values)
    assert origin.read() == Origin(base="vgg16", weights="imagenet")
    # Nothing half done stays.
    assert sorted(file.name for file in Path("data/weights").iterdir()) == ["base.npz", "origin.json"]


@pytest.mark.usefixtures("project")
def test_random_weights_need_no_file(capsys: pytest.CaptureFixture[str]) -> None:
    _params("vgg16", "random")
    backbone.main()
    found = load(Path("data/weights/base.npz"))
    assert {name: values.shape for name, values in found.items()} == SHAPES
    assert capsys.readouterr().out == "vgg16: random weights, the same in every run\n"
    assert origin.read() == Origin(base="vgg16", weights="random")
    assert not Path("data/downloads").exists()


def test_first_good_mirror_serves(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    good = _write_h5(project / "mirror" / "good.h5", TENSORS)
    wrong = _write_h5(project / "mirror" / "wrong.h5", TENSORS | {"conv/bias": np.ones(4, np.float32)})
    mirrors = (LocalFile(project / "none"), LocalFile(wrong), LocalFile(good))
    base = Canonical(SHAPES, BASE.sha256, mirrors, BASE.file, BASE.limit)
    monkeypatch.setitem(CANONICAL, "vgg16", base)
    _params("vgg16", "imagenet")
    backbone.main()
    _check_output()
    assert capsys.readouterr().out == f"vgg16: ImageNet weights from {good}, SHA-256 verified\n"
    assert list(Path("data/downloads").iterdir()) == []


@pytest.mark.usefixtures("project")
def test_file_put_by_hand_serves() -> None:
    _write_h5(Path("data/downloads/small.h5"), TENSORS)
    _params("vgg16", "imagenet")
    backbone.main()
    _check_output()
    assert Path("data/downloads/small.h5").exists()


@pytest.mark.usefixtures("project")
def test_no_mirror_serves() -> None:
    _params("vgg16", "imagenet")
    with pytest.raises(InputError) as caught:
        backbone.main()
    assert str(caught.value) == (
        "the base's ImageNet weights: could not be downloaded. No mirror is known. "
        "Put the file at data/downloads/small.h5 and run this again"
    )
    assert not Path("data/weights").exists()


@pytest.mark.usefixtures("project")
def test_named_file_serves(capsys: pytest.CaptureFixture[str]) -> None:
    _write_h5(Path("my weights.h5"), TENSORS)
    _params("vgg16", "my weights.h5")
    backbone.main()
    _check_output()
    assert capsys.readouterr().out == "vgg16: ImageNet weights from my weights.h5, SHA-256 verified\n"


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "no such file"),
        (b"", r"not readable as an ONNX model \(\w+\)|holds no tensor of the base"),
        (b"\x89HDF\r\n\x1a\n", r"not readable as a Keras \.h5 file \(OSError\)"),
    ],
)
def test_named_file_that_is_no_good(content: bytes | None, reason: str) -> None:
    if content is not None:
        Path("mine.h5").write_bytes(content)
    _params("vgg16", "mine.h5")
    expected = (
        rf"^params\.yaml: backbone\.weights: mine\.h5: ({reason}); expected `imagenet`, `random`, or a file with "
        r"weights of vgg16: \.weights\.h5, \.h5, \.keras or \.npz$"
    )
    with pytest.raises(InputError, match=expected):
        backbone.main()
    assert not Path("data/weights").exists()


@pytest.mark.usefixtures("project")
def test_base_that_is_not_known() -> None:
    _params("vgg61", "imagenet")
    message = r"^params\.yaml: backbone\.name: found 'vgg61', expected a base of docs/bases\.md; nearest: vgg19, vgg16$"
    with pytest.raises(InputError, match=message):
        backbone.main()


@pytest.mark.parametrize("name", ["vgg16", "resnet50"])
def test_command_fails_with_one_line_and_without_tensorflow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    _params(name, "none.h5")
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "from stages import backbone\n"
        "from headstart.foundation.entry import run_stage\n"
        "try: run_stage(backbone.main, backbone.__doc__)\n"
        "finally: assert not {'tensorflow', 'keras', 'torch'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("error: params.yaml: backbone.weights: none.h5: no such file; expected ")
    assert done.stderr.count("\n") == 1
