"""The same images make the same archive, and it reads as what was packed."""

import hashlib
import os
import tarfile
import zipfile
from pathlib import Path

import pytest

from headstart.foundation.errors import InputError
from headstart.sources.packing import pack
from headstart.sources.reading import DEFAULT, Reading
from headstart.sources.sources import open_files, open_source
from tests.pictures import encode, fill, jpeg, pixels, two_classes


def packed(path: Path, target: Path) -> dict[str, bytes]:
    """Pack what is at ``path``; return what the archive holds."""
    with open_files(path) as source:
        pack(source, target)
    with zipfile.ZipFile(target) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_images_are_packed_sorted_undated_and_as_they_are(tmp_path: Path) -> None:
    files = two_classes(12)
    assert packed(fill(tmp_path / "pets", files), tmp_path / "pets.zip") == files
    with zipfile.ZipFile(tmp_path / "pets.zip") as archive:
        assert archive.namelist() == sorted(files)
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}
        assert {info.external_attr >> 16 for info in archive.infolist()} == {0o100644}
        assert archive.testzip() is None


def test_the_same_images_make_the_same_bytes_however_they_come(tmp_path: Path) -> None:
    files = two_classes(12)
    folder = fill(tmp_path / "pets", files)
    other = fill(tmp_path / "copy" / "wrapped", dict(reversed(files.items())))
    for path in other.rglob("*"):
        os.utime(path, (0, 0))
        path.chmod(0o700)
    with tarfile.open(tmp_path / "pets.tgz", "w:gz") as archive:
        archive.add(folder, "photos")
    digests = set()
    for place, path in enumerate((folder, other, tmp_path / "copy", tmp_path / "pets.tgz")):
        packed(path, tmp_path / f"{place}.zip")
        digests.add(hashlib.sha256((tmp_path / f"{place}.zip").read_bytes()).hexdigest())
    # A digest that was written down, so that another version or system shows if it packs differently.
    assert digests == {hashlib.sha256(_reference(files)).hexdigest()}
    packed(tmp_path / "0.zip", tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == (tmp_path / "0.zip").read_bytes()


def _reference(files: dict[str, bytes]) -> bytes:
    """A zip archive of ``files``, put together from the specification: local headers, directory, end."""
    import struct
    import zlib

    body, directory = b"", b""
    for name, data in sorted(files.items()):
        common = struct.pack("<HHHHHIIIHH", 20, 0, 0, 0, 0x21, zlib.crc32(data), len(data), len(data), len(name), 0)
        directory += b"PK\1\2" + bytes((20, 3)) + common + struct.pack("<HHHII", 0, 0, 0, 0o100644 << 16, len(body))
        directory += name.encode()
        body += b"PK\3\4" + common + name.encode() + data
    end = struct.pack("<HHHHIIH", 0, 0, len(files), len(files), len(directory), len(body), 0)
    return body + directory + b"PK\5\6" + end


def test_splits_are_kept(tmp_path: Path) -> None:
    files = {f"wrap/{split}/{name}": jpeg(place) for place, (split, name) in enumerate(
        (split, name) for split in ("train", "val", "test") for name in ("cat.0.jpg", "dog.0.jpg")
    )}  # fmt: skip
    found = packed(fill(tmp_path / "pets", files), tmp_path / "pets.zip")
    assert sorted(found) == [f"{s}/{n}/{n}.0.jpg" for s in ("test", "train", "validation") for n in ("cat", "dog")]
    with open_source(tmp_path / "pets.zip", tmp_path) as source:
        assert {image.split for image in source.images} == {"train", "validation", "test"}


def test_what_does_not_decode_is_dropped(tmp_path: Path) -> None:
    files = {**two_classes(2), "cat/broken.jpg": jpeg(1)[:200], "cat/empty.jpg": b"", "dog/note.txt": b"note"}
    with open_files(fill(tmp_path / "pets", files)) as source:
        found = pack(source, tmp_path / "pets.zip")
    assert {(item.name, item.class_name, item.reason) for item in found.dropped} == {
        ("cat/broken.jpg", "cat", "truncated JPEG"),
        ("cat/empty.jpg", "cat", "empty file"),
        ("dog/note.txt", "", "text: not supported"),
    }
    assert len(found.images) == 4


def test_a_class_whose_images_all_fail_is_told(tmp_path: Path) -> None:
    files = {"cat/1.jpg": jpeg(1), "dog/1.jpg": b"text", "dog/2.jpg": b"txt"}
    message = r"pets: one class only, 'cat' \(1 images\) \(2 dropped: 2 × text\); expected two classes or more"
    with pytest.raises(InputError, match=message):
        packed(fill(tmp_path / "pets", files), tmp_path / "pets.zip")


@pytest.mark.parametrize(
    "name", ["nan", "1e3", "=cmd()", "a,b", "a\nb", "-rf", "\u732b", "C:", "a\\b", " ", "x" * 250, "Dog"]
)
def test_class_names_come_through(tmp_path: Path, name: str) -> None:
    files = {f"{name}/1.jpg": jpeg(1), "dog/1.jpg": jpeg(2)}
    packed(fill(tmp_path / "pets", files), tmp_path / "pets.zip")
    with open_source(tmp_path / "pets.zip", tmp_path) as source:
        assert {image.class_name: image.read() for image in source.images} == {name: jpeg(1), "dog": jpeg(2)}


def test_file_names_come_through_and_stay_apart(tmp_path: Path) -> None:
    names = [
        "a b.jpg",
        "a\nb.jpg",
        "\U0001f431.jpg",
        "-rf.jpg",
        "x" * 251 + ".jpg",
        "e\u0301.jpg",
        "\u00e9.jpg",
        "A.jpg",
    ]
    files = {f"cat/{name}": jpeg(number) for number, name in enumerate(names)} | {
        "dog/1.png": encode(pixels(99), "PNG")
    }
    files |= {"cat/sub/a b.jpg": jpeg(50), "cat/a.jpg": jpeg(51)}
    found = packed(fill(tmp_path / "pets", files), tmp_path / "pets.zip")
    assert sorted(found.values()) == sorted(files.values())
    assert len({name.lower() for name in found}) == len(files)
    assert found["cat/-rf.jpg"] == jpeg(3)
    with open_source(tmp_path / "pets.zip", tmp_path) as source:
        assert {image.read() for image in source.images} == set(files.values())


Known = tuple[str, str | None, str, bytes]


def known(path: Path, reading: Reading = DEFAULT) -> set[Known]:
    with open_files(path, reading) as source:
        return {(image.class_name, image.split, image.group, image.read()) for image in source.images}


def test_what_folders_cannot_say_stands_in_a_table(tmp_path: Path) -> None:
    """A class called train; classes of a table that no folder can be called as; groups."""
    files = {"train/bus.1.jpg": jpeg(1), "train/car.2.jpg": jpeg(2), "train/x/1.jpg": jpeg(5), "train/x/2.jpg": jpeg(6)}
    files |= {"train/x/3.jpg": jpeg(7), "bus/1.jpg": jpeg(3), "car/1.jpg": jpeg(4)}
    rows = b"image,label,group\n0.jpg,a/b,p\n1.jpg,..,p\n2.jpg,.git,q\n3.jpg, ,q\n4.jpg,train,\n"
    table = {"labels.csv": rows, **{f"{number}.jpg": jpeg(number) for number in range(5)}}
    grouped = {f"{name}/s{n % 2}/{n}.jpg": jpeg(n + 9 * p) for p, name in enumerate(("cat", "dog")) for n in range(4)}
    split = {f"{name}/{picture}": jpeg(20 + n + 9 * p) for p, name in enumerate(("train", "val"))
             for n, picture in enumerate(("cat/a/1.jpg", "dog/a/2.jpg"))}  # fmt: skip
    for number, (content, reading) in enumerate(
        [
            (files, DEFAULT),
            (table, DEFAULT),
            (grouped, Reading(group="folder")),
            (split, Reading(group="folder")),
            (grouped, Reading(pattern="(?P<class>cat|dog)/(?P<group>s[0-9])")),
        ]
    ):
        folder = fill(tmp_path / f"set {number}", content)
        target = tmp_path / f"{number}.zip"
        with open_files(folder, reading) as source:
            pack(source, target)
        assert "headstart-labels.csv" in zipfile.ZipFile(target).namelist()
        assert known(target) == known(folder, reading)
        with open_files(target) as source:
            assert source.dropped == []
            assert not any("labels come from" in note for note in source.notes)
            pack(source, tmp_path / "again.zip")
        assert (tmp_path / "again.zip").read_bytes() == target.read_bytes()


def test_a_table_is_not_written_where_folders_say_it_all(tmp_path: Path) -> None:
    rows = b"image,label\n0.jpg,cat\n1.jpg,dog\n"
    found = packed(
        fill(tmp_path / "pets", {"labels.csv": rows, "0.jpg": jpeg(0), "1.jpg": jpeg(1)}), tmp_path / "x.zip"
    )
    assert found == {"cat/0.jpg": jpeg(0), "dog/1.jpg": jpeg(1)}
