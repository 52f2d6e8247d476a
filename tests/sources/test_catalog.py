import gzip
import hashlib
import io
import struct
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from PIL import Image

from headstart.fetching.mirrors import Url
from headstart.fetching.packages import DebianFile, WheelMember
from headstart.foundation.errors import InputError
from headstart.sources.catalog import encode_png, open_entry, read_entry
from headstart.sources.reading import Reading
from headstart.sources.sources import open_source

CATALOG = Path(__file__).parents[2] / "data" / "catalog"
CLASSES = ["plus", "minus", "times"]
Entry = dict[str, Any]


def _idx(array: NDArray[np.uint8]) -> bytes:
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def _file(name: str, content: bytes) -> Entry:
    mirrors = [{"url": "http://127.0.0.1:1/nothing-listens-here"}]
    return {
        "name": name,
        "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "mirrors": mirrors,
    }


def _about(name: str) -> Entry:
    return {
        "name": name,
        "description": "A test",
        "images": 8,
        "licence": "none",
        "citation": "Nobody: Nothing, 2020",
        "homepage": "https://example.org",
    }


class Collection:
    """A small set in idx format: five images of 4 x 6 in a first pair of files and three in a second."""

    def __init__(self, folder: Path) -> None:
        random = np.random.default_rng(0)
        self.pixels = [random.integers(0, 256, (count, 4, 6), dtype=np.uint8) for count in (5, 3)]
        self.labels = [np.array([0, 1, 2, 0, 1], np.uint8), np.array([2, 2, 0], np.uint8)]
        self.store = folder / "downloads"
        self.path = folder / "signs.yaml"

    def write(self, change: Callable[[Entry], object] = lambda entry: None) -> Path:
        """Put the files where a person would by hand, one of them compressed, and write the entry."""
        folder = self.store / "signs"
        folder.mkdir(parents=True, exist_ok=True)
        entry: Entry = _about("signs") | {"format": "idx", "classes": list(CLASSES), "files": []}
        for part, (pixels, labels) in enumerate(zip(self.pixels, self.labels, strict=True)):
            images, truth = _idx(pixels), _idx(labels)
            (folder / f"images{part}").write_bytes(gzip.compress(images) if part else images)
            (folder / f"labels{part}").write_bytes(truth)
            pair = {"images": _file(f"images{part}", images), "labels": _file(f"labels{part}", truth)}
            entry["files"].append(pair)
        change(entry)
        self.path.write_text(yaml.safe_dump(entry, sort_keys=False))
        return self.path


@pytest.fixture
def signs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Collection:
    monkeypatch.setenv("NO_PROXY", "*")
    return Collection(tmp_path)


def test_idx_entry_is_one_pool_numbered_through(signs: Collection) -> None:
    with open_entry(signs.write(), signs.store) as source:
        assert source.name == "signs"
        assert source.credit == (
            "signs: A test; 8 images",
            "  licence: none",
            "  cite: Nobody: Nothing, 2020",
            "  more: https://example.org",
        )
        assert [image.name for image in source.images] == [f"{number}.png" for number in range(8)]
        labels = np.concatenate(signs.labels)
        assert [image.class_name for image in source.images] == [CLASSES[label] for label in labels]
        assert {image.split for image in source.images} == {None}
        for image, pixels in zip(source.images, np.concatenate(signs.pixels), strict=True):
            decoded = Image.open(io.BytesIO(image.read()))
            assert (decoded.format, decoded.mode) == ("PNG", "L")
            np.testing.assert_array_equal(np.asarray(decoded), pixels)


def test_equal_images_look_alike_and_others_hardly_ever(signs: Collection) -> None:
    signs.pixels[1][0] = signs.pixels[0][0]
    with open_entry(signs.write(), signs.store) as source:
        assert source.images[0].likeness == source.images[5].likeness
        assert len({image.likeness for image in source.images}) == 7


@settings(max_examples=30)
@given(pixels=hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, max_side=40)))
def test_png_keeps_every_pixel_and_is_the_same_twice(pixels: NDArray[np.uint8]) -> None:
    file = encode_png(pixels)
    assert encode_png(pixels.copy()) == file
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(file))), pixels)


def test_png_holds_its_pixels_uncompressed() -> None:
    # A compressor would shrink ten thousand zeros to a few bytes, and each of its versions to others.
    assert len(encode_png(np.zeros((100, 100), np.uint8))) > 10_000


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda content: content[:-1] + b"!", "wrong content: SHA-256 is"),
        (lambda content: content + b"!", r"more than \d+ bytes of content"),
        (lambda content: gzip.compress(content)[:-9], "broken gzip data"),
        (lambda content: gzip.compress(content + bytes(10**5)), r"more than \d+ bytes of content"),
        (lambda content: bytes(10**4), r"10,000 bytes, expected at most \d,\d+"),
    ],
)
def test_damaged_file_is_refused(signs: Collection, damage: Callable[[bytes], bytes], reason: str) -> None:
    path = signs.write()
    file = signs.store / "signs" / "images0"
    file.write_bytes(damage(file.read_bytes()))
    message = (
        rf"^signs: images0: could not be downloaded\. Tried: {file} \({reason}.*\); "
        rf"http://127\.0\.0\.1:1/nothing-listens-here \(no connection\)\. Put the file at {file} and run "
        "this again$"
    )
    with pytest.raises(InputError, match=message):
        open_entry(path, signs.store)


def test_files_that_do_not_belong_together(signs: Collection) -> None:
    signs.labels[0] = signs.labels[0][:4]
    with pytest.raises(
        InputError, match=r"signs\.yaml: images0 holds 5 images, labels0 4 labels: name files that belong"
    ):
        open_entry(signs.write(), signs.store)


def test_other_number_of_images_than_the_entry_says(signs: Collection) -> None:
    with pytest.raises(InputError, match=r"signs\.yaml: `images` is 9, but the files hold 8: correct it$"):
        open_entry(signs.write(lambda entry: entry.update(images=9)), signs.store)


def test_label_without_a_name(signs: Collection) -> None:
    signs.labels[1][0] = 3
    with pytest.raises(
        InputError, match=r"signs\.yaml: labels1 has label 3, but `classes` has 3 names: name them all$"
    ):
        open_entry(signs.write(), signs.store)


def test_one_class_only(signs: Collection) -> None:
    for labels in signs.labels:
        labels[:] = 1
    with pytest.raises(InputError, match=r"^signs: one class only, 'minus' \(8 images\)"):
        open_entry(signs.write(), signs.store)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda e: e.pop("format"), "format: expected `idx` or `archive`"),
        (lambda e: e.update(format="csv"), "format: Input tag 'csv' found using 'format' does not match"),
        (lambda e: e.update(color="red"), "color: Extra inputs are not permitted"),
        (lambda e: e.pop("licence"), "licence: Field required"),
        (lambda e: e.update(name="../up"), "name: String should match pattern"),
        (lambda e: e.update(name=".hidden"), "name: String should match pattern"),
        (
            lambda e: e["files"][0]["images"].update(name="a/b"),
            "files.0.images.name: String should match pattern",
        ),
        (lambda e: e.update(classes=["a"]), "classes: List should have at least 2 items"),
        (lambda e: e.update(classes=["a", 1]), "classes.1: Input should be a valid string"),
        (lambda e: e.update(classes=["a", "b", "a"]), "classes: two classes have the same name"),
        (lambda e: e.update(files=[]), "files: List should have at least 1 item"),
        (
            lambda e: e["files"][0]["images"].update(sha256="abc"),
            "files.0.images.sha256: String should match pattern",
        ),
        (
            lambda e: e["files"][0]["images"].update(size=0),
            "files.0.images.size: Input should be greater than 0",
        ),
        (
            lambda e: e["files"][0]["images"].update(size="9"),
            "files.0.images.size: Input should be a valid integer",
        ),
        (
            lambda e: e["files"][0]["images"].update(mirrors=[]),
            "files.0.images.mirrors: List should have at least 1",
        ),
        (
            lambda e: e["files"][0]["images"].update(mirrors=[{"url": "ftp://example.org"}]),
            "files.0.images.mirrors.0: found {'url': 'ftp://example.org'}, expected `url: https://…`, or "
            "`debian` and `path`, or `wheel`, `version` and `member`, each a text",
        ),
        (
            lambda e: e["files"][0]["images"].update(mirrors=[{"wheel": "x", "version": 1.0, "member": "y"}]),
            "files.0.images.mirrors.0: found {'wheel': 'x', 'version': 1.0, 'member': 'y'}, expected ",
        ),
    ],
)
def test_entry_written_badly(signs: Collection, change: Callable[[Entry], object], message: str) -> None:
    with pytest.raises(InputError) as caught:
        open_entry(signs.write(change), signs.store)
    assert str(caught.value).startswith(f"{signs.path}: not a catalog entry: {message}")
    assert str(caught.value).endswith("; data/catalog/mnist.yaml is an example")


def test_all_that_is_wrong_is_told_at_once(signs: Collection) -> None:
    signs.write(lambda e: (e.pop("licence"), e.pop("homepage")))
    with pytest.raises(InputError, match="licence: Field required; homepage: Field required; "):
        read_entry(signs.path)


@pytest.mark.parametrize("text", ["", "just words", "- a\n- list", "3"])
def test_entry_that_is_no_mapping(tmp_path: Path, text: str) -> None:
    path = tmp_path / "entry.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=r"entry\.yaml: not a catalog entry: format: "):
        read_entry(path)


@pytest.mark.parametrize("content", [b"name: [1", b"\xff\xfe\xfd", b"!!python/object/apply:os.system ['true']"])
def test_entry_that_is_no_yaml(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "entry.yaml"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"entry\.yaml: not readable as YAML: "):
        read_entry(path)


def test_entry_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.yaml: no such file: the entries of the catalog are in data/catalog/$"):
        read_entry(tmp_path / "none.yaml")


def test_mirrors_of_every_kind(signs: Collection) -> None:
    mirrors = [
        {"url": "https://example.org/file"},
        {"debian": "package", "path": "/usr/share/file"},
        {"wheel": "package", "version": "1.0", "member": "package/file"},
    ]
    entry = read_entry(signs.write(lambda e: e["files"][0]["images"].update(mirrors=mirrors)))
    assert entry.format == "idx"
    assert entry.files[0].images.mirrors == [
        Url("https://example.org/file"),
        DebianFile("package", "/usr/share/file"),
        WheelMember("package", "1.0", "package/file"),
    ]


def _archive(folder: Path, kind: str, members: dict[str, bytes]) -> Path:
    """Write an archive by hand into the folder of downloads, and the entry that describes it."""
    (folder / "downloads" / "pets").mkdir(parents=True)
    file = folder / "downloads" / "pets" / f"pets.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(file, "w") as archive:
            for name, content in members.items():
                archive.writestr(name, content)
    else:
        with tarfile.open(file, "w:gz") as tar:
            for name, content in members.items():
                member = tarfile.TarInfo(name)
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
    classes = {"cat": "PetImages/Cat", "dog": "PetImages/Dog/"}
    entry = _about("pets") | {
        "format": "archive",
        "classes": classes,
        "file": _file(file.name, file.read_bytes()),
    }
    path = folder / "pets.yaml"
    path.write_text(yaml.safe_dump(entry, sort_keys=False))
    return path


@pytest.mark.parametrize("kind", ["zip", "tgz"])
def test_archive_entry_takes_classes_from_its_folders(tmp_path: Path, kind: str) -> None:
    images = {
        f"PetImages/{name}": encode_png(np.full((2, 2), at, np.uint8))
        for at, name in enumerate(["Cat/0.png", "Cat/10.png", "Dog/0.png", "Catalogue/0.png"])
    }
    others = {"readme[1].txt": b"Read me", "PetImages/Dog/Thumbs.db": b"db"}
    path = _archive(tmp_path, kind, images | others)
    with open_entry(path, tmp_path / "downloads") as source:
        assert source.name == "pets"
        assert source.credit[1:3] == ("  licence: none", "  cite: Nobody: Nothing, 2020")
        found = {image.name: (image.class_name, image.split, image.read()) for image in source.images}
        dropped = {(image.name, image.reason) for image in source.dropped}
    assert found == {
        "PetImages/Cat/0.png": ("cat", None, images["PetImages/Cat/0.png"]),
        "PetImages/Cat/10.png": ("cat", None, images["PetImages/Cat/10.png"]),
        "PetImages/Dog/0.png": ("dog", None, images["PetImages/Dog/0.png"]),
    }
    assert ("PetImages/Catalogue/0.png", "in no class's folder") in dropped
    assert {name for name, _ in dropped} == {"PetImages/Catalogue/0.png", "readme[1].txt"}


def test_archive_without_the_folders(tmp_path: Path) -> None:
    path = _archive(tmp_path, "zip", {"Other/0.png": encode_png(np.zeros((2, 2), np.uint8))})
    with pytest.raises(InputError, match=r"^pets: no images found .*in no class's folder"):
        open_entry(path, tmp_path / "downloads")


def test_archive_of_other_content_is_refused(tmp_path: Path) -> None:
    path = _archive(tmp_path, "zip", {"PetImages/Cat/0.png": b"x"})
    file = tmp_path / "downloads" / "pets" / "pets.zip"
    file.write_bytes(file.read_bytes()[:-1] + b"!")
    with pytest.raises(
        InputError, match=rf"^pets: pets\.zip: could not be downloaded\. Tried: {file} \(wrong content: "
    ):
        open_entry(path, tmp_path / "downloads")


@pytest.mark.parametrize(
    ("name", "classes"), [("fashion_mnist", 10), ("mnist", 10), ("cats_vs_dogs", 2), ("tf_flowers", 5)]
)
def test_entries_of_the_catalog(name: str, classes: int) -> None:
    entry = read_entry(CATALOG / f"{name}.yaml")
    assert entry.name == name
    assert len(entry.classes) == classes


@pytest.mark.parametrize("path", sorted(CATALOG.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_documentation_agrees_with_the_entry(path: Path) -> None:
    entry = read_entry(path)
    text = (CATALOG.parents[1] / "docs" / "datasets.md").read_text(encoding="utf-8")
    (row,) = [line for line in text.splitlines() if line.startswith(f"| [`{entry.name}`]({entry.homepage})")]
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[1:] == [str(len(entry.classes)), f"{entry.images:,}", entry.licence, entry.citation]


@pytest.mark.registry
def test_fashion_mnist_from_the_registry(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with open_entry(CATALOG / "fashion_mnist.yaml", tmp_path) as source:
        assert len(source.images) == 70_000
        # The authors' table: the first training image is an ankle boot, and so is the first test image.
        assert [source.images[number].class_name for number in (0, 1, 60_000)] == [
            "ankle-boot",
            "t-shirt",
            "ankle-boot",
        ]
        classes = [image.class_name for image in source.images]
        assert {classes.count(name) for name in set(classes)} == {7000}
    assert capsys.readouterr().out.count("SHA-256 verified") == 4
    with open_entry(CATALOG / "fashion_mnist.yaml", tmp_path):
        assert capsys.readouterr().out == ""  # nothing is fetched twice


@pytest.mark.parametrize(
    ("reading", "said"),
    [
        (Reading(labels="labels.csv"), "prepare.labels: found 'labels.csv', expected 'auto'"),
        (Reading(pattern="(?P<class>.)"), "prepare.pattern: found '(?P<class>.)', expected 'none'"),
        (Reading(group="folder"), "prepare.group: found 'folder', expected 'given'"),
        (Reading(resplit=True), "prepare.resplit: found True, expected False"),
        (Reading(empty_classes="leave_out"), "prepare.empty_classes: found 'leave_out', expected 'refuse'"),
    ],
)
def test_an_entry_is_read_in_one_way(tmp_path: Path, reading: Reading, said: str) -> None:
    with pytest.raises(InputError) as refused:
        open_source(CATALOG / "mnist.yaml", tmp_path, reading)
    assert said in str(refused.value)
    assert not list(tmp_path.iterdir())
