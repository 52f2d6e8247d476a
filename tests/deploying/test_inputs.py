"""Whatever is named on a command line, every file of it is there once, and nothing blocks or leads elsewhere."""

import os
from pathlib import Path

import pytest

from headstart.deploying.inputs import InputFile, gather
from headstart.foundation.framing import Framing
from headstart.images import images
from headstart.images.images import UnreadableImage
from tests import hostile
from tests.hostile import LINK, PIPE, hostile_folder
from tests.pictures import fill, jpeg


def reason(file: InputFile) -> str | None:
    """Why it is no image, if so."""
    try:
        images.square(file.read(), Framing(8))
    except UnreadableImage as error:
        return error.reason
    return None


def told(*paths: Path) -> dict[str, str | None]:
    """Names with reasons; no name may be there twice."""
    files = gather(paths).files
    assert len({file.name for file in files}) == len(files)
    return {file.name: reason(file) for file in files}


def test_a_hostile_folder_is_accounted_for_file_by_file(tmp_path: Path) -> None:
    root = tmp_path / "pets"
    with hostile_folder(root) as reasons:
        found = gather([root])
        expected = dict.fromkeys(hostile.images()) | reasons
        assert told(root) == {f"{root}/{name}": why for name, why in expected.items()}
        # A hidden file, a list of thumbnails, a folder of macOS.
        assert found.passed_over == 3
        everything = [Path(folder, name) for folder, _, names in os.walk(root) for name in names]
        folders_as_links = 3  # which os.walk counts among the folders
        assert len(found.files) + found.passed_over == len(everything) + folders_as_links


def test_files_come_as_named_and_those_of_a_folder_in_natural_order(tmp_path: Path) -> None:
    names = ["cat.2.jpg", "cat.10.jpg", "notes.9.txt", "zebra/1.jpg"]
    fill(tmp_path / "pets", dict.fromkeys(names, b"text"))
    fill(tmp_path, {"z.jpg": jpeg(1), "a.jpg": jpeg(2)})
    found = gather([tmp_path / "z.jpg", tmp_path / "pets", tmp_path / "a.jpg", tmp_path / "z.jpg"])
    places = ["z.jpg", *(f"pets/{name}" for name in names), "a.jpg", "z.jpg"]
    assert [file.name for file in found.files] == [f"{tmp_path}/{place}" for place in places]


@pytest.mark.parametrize(
    ("folder", "expected"), [(".", "pets/1.jpg"), ("pets/", "pets/1.jpg"), ("pets/..", "pets/../")]
)
def test_names_lead_to_the_files_from_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str, expected: str
) -> None:
    fill(tmp_path, {"pets/1.jpg": jpeg(1)})
    monkeypatch.chdir(tmp_path)
    ((name, _),) = gather([Path(folder)]).files
    assert name.startswith(expected)
    assert Path(name).read_bytes() == jpeg(1)


def test_what_is_named_and_is_no_file_is_told_and_never_waited_for(tmp_path: Path) -> None:
    fill(tmp_path, {"1.jpg": jpeg(1), "empty": b""})
    os.mkfifo(tmp_path / "pipe.jpg")
    links = {"link": "1.jpg", "link.png": "pipe.jpg", "loop": "loop", "dangling": "nowhere", "zero": "/dev/zero"}
    for name, target in links.items():
        (tmp_path / name).symlink_to(target)
    expected = {
        "link": None,
        "1.jpg": None,
        "empty": "empty file",
        "pipe.jpg": PIPE,
        "link.png": PIPE,
        "loop": LINK,
        "dangling": "no such file or directory",
        "1.jpg/inside": "not a directory",
        "x" * 300: "path too long",
        "zero": "device: not read",
    }
    assert told(*(tmp_path / name for name in expected)) == {
        f"{tmp_path}/{name}": why for name, why in expected.items()
    }


def test_a_folder_that_is_named_by_a_link_is_listed(tmp_path: Path) -> None:
    fill(tmp_path, {"pets/1.jpg": jpeg(1)})
    (tmp_path / "link").symlink_to("pets")
    assert told(tmp_path / "link") == {f"{tmp_path}/link/1.jpg": None}


def test_what_may_not_be_read_does_not_stop_the_rest(as_nobody: Path) -> None:
    fill(as_nobody, {"1.jpg": jpeg(1), "locked/2.jpg": jpeg(2), "mine.jpg": jpeg(3)})
    (as_nobody / "locked").chmod(0)
    (as_nobody / "mine.jpg").chmod(0)
    found = told(as_nobody / "locked", as_nobody / "locked/2.jpg", as_nobody / "mine.jpg", as_nobody / "1.jpg")
    locked = found.pop(f"{as_nobody}/locked")
    assert locked
    assert "can't read the folder (Permission denied)" in locked
    assert found == {
        f"{as_nobody}/locked/2.jpg": "permission denied",
        f"{as_nobody}/mine.jpg": "permission denied",
        f"{as_nobody}/1.jpg": None,
    }


def test_what_vanishes_meanwhile_does_not_stop_the_rest(tmp_path: Path) -> None:
    fill(tmp_path, {"1.jpg": jpeg(1), "2.jpg": jpeg(2)})
    gone, there = gather([tmp_path]).files
    (tmp_path / "1.jpg").unlink()
    assert "can't read 1.jpg (No such file or directory)" in str(reason(gone))
    assert reason(there) is None


def test_names_that_are_no_utf_8_can_be_told_and_their_files_read(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.jpg")
    fill(tmp_path, {name: jpeg(1)})
    expected = {f"{tmp_path}/caf\\udce9.jpg": None}
    assert told(tmp_path) == told(tmp_path / name) == expected
