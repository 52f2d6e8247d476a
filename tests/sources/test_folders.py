"""A folder is listed without ever leaving it, blocking on it or losing count of it."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from headstart.foundation.errors import InputError
from headstart.images.images import UnreadableImage
from headstart.sources import listing
from headstart.sources.folders import list_folder
from tests.hostile import DANGLING, LEADS_OUT, TO_A_FOLDER
from tests.pictures import encode, fill, jpeg, pixels


def reasons(found: listing.Listing) -> dict[str, str]:
    """Why each file is dropped, whether it is an image or not."""
    return {item.name: item.reason for item in found.dropped} | {
        entry.name: entry.fault for entry in found.entries if entry.fault
    }


def test_images_are_listed_sorted_and_read_as_they_are(tmp_path: Path) -> None:
    files = {"cat/2.jpg": jpeg(2), "cat/10.JPG": jpeg(10), "dog/a/b/1.PnG": encode(pixels(1), "PNG")}
    found = list_folder(fill(tmp_path, files))
    assert {entry.name: entry.read() for entry in found.entries} == files
    assert [entry.likeness for entry in found.entries] == [len(files[entry.name]) for entry in found.entries]
    assert found.dropped == []


def test_without_an_extension_the_first_bytes_decide(tmp_path: Path) -> None:
    files = {
        "cat/1": jpeg(1),
        "cat/2.dat": jpeg(2),
        "cat/3.jxl": jpeg(3),
        "cat/4.jxl": b"\xff\x0a" + bytes(99),
        "cat/notes.txt": b"fluffy",
        "cat/index": b"<html></html>",
        "cat/film.mp4": b"\0\0\0\x18ftypisom" + bytes(99),
        "cat/empty": b"",
    }
    found = list_folder(fill(tmp_path, files))
    assert [entry.name for entry in found.entries] == ["cat/1", "cat/2.dat", "cat/3.jxl", "cat/4.jxl"]
    assert reasons(found) == {
        "cat/4.jxl": "a JPEG XL image: not supported",
        "cat/notes.txt": "text: not supported",
        "cat/index": "a web page: not supported",
        "cat/film.mp4": "a film: not supported",
        "cat/empty": "empty file",
    }
    with pytest.raises(UnreadableImage, match="a JPEG XL image: not supported"):
        found.entries[3].read()


def test_hidden_files_and_litter_are_passed_over(tmp_path: Path) -> None:
    names = ["cat/.1.jpg", ".cat/1.jpg", "cat/._1.jpg", "__MACOSX/cat/1.jpg", "cat/Thumbs.db", "cat/.DS_Store"]
    found = list_folder(fill(tmp_path, dict.fromkeys(names, jpeg(1))))
    assert found.entries == []
    assert found.dropped == []
    assert found.passed_over == len(names)  # two of them folders


def test_links_that_lead_out_or_to_folders_are_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outside = fill(tmp_path / "outside", {"secret.jpg": jpeg(1)})
    root = fill(tmp_path / "root", {"cat/1.jpg": jpeg(2)})
    monkeypatch.chdir(root)
    (root / "cat/file.jpg").symlink_to(outside / "secret.jpg")
    (root / "cat/up.jpg").symlink_to("../../outside/secret.jpg")
    (root / "cat/dangling.jpg").symlink_to("nowhere")
    (root / "cat/loop.jpg").symlink_to("loop.jpg")
    (root / "cat/up").symlink_to("..")
    (root / "dog").symlink_to(outside)
    found = list_folder(root)
    assert reasons(found) == {
        "cat/file.jpg": LEADS_OUT,
        "cat/up.jpg": LEADS_OUT,
        "cat/dangling.jpg": DANGLING,
        "cat/loop.jpg": DANGLING,
        "cat/up": TO_A_FOLDER,
        "dog": TO_A_FOLDER,
    }
    assert [entry.name for entry in found.entries if not entry.fault] == ["cat/1.jpg"]


def test_links_inside_the_folder_or_the_project_are_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = fill(tmp_path / "project", {".dvc/config": b"", "blobs/1f": jpeg(1), "params.yaml": b""})
    root = fill(tmp_path / "pets", {"cat/1.jpg": jpeg(2), "cat/real/3": jpeg(3)})
    monkeypatch.chdir(project)
    (root / "cat/inside.jpg").symlink_to(root / "cat/1.jpg")
    (root / "cat/relative").symlink_to("real/3")
    (root / "cat/project.jpg").symlink_to(project / "blobs/1f")
    (root / "cat/chain.jpg").symlink_to("project.jpg")
    found = list_folder(root)
    assert reasons(found) == {}
    assert {entry.name: entry.read() for entry in found.entries} == {
        "cat/1.jpg": jpeg(2),
        "cat/inside.jpg": jpeg(2),
        "cat/relative": jpeg(3),
        "cat/real/3": jpeg(3),
        "cat/project.jpg": jpeg(1),
        "cat/chain.jpg": jpeg(1),
    }


def test_files_that_dvc_links_to_its_cache_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As with `cache.type symlink`, the cache being somewhere else on the machine."""
    project = tmp_path / "project"
    files = {"pets/cat/1.jpg": jpeg(1), "pets/dog/1.jpg": jpeg(2)}
    fill(project, files)
    monkeypatch.chdir(project)
    monkeypatch.setenv("DVC_NO_ANALYTICS", "1")
    for command in (
        ["init", "--no-scm", "--quiet"],
        ["config", "cache.type", "symlink"],
        ["cache", "dir", str(tmp_path / "cache")],
        ["add", "--quiet", "pets"],
    ):
        subprocess.run([sys.executable, "-m", "dvc", *command], check=True, capture_output=True)
    assert (project / "pets/cat/1.jpg").is_symlink()
    found = list_folder(Path("pets"))
    assert {f"pets/{entry.name}": entry.read() for entry in found.entries} == files


def test_folders_are_listed_too(tmp_path: Path) -> None:
    fill(tmp_path, {"cat/1.jpg": jpeg(1)})
    (tmp_path / "empty").mkdir()
    assert list_folder(tmp_path).folders == ["cat", "empty"]


def test_the_folder_itself_may_be_a_link(tmp_path: Path) -> None:
    fill(tmp_path / "real", {"cat/1.jpg": jpeg(1)})
    (tmp_path / "link").symlink_to("real")
    assert [entry.read() for entry in list_folder(tmp_path / "link").entries] == [jpeg(1)]


def test_pipes_sockets_and_devices_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path, {"cat/1.jpg": jpeg(1)})
    os.mkfifo(tmp_path / "cat/pipe.jpg")
    os.mkfifo(tmp_path / "cat/pipe")
    monkeypatch.chdir(tmp_path)  # The path of a socket must be short.
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("cat/socket.jpg")
        found = list_folder(tmp_path)
    expected = {
        "cat/pipe.jpg": "named pipe: not read",
        "cat/pipe": "named pipe: not read",
        "cat/socket.jpg": "socket: not read",
    }
    assert reasons(found) == expected


def test_devices_are_not_read() -> None:
    shown = reasons(list_folder(Path("/dev")))
    assert shown["null"] == shown["zero"] == "device: not read"


@pytest.mark.parametrize("kind", ["pipe", "link", "socket", "folder"])
def test_what_takes_a_files_place_later_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    fill(tmp_path, {"cat/1.jpg": jpeg(1)})
    (entry,) = list_folder(tmp_path).entries
    monkeypatch.chdir(tmp_path)
    Path("cat/1.jpg").unlink()
    match kind:
        case "pipe":
            os.mkfifo("cat/1.jpg")
        case "link":
            Path("cat/1.jpg").symlink_to("/etc/passwd")
        case "socket":
            with socket.socket(socket.AF_UNIX) as server:
                server.bind("cat/1.jpg")
        case "folder":
            Path("cat/1.jpg").mkdir()
    with pytest.raises(UnreadableImage, match=r"not a regular file|symbolic link: not followed"):
        entry.read()


def test_a_file_that_vanishes_stops_the_run(tmp_path: Path) -> None:
    fill(tmp_path, {"cat/1.jpg": jpeg(1)})
    (entry,) = list_folder(tmp_path).entries
    (tmp_path / "cat/1.jpg").unlink()
    expected = r"can't read cat/1.jpg \(No such file or directory\): check that it is there, mounted and readable"
    with pytest.raises(InputError, match=expected):
        entry.read()


def test_a_folder_that_is_not_there_stops_the_run(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="can't read the folder"):
        list_folder(tmp_path / "missing")


def test_what_may_not_be_read_is_dropped(as_nobody: Path) -> None:
    fill(as_nobody, {"cat/1.jpg": jpeg(1), "cat/2.jpg": jpeg(2), "cat/3": jpeg(3), "dog/1.jpg": jpeg(4)})
    (as_nobody / "cat/2.jpg").chmod(0)
    (as_nobody / "cat/3").chmod(0)
    (as_nobody / "dog").chmod(0)
    found = list_folder(as_nobody)
    assert reasons(found) == {"cat/3": "permission denied", "dog": "permission denied"}
    assert [entry.name for entry in found.entries] == ["cat/1.jpg", "cat/2.jpg"]
    with pytest.raises(UnreadableImage, match="permission denied"):
        found.entries[1].read()


def test_a_folder_that_may_be_listed_but_not_entered(as_nobody: Path) -> None:
    fill(as_nobody, {"cat/1.jpg": jpeg(1), "dog/1.jpg": jpeg(2)})
    (as_nobody / "dog").chmod(0o444)
    found = list_folder(as_nobody)
    assert reasons(found) == {"dog/1.jpg": "permission denied"}


def test_files_that_are_too_large_are_not_read(tmp_path: Path) -> None:
    fill(tmp_path, {"cat/1.jpg": jpeg(1)})
    with (tmp_path / "cat/1.jpg").open("r+b") as file:
        file.truncate(1 << 40)  # a hole: it takes no room
    assert reasons(list_folder(tmp_path)) == {"cat/1.jpg": "too large: over 256 MB"}


def test_any_name_is_listed_as_valid_unicode(tmp_path: Path) -> None:
    names = [b"a b.jpg", b"a\nb.jpg", "\U0001f431.jpg".encode(), "e\u0301.jpg".encode(), "\u00e9.jpg".encode()]
    names += [b"\xff\xfe.jpg", b"-rf.jpg", b"x" * 251 + b".jpg", b"a\\b.jpg", b"*?.jpg", b"\x1b[31m.jpg"]
    (tmp_path / "cat").mkdir()
    for number, name in enumerate(names):
        with open(os.fsencode(tmp_path) + b"/cat/" + name, "wb") as file:  # noqa: PTH123 - a Path holds no bytes
            file.write(jpeg(number))
    found = list_folder(tmp_path)
    assert len({entry.name for entry in found.entries}) == len(names)
    assert {entry.read() for entry in found.entries} == {jpeg(number) for number in range(len(names))}
    for entry in found.entries:
        entry.name.encode()
    assert "cat/\\udcff\\udcfe.jpg" in {entry.name for entry in found.entries}


def test_trees_deeper_than_a_path_can_be_are_dropped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path, {"cat/1.jpg": jpeg(1)})
    monkeypatch.chdir(tmp_path)
    for _ in range(20):
        Path("d" * 250).mkdir()
        os.chdir("d" * 250)
    Path("deep.jpg").write_bytes(jpeg(2))
    found = list_folder(tmp_path)
    assert [entry.name for entry in found.entries] == ["cat/1.jpg"]
    assert [item.reason for item in found.dropped] == ["path too long"]


def test_an_error_of_the_device_stops_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No file system here fails on demand, so the read itself has to be replaced."""
    fill(tmp_path, {"cat/1.jpg": jpeg(1)})
    (entry,) = list_folder(tmp_path).entries

    def failing(*_: object) -> int:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "open", failing)
    with pytest.raises(InputError, match=r"can't read cat/1.jpg \(Input/output error\)"):
        entry.read()
