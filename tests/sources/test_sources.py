"""Whatever is named as the source opens, or says in one line why it doesn't."""

import re
import shutil
import zipfile
from pathlib import Path

import pytest

from headstart.foundation.errors import InputError
from headstart.sources.reading import Reading
from headstart.sources.sources import open_source
from tests.pictures import fill, jpeg, two_classes


def test_a_folder_and_an_archive_of_it_are_the_same_source(tmp_path: Path) -> None:
    files = two_classes(3)
    folder = fill(tmp_path / "pets", files)
    with zipfile.ZipFile(tmp_path / "pets.zip", "w") as archive:
        for name, data in files.items():
            archive.writestr(f"pets/{name}", data)
    with open_source(folder, tmp_path) as one, open_source(tmp_path / "pets.zip", tmp_path) as other:
        assert one.name == str(folder)
        assert [(image.class_name, image.split) for image in one.images] == [("cat", None)] * 3 + [("dog", None)] * 3
        assert (
            [image.read() for image in one.images] == [image.read() for image in other.images] == list(files.values())
        )
        assert [image.class_name for image in one.images] == [image.class_name for image in other.images]


def test_what_is_dropped_keeps_its_class(tmp_path: Path) -> None:
    files = {**two_classes(1), "cat/empty.jpg": b"", "cat/notes.txt": b"fluffy", "stray.jpg": jpeg(9)}
    with open_source(fill(tmp_path, files), tmp_path) as source:
        assert {(item.name, item.class_name, item.reason) for item in source.dropped} == {
            ("cat/empty.jpg", "cat", "empty file"),
            ("cat/notes.txt", "", "text: not supported"),
            ("stray.jpg", "", "no class: neither in a class folder nor named like cat.0.jpg"),
        }


def test_the_catalog_is_opened_by_its_yaml(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"missing.yaml: no such file"):
        open_source(tmp_path / "missing.yaml", tmp_path)


EXPECTED = "expected a folder of images, an archive or an entry of data/catalog/"
TWO = "expected two classes or more: a folder per class, names like cat.0.jpg, a table of labels, or prepare.pattern"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing", f"missing: no such file or folder; {EXPECTED}"),
        ("x" * 5000, rf"can't be opened \(File name too long\); {EXPECTED}"),
        ("file.jpg", "file.jpg: a JPEG image; expected a folder, or a zip or tar archive, of labelled images"),
        ("empty", f"empty: no images found; {TWO}"),
        ("texts", rf"texts: no images found \(5 dropped: 5 × text\); {TWO}"),
        ("one", rf"one: one class only, 'cat' \(5 images\) \(2 dropped: 1 × empty file; 1 × text\); {TWO}"),
        ("flat", rf"flat: no images found \(5 dropped: 5 × no class\); {TWO}"),
    ],
)
def test_what_is_no_source_is_refused(tmp_path: Path, name: str, message: str) -> None:
    fill(tmp_path, {"file.jpg": jpeg(1), "empty/cat/.hidden.jpg": jpeg(1)})
    fill(tmp_path / "texts", {f"{number}.txt": b"text" for number in range(5)})
    fill(tmp_path / "one", {f"cat/{number}.jpg": jpeg(number) for number in range(5)})
    fill(tmp_path / "one", {"dog/0.jpg": b"", "dog/notes.txt": b"text"})
    fill(tmp_path / "flat", {f"{number}.jpg": jpeg(number) for number in range(5)})
    with pytest.raises(InputError, match=message):
        open_source(tmp_path / name, tmp_path)


@pytest.mark.parametrize("packed", [False, True])
def test_a_class_without_images_is_named(tmp_path: Path, packed: bool) -> None:
    fill(tmp_path / "pets", {**two_classes(2), "face/1.txt": b"text", "face/sub/2.txt": b"text", "emu/1.jpg": b""})
    (tmp_path / "pets/fox").mkdir()
    path = Path(shutil.make_archive(str(tmp_path / "packed"), "zip", tmp_path, "pets")) if packed else tmp_path / "pets"
    told = "'emu' (1 dropped: 1 × empty file); 'face' (2 dropped: 2 × text); 'fox' (an empty folder)"
    message = (
        f"a class without a usable image: {told}; add or convert its images, remove its folder, or leave such classes"
    )
    with pytest.raises(InputError, match=re.escape(message)):
        open_source(path, tmp_path)
    with open_source(path, tmp_path, Reading(empty_classes="leave_out")) as source:
        assert {image.class_name for image in source.images} == {"cat", "dog"}
        assert source.notes == [f"{path}: classes without a usable image are left out: {told}"]


def test_what_is_beside_the_classes_is_no_class(tmp_path: Path) -> None:
    files = {f"data/{name}": data for name, data in two_classes(2).items()}
    with open_source(fill(tmp_path, {**files, "docs/readme.txt": b"text", "readme.txt": b"text"}), tmp_path) as source:
        assert source.notes == []


def test_archives_inside_are_named_where_there_is_nothing_else(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "outer.zip", "w") as archive:
        for name in ("train.zip", "test1.zip"):
            archive.writestr(name, b"PK\3\4" + bytes(99))
        archive.writestr("sampleSubmission.csv", "id,label")
    message = "outer.zip: no images found, but archives inside (test1.zip, train.zip): unpack it and give the one with"
    with pytest.raises(InputError, match=re.escape(message)):
        open_source(tmp_path / "outer.zip", tmp_path)


def test_a_device_is_no_source() -> None:
    with pytest.raises(InputError, match="/dev/null: neither a file nor a folder"):
        open_source(Path("/dev/null"), Path())


def test_reasons_in_errors_hold_no_names(tmp_path: Path) -> None:
    """A name may hold what a terminal takes for a command."""
    fill(tmp_path, {"cat/\x1b[31m.jpg": b"", "cat/1.jpg": jpeg(1)})
    with pytest.raises(InputError) as caught:
        open_source(tmp_path, tmp_path)
    assert "\x1b" not in str(caught.value)
