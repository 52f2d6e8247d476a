"""The way in for one's own images, as a person uses it."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml

from headstart.foundation.errors import InputError
from headstart.sources.sources import open_source
from stages import add
from tests.pictures import fill, jpeg, two_classes

ROOT = Path(__file__).parent.parent


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a module in ``folder``."""
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "DVC_NO_ANALYTICS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder under DVC's control, with images beside it."""
    folder = tmp_path_factory.mktemp("repository")
    assert run(folder, "dvc", "init", "--no-scm", "--quiet").returncode == 0
    return folder


def test_a_folder_is_packed_and_tracked(repository: Path, tmp_path: Path) -> None:
    files = {**two_classes(3), "cat/broken.jpg": jpeg(1)[:99], "dog/notes.txt": b"notes"}
    pets = fill(tmp_path / "my pets", files)
    done = run(repository, "stages.add", str(pets), "--name", "pets")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "data/sources/pets.zip: 6 images of 2 classes: 'cat' 3, 'dog' 3",
        "dropped 2 files, listed in data/sources/pets.dropped.csv:",
        "  1 × text: not supported, such as 'dog/notes.txt'",
        "  1 × truncated JPEG, such as 'cat/broken.jpg'",
        "use it with:",
        "  dvc exp run -S prepare.source=data/sources/pets.zip",
    ]
    assert "reading images" in done.stderr
    sources = repository / "data/sources"
    assert sorted(path.name for path in sources.iterdir()) == ["pets.dropped.csv", "pets.zip", "pets.zip.dvc"]
    pointer = yaml.safe_load((sources / "pets.zip.dvc").read_text())
    assert pointer["outs"][0]["path"] == "pets.zip"
    with open_source(sources / "pets.zip", tmp_path) as source:
        assert {image.name: image.read() for image in source.images} == two_classes(3)

    # The same once more changes nothing; other images under that name are refused, the archive there or not.
    before = {path.name: path.read_bytes() for path in sources.iterdir()}
    assert run(repository, "stages.add", str(pets), "--name", "pets").returncode == 0
    assert {path.name: path.read_bytes() for path in sources.iterdir()} == before
    fill(pets, {"cat/9.jpg": jpeg(9)})
    for _ in range(2):
        refused = run(repository, "stages.add", str(pets), "--name", "pets")
        assert refused.returncode == 1
        assert "error: data/sources/pets.zip: there already, with other images: choose another name" in refused.stderr
        assert {path.name: path.read_bytes() for path in sources.iterdir()} == before
        (sources / "pets.zip").unlink(missing_ok=True)
        before.pop("pets.zip", None)


def test_outside_a_repository_it_says_so_at_once(tmp_path: Path) -> None:
    fill(tmp_path / "pets", two_classes(1))
    done = run(tmp_path, "stages.add", "pets")
    assert done.returncode == 1
    assert done.stderr == f"error: {tmp_path}: not a project of DVC's: run this from the project's folder\n"
    assert not (tmp_path / "data").exists()


def test_if_dvc_refuses_its_reason_is_told(tmp_path: Path) -> None:
    fill(tmp_path, {"dvc.yaml": b"stages: nonsense", ".dvc/config": b""})
    fill(tmp_path / "pets", two_classes(1))
    done = run(tmp_path, "stages.add", "pets")
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith("error: data/sources/pets.zip is written, but `dvc add` failed (ERROR: ")
    assert last.endswith("mend that and run it again")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing"], "error: missing: no such file or folder; expected a folder of images, an archive or an entry"),
        (["one"], "error: one: one class only, 'cat' (1 images); expected two classes or more"),
        (["evil.zip"], "error: evil.zip: refused, since entry '../1.jpg' leads out of the archive's own folder"),
        (["pets", "--name", "../pets"], "error: --name: found '../pets', expected letters, digits"),
        (["pets", "--name", ""], "error: --name: found '', expected letters, digits"),
        (["pets", "--name", "-x"], "expected one argument"),
    ],
)
def test_bad_input_is_told_and_nothing_is_written(tmp_path: Path, arguments: list[str], message: str) -> None:
    fill(tmp_path, {"one/cat/1.jpg": jpeg(1), ".dvc/config": b""})
    fill(tmp_path / "pets", two_classes(1))
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as archive:
        archive.writestr("../1.jpg", jpeg(1))
    done = run(tmp_path, "stages.add", *arguments)
    assert done.returncode != 0
    assert message in done.stderr.splitlines()[-1]
    assert list(tmp_path.rglob("data/sources/*")) == []


def test_help_tells_how_to_use_it() -> None:
    done = run(ROOT, "stages.add", "--help")
    assert done.returncode == 0
    for part in ("usage: python -m stages.add", "FOLDER_OR_ARCHIVE", "--name", "cat.0.jpg", "Example:"):
        assert part in done.stdout


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("birds", "birds"),
        ("birds.2024", "birds.2024"),
        ("birds.zip", "birds"),
        ("birds.tar.gz", "birds"),
        ("birds.v2.tgz", "birds.v2"),
        ("_x", "x"),
        ("my birds", "my_birds-"),
        (".", "work"),
    ],
)
def test_the_default_name_is_that_of_the_folder_or_archive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, expected: str
) -> None:
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    if path.endswith(("zip", "gz")):
        Path(path).touch()
    assert add.default_name(Path(path)).startswith(expected)
    assert add.default_name(Path(path)) == expected or expected.endswith("-")


def test_a_list_of_what_was_dropped_does_not_outlive_its_reason(tmp_path: Path) -> None:
    pets = fill(tmp_path / "pets", {**two_classes(1), "cat/x.txt": b"text"})
    target = tmp_path / "sources/pets.zip"
    add.add(pets, target)
    assert (tmp_path / "sources/pets.dropped.csv").exists()
    (pets / "cat/x.txt").unlink()
    add.add(pets, target)
    assert not (tmp_path / "sources/pets.dropped.csv").exists()


@pytest.mark.parametrize("content", ["", "outs: []", "[", "outs:\n- path: pets.zip\n"])
def test_a_pointer_that_is_none_is_refused(tmp_path: Path, content: str) -> None:
    pets = fill(tmp_path / "pets", two_classes(1))
    fill(tmp_path, {"sources/pets.zip.dvc": content.encode()})
    with pytest.raises(InputError, match=r"pets.zip.dvc: not a file of DVC's: mend or delete it"):
        add.add(pets, tmp_path / "sources/pets.zip")
    assert sorted(path.name for path in (tmp_path / "sources").iterdir()) == ["pets.zip.dvc"]


def test_many_classes_are_told_shortly(tmp_path: Path) -> None:
    pets = fill(tmp_path / "pets", {f"class {number:02}/1.jpg": jpeg(number) for number in range(12)})
    target = tmp_path / "my sources" / "pets.zip"
    lines = add.report(add.add(pets, target), target)
    assert lines[0].endswith(
        ": 12 images of 12 classes: " + ", ".join(f"'class {n:02}' 1" for n in range(10)) + " and 2 more"
    )
    assert lines[-1] == f"  dvc exp run -S 'prepare.source={target}'"
