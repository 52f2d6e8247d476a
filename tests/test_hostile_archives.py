"""Hostile archives, unreadable files and doubles through the front door: added as a source, then drawn."""

import gzip
import io
import re
import struct
import tarfile
import warnings
import zipfile
from pathlib import Path

import pytest

from headstart.adding.archive import add
from headstart.foundation.errors import InputError
from headstart.sources.reading import Reading
from headstart.sources.source import Dropped
from headstart.sources.sources import open_source
from headstart.sources.subset import draw
from tests.pictures import fill, jpeg, two_classes
from tests.sources.test_archives import make_tar, make_zip, member

FILES = two_classes(3)
OUT = "leads out of the archive's own folder"
BROKEN = "not a whole zip or tar archive, perhaps damaged or truncated: copy or download it again"
SECONDS = 20


def twice() -> bytes:
    """A zip with two files of one name, of which the second is no image."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive, warnings.catch_warnings(action="ignore"):
        for name, data in (*FILES.items(), ("cat/0.jpg", b"another one")):
            archive.writestr(name, data)
    return file.getvalue()


def encrypted() -> bytes:
    """A zip whose first file says that it is encrypted."""
    data = bytearray(make_zip({"cat/secret.jpg": jpeg(99), **FILES}))
    for mark, flags in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        data[data.index(mark) + flags] |= 1
    return bytes(data)


def bomb() -> bytes:
    """Of the kind of 42.zip: petabytes declared in kilobytes."""
    data = bytearray(make_zip({**FILES, **{f"cat/bomb {number}.jpg": jpeg(1) for number in range(300)}}))
    place = -1
    while (place := data.find(b"PK\1\2", place + 1)) >= 0:
        data[place + 24 : place + 28] = struct.pack("<I", 200 << 20)
    return bytes(data)


LINKS = [
    member("cat/soft.jpg", tarfile.SYMTYPE, linkname="/etc/passwd"),
    member("cat/hard.jpg", tarfile.LNKTYPE, linkname="cat/0.jpg"),
    member("cat/pipe.jpg", tarfile.FIFOTYPE),
    member("cat/null.jpg", tarfile.CHRTYPE, devmajor=1, devminor=3),
]
LEFT_OUT: dict[str, tuple[str, bytes, dict[str, str]]] = {
    "links and devices": (
        "pets.tar",
        make_tar(FILES, LINKS),
        {
            "cat/soft.jpg": "symbolic link: not followed",
            "cat/hard.jpg": "hard link: not followed",
            "cat/pipe.jpg": "named pipe: not read",
            "cat/null.jpg": "device: not read",
        },
    ),
    "two of one name": ("pets.zip", twice(), {"cat/0.jpg": "a second entry of the same name: the first one counts"}),
    "encrypted": ("pets.zip", encrypted(), {"cat/secret.jpg": "encrypted"}),
    "a wrong extension": ("pets.jpg", gzip.compress(make_tar(FILES)), {}),
    "no extension": ("pets", make_zip(FILES), {}),
}
REFUSED: dict[str, tuple[bytes, str]] = {
    "upwards": (make_zip({**FILES, "../out.jpg": jpeg(1)}), OUT),
    "deep upwards": (make_tar({**FILES, "cat/../../out.jpg": jpeg(1)}), OUT),
    "absolute": (make_tar({**FILES, "/tmp/out.jpg": jpeg(1)}), OUT),
    "a bomb": (bomb(), "unpacks to over 200 times its size"),
    "truncated zip": (make_zip(FILES)[:-40], BROKEN),
    "truncated tar": (gzip.compress(make_tar(FILES))[:-400], BROKEN),
    "text": (b"this is no archive", "text; expected a folder, or a zip or tar archive, of labelled images"),
    "nothing": (b"", BROKEN),
}


def listed(dropped: list[Dropped]) -> dict[str, str]:
    return {item.name: item.reason for item in dropped}


@pytest.mark.parametrize("case", LEFT_OUT)
def test_what_must_not_be_read_is_left_out_and_listed(tmp_path: Path, case: str) -> None:
    name, data, reasons = LEFT_OUT[case]
    (tmp_path / name).write_bytes(data)
    packed = add(tmp_path / name, tmp_path / "sources" / "added.zip")
    assert listed(packed.dropped) == reasons
    with zipfile.ZipFile(tmp_path / "sources" / "added.zip") as archive:
        assert sorted(archive.read(entry) for entry in archive.namelist()) == sorted(FILES.values())


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_sound_archive_is_refused_and_nothing_is_written(tmp_path: Path, case: str) -> None:
    data, message = REFUSED[case]
    (tmp_path / "pets").write_bytes(data)
    with pytest.raises(InputError, match=re.escape(message)):
        add(tmp_path / "pets", tmp_path / "sources" / "added.zip")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["pets", "sources"]


def test_files_that_may_not_be_read_are_left_out(as_nobody: Path) -> None:
    fill(as_nobody / "pets", {**FILES, "cat/locked.jpg": jpeg(50), "locked/1.jpg": jpeg(51)})
    (as_nobody / "pets/cat/locked.jpg").chmod(0)
    (as_nobody / "pets/locked").chmod(0)
    message = "a class without a usable image: 'locked' (1 dropped: 1 × permission denied); add or convert its images"
    with pytest.raises(InputError, match=re.escape(message)):
        add(as_nobody / "pets", as_nobody / "added.zip")
    packed = add(as_nobody / "pets", as_nobody / "added.zip", Reading(empty_classes="leave_out"))
    assert listed(packed.dropped) == {"cat/locked.jpg": "permission denied", "locked": "permission denied"}
    assert len(packed.images) == len(FILES)


def test_doubles_are_told_when_the_split_is_drawn(tmp_path: Path) -> None:
    same, leaked = jpeg(60), jpeg(61)
    splits = {f"{split}/{name}": data for split in ("train", "test") for name, data in two_classes(3).items()}
    splits = {name: jpeg(100 + number) for number, name in enumerate(splits)}
    extra = {
        "train/cat/same.jpg": same,
        "train/dog/same.jpg": same,
        "train/cat/leak.jpg": leaked,
        "test/cat/leak.jpg": leaked,
        "train/dog/twice.jpg": splits["train/dog/0.jpg"],
    }
    add(fill(tmp_path / "pets", splits | extra), tmp_path / "added.zip")
    (tmp_path / "drawn").mkdir()
    with open_source(tmp_path / "added.zip", tmp_path) as source:
        subset = draw(source, tmp_path / "drawn", {"train": 2, "validation": 1, "test": 3}, "number", 1)
    assert [item.name for item in subset.conflicts] == ["train/cat/same.jpg", "train/dog/same.jpg"]
    assert [item.name for item in subset.leaks] == ["train/cat/leak.jpg"]
    assert [item.name for item in subset.duplicates] == ["train/dog/twice.jpg"]
    assert subset.frame["sha256"].is_unique


@pytest.mark.slow
def test_ten_thousand_classes_of_one_image_are_packed_and_refused_by_name(tmp_path: Path) -> None:
    images = {f"class {number}/1.jpg": jpeg(number) for number in range(10_000)}
    packed = add(fill(tmp_path / "pets", images), tmp_path / "added.zip")
    assert len(packed.images) == len(images)
    (tmp_path / "drawn").mkdir()
    with (
        open_source(tmp_path / "added.zip", tmp_path) as source,
        pytest.raises(InputError, match=r"class 'class 0' has 1, needed are 3 .* and 9,997 others"),
    ):
        draw(source, tmp_path / "drawn", {"train": 1, "validation": 1, "test": 1}, "number", 1)
