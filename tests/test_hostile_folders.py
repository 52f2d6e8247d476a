"""A folder of hostile files, end to end: added as a source, used directly, drawn, decoded, written to CSV."""

import csv
import os
import subprocess
import sys
import tarfile
import time
import zipfile
from pathlib import Path

import pytest
import yaml

from headstart.adding.archive import add, report
from headstart.foundation.framing import Framing
from headstart.images import manifest
from headstart.images.images import load
from headstart.sources import dropped
from headstart.sources.sources import open_source
from headstart.sources.subset import Subset, draw
from tests import hostile
from tests.command import PROJECT
from tests.hostile import CLASSES, hostile_folder
from tests.pictures import fill

COUNTS: dict[str, int | float] = {"train": 1, "validation": 1, "test": 1}
# Far more than it takes, far less than it takes to wait for a pipe or to decode a bomb.
SECONDS = 20
ROOT = Path(__file__).parent.parent


def drawn(path: Path, folder: Path, counts: dict[str, int | float]) -> Subset:
    """Draw from ``path`` into ``folder``, and write both lists as the stage does."""
    folder.mkdir()
    with open_source(path, folder) as source:
        subset = draw(source, folder, counts, "number", 1)
    manifest.write(subset.frame, folder / "manifest.csv")
    dropped.write(subset.dropped, folder / "dropped.csv")
    return subset


def listed(path: Path) -> dict[str, str]:
    """Names and reasons in a list of what was dropped."""
    with path.open(encoding="utf-8", newline="") as file:
        return {row["name"]: row["reason"] for row in csv.DictReader(file)}


def check_prepared(folder: Path, images: set[bytes]) -> None:
    """Check that a prepared folder holds nothing but these images, and that each loads."""
    frame = manifest.read(folder / "manifest.csv")
    assert set(frame["class"]) == set(CLASSES)
    assert manifest.class_names(frame) == sorted(CLASSES)
    for path in frame["path"]:
        assert (folder / path).read_bytes() in images
        assert load(folder / path, Framing(16)).shape == (16, 16, 3)
        assert path.isascii()
        assert "\n" not in path
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert files == {*frame["path"], "manifest.csv", "dropped.csv"}
    assert not any(path.is_symlink() for path in folder.rglob("*"))


def test_added_as_a_source_every_image_comes_through_and_nothing_else(tmp_path: Path) -> None:
    images = hostile.images()
    target = tmp_path / "sources" / "pets.zip"
    start = time.monotonic()
    with hostile_folder(tmp_path / "pets") as reasons:
        packed = add(tmp_path / "pets", target)
        again = add(tmp_path / "pets", tmp_path / "again" / "pets.zip")
    assert time.monotonic() - start < SECONDS
    assert {item.name: item.reason for item in packed.dropped} == reasons
    assert {image.name for image in packed.images} == set(images)
    assert listed(target.with_suffix(".dropped.csv")) == reasons
    assert all(line.isprintable() for line in report(packed, target))
    with zipfile.ZipFile(target) as archive:
        assert sorted(archive.read(name) for name in archive.namelist()) == sorted(images.values())
        assert not any(name.startswith("/") or ".." in name.split("/") for name in archive.namelist())
    assert target.read_bytes() == (tmp_path / "again" / "pets.zip").read_bytes()
    assert len(again.images) == len(packed.images)

    subset = drawn(target, tmp_path / "prepared", COUNTS)
    assert subset.dropped == []
    check_prepared(tmp_path / "prepared", set(images.values()))


@pytest.mark.parametrize("fractions", [False, True])
def test_used_directly_it_is_drawn_the_same(tmp_path: Path, fractions: bool) -> None:
    counts: dict[str, int | float] = {"train": 0.4, "validation": 0.3, "test": 0.3} if fractions else COUNTS
    start = time.monotonic()
    with hostile_folder(tmp_path / "pets") as reasons:
        subset = drawn(tmp_path / "pets", tmp_path / "prepared", counts)
    assert time.monotonic() - start < SECONDS
    check_prepared(tmp_path / "prepared", set(hostile.images().values()))
    found = {item.name: item.reason for item in subset.dropped}
    assert found == listed(tmp_path / "prepared" / "dropped.csv")
    if fractions:
        assert found == reasons
        assert len(subset.frame) == len(hostile.images())
    else:
        assert found.items() <= reasons.items()


def test_an_archive_of_it_is_drawn_the_same(tmp_path: Path) -> None:
    """What an archive can hold of it: links and pipes go into a tar as what they are."""
    with hostile_folder(tmp_path / "pets") as reasons, tarfile.open(tmp_path / "pets.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "pets", ".")
    subset = drawn(tmp_path / "pets.tar.gz", tmp_path / "prepared", {"train": 0.4, "validation": 0.3, "test": 0.3})
    reasons.pop("cat/socket.jpg")
    reasons = {name: hostile.LINK if "link" in reason else reason for name, reason in reasons.items()}
    assert {item.name: item.reason for item in subset.dropped} == reasons
    check_prepared(tmp_path / "prepared", set(hostile.images().values()))


def test_from_the_command_line_to_the_prepared_images(tmp_path: Path) -> None:
    """As a person does it: DVC tracks the source, and the stage draws from it."""
    project = tmp_path / "project"
    project.mkdir()
    tools = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": tools, "PYTHONPATH": str(ROOT)}

    def run(*command: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done

    params = yaml.safe_load((ROOT / "presets/quick.yaml").read_text())
    params["prepare"] |= {"source": "data/sources/pets.zip", "order": "random", **COUNTS}
    (project / "params.yaml").write_text(yaml.safe_dump(params))
    fill(project, PROJECT)
    with hostile_folder(tmp_path / "pets") as reasons:
        added = run("headstart", "add", str(tmp_path / "pets"))
    assert f"dropped {len(reasons)} files" in added.stdout
    assert all(line.isprintable() for line in added.stdout.splitlines())
    prepared = run("python", "-m", "stages.prepare")
    assert prepared.stdout.startswith("39 images of 13 classes: 13 train, 13 validation, 13 test")
    check_prepared(project / "data/prepared", set(hostile.images().values()))
