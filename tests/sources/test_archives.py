"""Archives are read where they are; nothing in them leads out, blows up or takes the place of something else."""

import bz2
import gzip
import io
import lzma
import re
import struct
import tarfile
import time
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headstart.foundation.errors import InputError
from headstart.images.images import UnreadableImage
from headstart.sources import archives
from headstart.sources.archives import list_archive
from headstart.sources.listing import Listing
from tests.pictures import jpeg, two_classes

Files = dict[str, bytes]
FILES = two_classes(3)
DAMAGED = "not a whole zip or tar archive, perhaps damaged or truncated: copy or download it again"


def make_zip(files: Files, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """The bytes of a zip archive."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return file.getvalue()


def make_tar(files: Files, members: list[tarfile.TarInfo] | None = None, form: int = tarfile.PAX_FORMAT) -> bytes:
    """The bytes of a tar archive of ``files``, and of ``members`` without content."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=form) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        for member in members or []:
            archive.addfile(member)
    return file.getvalue()


def member(name: str, kind: bytes, **fields: object) -> tarfile.TarInfo:
    """A member of a tar archive that has no content."""
    info = tarfile.TarInfo(name)
    info.type = kind
    for field, value in fields.items():
        setattr(info, field, value)
    return info


MAKERS: dict[str, Callable[[Files], bytes]] = {
    "zip": make_zip,
    "zip, stored": lambda files: make_zip(files, zipfile.ZIP_STORED),
    "zip, bzip2": lambda files: make_zip(files, zipfile.ZIP_BZIP2),
    "zip, lzma": lambda files: make_zip(files, zipfile.ZIP_LZMA),
    "tar": make_tar,
    "tar, gnu": lambda files: make_tar(files, form=tarfile.GNU_FORMAT),
    "tar, ustar": lambda files: make_tar(files, form=tarfile.USTAR_FORMAT),
    "tar.gz": lambda files: gzip.compress(make_tar(files)),
    "tar.bz2": lambda files: bz2.compress(make_tar(files)),
    "tar.xz": lambda files: lzma.compress(make_tar(files)),
}
every_kind = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)


@pytest.fixture
def archive(tmp_path: Path) -> Callable[[bytes], Listing]:
    """Writes bytes to a file, whose name tells nothing, and lists it as an archive."""

    def listed(data: bytes) -> Listing:
        path = tmp_path / "archive"
        path.write_bytes(data)
        return list_archive(path)

    return listed


List = Callable[[bytes], Listing]


def reasons(found: Listing) -> dict[str, str]:
    """Why each entry is dropped."""
    return {item.name: item.reason for item in found.dropped} | {
        entry.name: entry.fault for entry in found.entries if entry.fault
    }


@every_kind
def test_every_kind_is_listed_and_read_in_any_order(archive: List, make: Callable[[Files], bytes]) -> None:
    found = archive(make(FILES))
    assert [entry.name for entry in found.entries] == list(FILES)
    for entry in [*found.entries, *reversed(found.entries)]:
        assert entry.read() == FILES[entry.name]
    assert reasons(found) == {}
    found.close()


def test_unix_and_macos_names(archive: List) -> None:
    """Macs write UTF-8 without saying so."""
    data = make_zip({"caf\u00e9/1.jpg": jpeg(1)})
    flagged = data.index(b"PK\1\2")
    unflagged = bytearray(data)
    for start in (6, flagged + 8):
        unflagged[start : start + 2] = b"\0\0"
    assert [entry.name for entry in archive(bytes(unflagged)).entries] == ["caf\u00e9/1.jpg"]
    old = make_zip({"caf%/1.jpg": jpeg(1)}).replace(b"caf%", b"caf\x82")
    assert [entry.name for entry in archive(old).entries] == ["caf\u00e9/1.jpg"]


def test_windows_names(archive: List) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        for system, name in ((0, "cat\\1.jpg"), (3, "cat\\2.jpg")):
            info = zipfile.ZipInfo(name)
            info.create_system = system
            made.writestr(info, jpeg(1))
    assert [entry.name for entry in archive(file.getvalue()).entries] == ["cat/1.jpg", "cat\\2.jpg"]


@every_kind
def test_names_without_valid_unicode_or_full_of_surprises(archive: List, make: Callable[[Files], bytes]) -> None:
    names = [
        "cat/a\nb.jpg",
        "cat/-rf.jpg",
        "cat/\U0001f431.jpg",
        "=cmd()/1.jpg",
        "nan/1.jpg",
        " /1.jpg",
        "cat/" + "x" * 90,
    ]
    found = archive(make({name: jpeg(number) for number, name in enumerate(names)}))
    assert [entry.name for entry in found.entries] == names
    assert [entry.read() for entry in found.entries] == [jpeg(number) for number in range(len(names))]


def test_a_tar_may_hold_names_of_any_bytes(archive: List) -> None:
    data = make_tar({"cat/caf%.jpg": jpeg(1)}, form=tarfile.USTAR_FORMAT)
    broken = bytearray(data.replace(b"caf%", b"caf\xff"))
    broken[148:156] = b" " * 8
    broken[148:156] = b"%06o\0 " % sum(broken[:512])
    (entry,) = archive(bytes(broken)).entries
    assert entry.name == "cat/caf\\udcff.jpg"
    assert entry.read() == jpeg(1)


@every_kind
def test_litter_and_folders_are_passed_over(archive: List, make: Callable[[Files], bytes]) -> None:
    found = archive(
        make({"./cat/1.jpg": jpeg(1), "__MACOSX/cat/._1.jpg": b"x", "cat/.DS_Store": b"x", "cat//2.jpg": jpeg(2)})
    )
    assert [entry.name for entry in found.entries] == ["cat/1.jpg", "cat/2.jpg"]
    assert reasons(found) == {}


@every_kind
def test_what_is_no_image_is_dropped(archive: List, make: Callable[[Files], bytes]) -> None:
    files = {"cat/readme.txt": b"fluffy", "cat/1.jpg": b"", "cat/2": jpeg(2), "cat/3.jxl": b"\xff\x0a...."}
    found = archive(make({**files, "inner.zip": make_zip(FILES)}))
    assert reasons(found) == {
        "cat/readme.txt": "text: not supported",
        "cat/1.jpg": "empty file",
        "cat/3.jxl": "a JPEG XL image: not supported",
        "inner.zip": "a zip archive: not supported",
    }


ESCAPES = ["../1.jpg", "cat/../../1.jpg", "/etc/1.jpg", "cat/..", "..\\1.jpg", "cat\\..\\1.jpg"]


@every_kind
@pytest.mark.parametrize("name", ESCAPES)
def test_an_archive_that_escapes_is_refused(archive: List, make: Callable[[Files], bytes], name: str) -> None:
    with pytest.raises(
        InputError, match=r"archive: refused, because entry '.*' leads out of the archive's own folder: use"
    ):
        archive(make({**FILES, name: jpeg(1)}))


def test_a_windows_path_escapes_where_windows_made_it(archive: List) -> None:
    for name in ("C:\\1.jpg", "C:/1.jpg", "\\\\server\\share\\1.jpg"):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as made:
            info = zipfile.ZipInfo(name)
            info.create_system = 0
            made.writestr(info, jpeg(1))
        with pytest.raises(InputError, match="leads out of the archive's own folder"):
            archive(file.getvalue())


def test_links_and_devices_in_a_tar_are_dropped(archive: List) -> None:
    kinds = {
        "cat/soft.jpg": member("cat/soft.jpg", tarfile.SYMTYPE, linkname="/etc/passwd"),
        "cat/hard.jpg": member("cat/hard.jpg", tarfile.LNKTYPE, linkname="cat/0.jpg"),
        "cat/pipe.jpg": member("cat/pipe.jpg", tarfile.FIFOTYPE),
        "cat/null.jpg": member("cat/null.jpg", tarfile.CHRTYPE, devmajor=1, devminor=3),
        "cat/disk": member("cat/disk", tarfile.BLKTYPE),
        "dog": member("dog", tarfile.SYMTYPE, linkname="../.."),
    }
    found = archive(make_tar(FILES, list(kinds.values())))
    assert reasons(found) == {
        "cat/soft.jpg": "symbolic link: not followed",
        "cat/hard.jpg": "hard link: not followed",
        "cat/pipe.jpg": "named pipe: not read",
        "cat/null.jpg": "device: not read",
        "cat/disk": "device: not read",
        "dog": "symbolic link: not followed",
    }
    for entry in found.entries:
        if entry.fault:
            with pytest.raises(UnreadableImage, match=entry.fault):
                entry.read()


def test_links_and_devices_in_a_zip_are_dropped(archive: List) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        for number, kind in enumerate((0o120000, 0o010000, 0o020000, 0o100000, 0)):
            info = zipfile.ZipInfo(f"cat/{number}.jpg")
            info.external_attr = (kind | 0o644) << 16
            made.writestr(info, jpeg(number) if number > 2 else "/etc/passwd")
    found = archive(file.getvalue())
    assert reasons(found) == {f"cat/{number}.jpg": "link or device: not read" for number in range(3)}


def test_sparse_files_are_dropped(archive: List) -> None:
    info = member("cat/9.jpg", tarfile.GNUTYPE_SPARSE)
    found = archive(make_tar(FILES, [info], form=tarfile.GNU_FORMAT))
    assert reasons(found) == {"cat/9.jpg": "sparse file: not read"}


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_of_two_entries_of_one_name_the_first_counts(archive: List, kind: str) -> None:
    file = io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(file, "w") as made:
            for number in range(2):
                made.writestr("cat/1.jpg", jpeg(number))
    else:
        with tarfile.open(fileobj=file, mode="w") as tar:
            for number in range(2):
                info = tarfile.TarInfo("./cat/1.jpg" if number else "cat/1.jpg")
                info.size = len(jpeg(number))
                tar.addfile(info, io.BytesIO(jpeg(number)))
    found = archive(file.getvalue())
    assert [entry.read() for entry in found.entries] == [jpeg(0)]
    assert reasons(found) == {"cat/1.jpg": "a second entry of the same name: the first one counts"}


def test_encrypted_entries_are_dropped(archive: List) -> None:
    data = bytearray(make_zip({"cat/1.jpg": jpeg(1), "cat/2.jpg": jpeg(2)}))
    for mark, flags in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        data[data.index(mark) + flags] |= 1
    found = archive(bytes(data))
    assert reasons(found) == {"cat/1.jpg": "encrypted"}


def test_unknown_compression_is_dropped(archive: List) -> None:
    data = bytearray(make_zip({"cat/1.jpg": jpeg(1)}))
    data[data.index(b"PK\1\2") + 10] = 93
    assert reasons(archive(bytes(data))) == {"cat/1.jpg": "compressed by method 93: not supported"}


@pytest.mark.parametrize("kind", ["zip", "zip, stored", "zip, bzip2", "zip, lzma"])
def test_a_damaged_entry_of_a_zip_is_dropped_alone(archive: List, kind: str) -> None:
    data = bytearray(MAKERS[kind]({"cat/1.jpg": jpeg(1), "cat/2.jpg": jpeg(2)}))
    data[100:140] = bytes(40)
    first, second = archive(bytes(data)).entries
    with pytest.raises(UnreadableImage, match="damaged in the archive"):
        first.read()
    assert second.read() == jpeg(2)


@every_kind
@pytest.mark.parametrize("tenth", range(10))
def test_a_truncated_archive_is_refused(archive: List, make: Callable[[Files], bytes], tenth: int) -> None:
    data = make(FILES)
    with pytest.raises(InputError, match=DAMAGED):
        archive(data[: len(data) * tenth // 10])


@pytest.mark.parametrize("kind", ["tar.gz", "tar.bz2", "tar.xz"])
def test_a_compressed_tar_with_a_wrong_checksum_is_refused(archive: List, kind: str) -> None:
    data = bytearray(MAKERS[kind](FILES))
    place = {"tar.gz": -6, "tar.bz2": -3, "tar.xz": -40}[kind]
    data[place] ^= 0xFF
    with pytest.raises(InputError, match=DAMAGED):
        archive(bytes(data))


def test_a_tar_that_ends_before_its_end_mark_is_refused(archive: List) -> None:
    data = make_tar(FILES)
    second = 512 + -(-len(FILES["cat/0.jpg"]) // 512) * 512  # where the header of the second file begins
    for broken in (data[:second], data[:second] + b"\xff" * 512 + data[second + 512 :]):
        with pytest.raises(InputError, match=DAMAGED):
            archive(broken)


@pytest.mark.parametrize(
    "data",
    [b"", b"PK\3\4", b"\x1f\x8b", b"BZh9", b"\xfd7zXZ\0", gzip.compress(b"x", mtime=0), bytes(1024)],
)
def test_what_is_no_archive_is_refused(archive: List, data: bytes) -> None:
    with pytest.raises(InputError, match=DAMAGED):
        archive(data)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"text", "archive: text; expected a folder, or a zip or tar archive, of labelled images"),
        (jpeg(1), "archive: a JPEG image; expected a folder"),
        (
            b"7z\xbc\xaf\x27\x1c" + bytes(99),
            "archive: a 7z archive: unpack it and give the folder, or pack it again as zip",
        ),
        (b"Rar!\x1a\7\1\0" + bytes(99), "archive: a RAR archive: unpack it and give the folder"),
        (
            b"\x28\xb5\x2f\xfd" + bytes(99),
            "archive: compressed by Zstandard: unpack it (`tar --zstd -xf`)",
        ),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n",
            "archive: a Git LFS pointer and not the archive itself: run `git lfs pull`",
        ),
        (b"outs:\n- md5: 0\n", "archive: a DVC pointer file and not the archive itself: give the file without .dvc"),
    ],
)
def test_what_is_known_to_be_something_else_is_named(archive: List, data: bytes, message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        archive(data)


def test_folders_are_listed_too(archive: List) -> None:
    with_folders = {"cat/": b"", **FILES, "empty/": b""}
    assert archive(make_zip(with_folders)).folders == ["cat", "empty"]
    folders = [member(name, tarfile.DIRTYPE) for name in ("cat", "empty")]
    assert archive(make_tar(FILES, folders)).folders == ["cat", "empty"]


class RawInfo(zipfile.ZipInfo):
    """An entry whose name is written as the bytes that it is given, unmarked, as archivers on Windows do."""

    raw = b""

    def _encodeFilenameFlags(self) -> tuple[bytes, int]:  # noqa: N802 - zipfile asks for it under this name
        return self.raw, self.flag_bits


def raw_zip(names: list[bytes], extra: Callable[[bytes], bytes] = lambda _: b"") -> bytes:
    """A zip of images whose names are these bytes."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for number, name in enumerate(names):
            info = RawInfo(str(number))
            info.raw, info.extra, info.create_system = name, extra(name), 0
            archive.writestr(info, jpeg(number))
    return file.getvalue()


@pytest.mark.parametrize(
    ("encoding", "classes"),
    [
        ("cp866", ["кошка", "собака"]),
        ("gbk", ["猫", "狗"]),
        ("cp932", ["ネコ", "いぬ"]),
        ("cp949", ["고양이", "강아지"]),
        ("cp437", ["Grün", "Weiß"]),
        ("cp1251", ["кошка", "Собака"]),
    ],
)
def test_names_in_a_windows_code_page_are_guessed_and_the_guess_is_printed(
    archive: List, encoding: str, classes: list[str]
) -> None:
    names = [f"{name}/{number}.jpg" for name in classes for number in range(2)]
    listing = archive(raw_zip([name.encode(encoding) for name in names]))
    assert [entry.name for entry in listing.entries] == names
    (note,) = listing.notes
    assert f"read as {encoding}: {classes[0]!r}, {classes[1]!r}; if that is wrong, set it" in note
    assert "prepare.name_encoding=" in note


def test_names_in_a_code_page_that_is_named_are_taken_at_that_word(tmp_path: Path) -> None:
    names = ["猫/1.jpg", "狗/1.jpg"]
    (tmp_path / "pets.zip").write_bytes(raw_zip([name.encode("gbk") for name in names]))
    listing = list_archive(tmp_path / "pets.zip", "gbk")
    assert [entry.name for entry in listing.entries] == names
    assert listing.notes == []
    with pytest.raises(InputError, match=r"names are not in utf-8: set prepare.name_encoding to another code page"):
        list_archive(tmp_path / "pets.zip", "utf-8")


def test_names_that_say_themselves_that_they_are_unicode_need_no_guess(archive: List) -> None:
    """Info-ZIP writes the name once more, in an extra field of its own."""

    def extra(name: bytes) -> bytes:
        data = struct.pack("<BI", 1, zlib.crc32(name)) + name.decode("gbk").encode()
        return struct.pack("<HH", 0x7075, len(data)) + data

    names = ["猫/1.jpg", "狗猫/1.jpg"]
    listing = archive(raw_zip([name.encode("gbk") for name in names], extra))
    assert [entry.name for entry in listing.entries] == names
    assert listing.notes == []
    macos = archive(raw_zip([name.encode() for name in names]))
    assert [entry.name for entry in macos.entries] == names
    assert macos.notes == []


def test_a_zip_with_something_in_front_is_a_zip(archive: List) -> None:
    assert len(archive(b"#!/bin/sh\n" + make_zip(FILES)).entries) == len(FILES)


def test_a_tar_that_ends_in_a_zip_is_a_tar(archive: List) -> None:
    found = archive(make_tar({**FILES, "cat/last.jpg": make_zip({"dog/evil.jpg": jpeg(9)}, zipfile.ZIP_STORED)}))
    assert [entry.name for entry in found.entries] == [*FILES, "cat/last.jpg"]


def test_an_archive_that_may_not_be_read_is_refused(as_nobody: Path) -> None:
    path = as_nobody / "archive.zip"
    path.write_bytes(make_zip(FILES))
    path.chmod(0)
    with pytest.raises(InputError, match=r"archive.zip: can't be read \(Permission denied\)"):
        list_archive(path)


BOMB = "refused, because it unpacks to over 200 times its size, which images never do: pack the images themselves"


def test_a_zip_bomb_is_refused_by_what_it_declares(archive: List) -> None:
    """Of the kind of 42.zip, or of one whose entries share their bytes: petabytes declared in kilobytes."""
    data = bytearray(make_zip({f"cat/{number}.jpg": jpeg(1) for number in range(300)}))
    place = -1
    while (place := data.find(b"PK\1\2", place + 1)) >= 0:
        data[place + 24 : place + 28] = struct.pack("<I", 200 << 20)
    with pytest.raises(InputError, match=BOMB):
        archive(bytes(data))


def test_a_zip_entry_that_lies_about_its_size_is_damaged(archive: List) -> None:
    data = bytearray(make_zip({"cat/1.jpg": bytes(50 << 20), "cat/2.jpg": jpeg(2)}))
    for mark, size in ((b"PK\3\4", 22), (b"PK\1\2", 24)):
        place = data.index(mark) + size
        data[place : place + 4] = struct.pack("<I", 1000)
    first, _ = archive(bytes(data)).entries
    tracemalloc.start()
    with pytest.raises(UnreadableImage, match="damaged in the archive"):
        first.read()
    assert tracemalloc.get_traced_memory()[1] < 10 << 20
    tracemalloc.stop()


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress])
def test_a_tar_bomb_is_refused_by_what_it_unpacks_to(
    archive: List, compress: Callable[[bytes], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "_RATIO_MATTERS", 16 << 20)  # 1 GiB of zeros would take a while to make
    with pytest.raises(InputError, match=BOMB):
        archive(compress(make_tar({**FILES, "cat/zeros.jpg": bytes(32 << 20)})))
    with pytest.raises(InputError, match=BOMB):
        archive(compress(make_tar(FILES) + bytes(32 << 20)))


def test_a_tar_header_of_a_huge_size_takes_no_memory(archive: List) -> None:
    for kind in (tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.REGTYPE):
        info = tarfile.TarInfo("cat/1.jpg")
        info.type, info.size = kind, 8 << 30
        tracemalloc.start()
        with pytest.raises(InputError, match=DAMAGED + "|" + BOMB):
            archive(gzip.compress(info.tobuf(tarfile.GNU_FORMAT) + bytes(4096)))
        assert tracemalloc.get_traced_memory()[1] < 10 << 20
        tracemalloc.stop()


@pytest.mark.parametrize("size", [-512, -1024, -(1 << 40)])
def test_a_tar_of_negative_sizes_ends(archive: List, size: int) -> None:
    """A size below zero leads back to an earlier header: CVE-2025-8194."""
    info = tarfile.TarInfo("cat/2.jpg")
    info.size = size
    first = tarfile.TarInfo("cat/1.jpg")
    start = time.monotonic()
    with pytest.raises(InputError, match=DAMAGED):
        archive(first.tobuf() + info.tobuf(tarfile.GNU_FORMAT) + bytes(10240))
    assert time.monotonic() - start < 5


def test_an_archive_of_too_many_entries_is_refused(archive: List, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "_MAX_ENTRIES", 5)
    for make in (make_zip, make_tar):
        with pytest.raises(InputError, match="refused, because it holds over 5 entries: split it up"):
            archive(make(FILES))


@pytest.mark.parametrize("kind", ["tar.gz", "tar.bz2", "tar.xz"])
def test_a_compressed_tar_is_read_in_its_own_order_without_going_back(
    archive: List, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = archive(MAKERS[kind](FILES))
    places: list[int] = []
    seek = archives._TarStream.seek

    def seen(stream: archives._TarStream, place: int) -> int:
        places.append(place)
        return seek(stream, place)

    monkeypatch.setattr(archives._TarStream, "seek", seen)
    for entry in found.entries:
        entry.read()
    assert places == sorted(places)
    assert len(places) == len(FILES)


SEEDS = [make(FILES) for make in MAKERS.values()]


@settings(max_examples=100, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_damage_anywhere_is_a_listing_or_one_line(tmp_path: Path, data: st.DataObject) -> None:
    content = bytearray(data.draw(st.sampled_from(SEEDS)))
    for _ in range(data.draw(st.integers(1, 6))):
        start = data.draw(st.integers(0, len(content) - 1))
        content[start : start + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=4))
    path = tmp_path / "archive"
    path.write_bytes(content)
    with suppress(InputError):
        found = list_archive(path)
        for entry in found.entries:
            with suppress(UnreadableImage):
                assert isinstance(entry.read(), bytes)
        found.close()
