"""The way in for one's own images, as a person uses it."""

import re
import shlex
import shutil
import zipfile
from pathlib import Path

import pytest
import yaml

from headstart.adding.archive import add, default_name, report
from headstart.foundation.errors import InputError
from headstart.sources.sources import open_source
from tests import clones
from tests.command import PROJECT, headstart, make_project
from tests.pictures import fill, jpeg, two_classes
from tests.pipeline import ROOT


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project without git."""
    return with_presets(make_project(tmp_path_factory.mktemp("repository")))


def with_presets(folder: Path) -> Path:
    """Give a project what `add` reads and writes of it."""
    shutil.copytree(ROOT / "presets", folder / "presets")
    shutil.copy(ROOT / "presets" / "quick.yaml", folder / "params.yaml")
    return folder


def test_a_folder_is_packed_and_tracked(repository: Path, tmp_path: Path) -> None:
    files = {**two_classes(5), "cat/broken.jpg": jpeg(1)[:99], "dog/notes.txt": b"notes"}
    pets = fill(tmp_path / "my pets", files)
    done = headstart(repository, "add", str(pets), "--name", "pets")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "data/sources/pets.zip: 10 images of 2 classes: 'cat' 5, 'dog' 5",
        "dropped 2 files, listed in data/sources/pets.dropped.csv:",
        "  1 × text: not supported, such as 'dog/notes.txt'",
        "  1 × truncated JPEG, such as 'cat/broken.jpg'",
        "params.yaml: the settings of presets/quick.yaml (small pictures, 32 × 24 pixels in the median)",
        "  training 0.6, validation 0.2, test 0.2 of each class, drawn at random",
        "next:",
        "  make run",
    ]
    sources = repository / "data/sources"
    assert sorted(path.name for path in sources.iterdir()) == ["pets.dropped.csv", "pets.zip", "pets.zip.dvc"]
    pointer = yaml.safe_load((sources / "pets.zip.dvc").read_text())
    assert pointer["outs"][0]["path"] == "pets.zip"
    with open_source(sources / "pets.zip", tmp_path) as source:
        assert {image.name: image.read() for image in source.images} == two_classes(5)

    # The same once more changes nothing; other images under that name are refused, the archive there or not.
    before = {path.name: path.read_bytes() for path in sources.iterdir()}
    settings = (repository / "params.yaml").read_bytes()
    again = headstart(repository, "add", str(pets), "--name", "pets").stdout
    assert again.endswith("\nparams.yaml already points at it and stays as it is\nnext:\n  make run\n")
    assert (repository / "params.yaml").read_bytes() == settings
    assert {path.name: path.read_bytes() for path in sources.iterdir()} == before
    fill(pets, {"cat/9.jpg": jpeg(9)})
    for _ in range(2):
        refused = headstart(repository, "add", str(pets), "--name", "pets")
        assert refused.returncode == 1
        assert (
            "error: data/sources/pets.zip: already exists with different images: choose another name" in refused.stderr
        )
        assert {path.name: path.read_bytes() for path in sources.iterdir()} == before
        (sources / "pets.zip").unlink(missing_ok=True)
        before.pop("pets.zip", None)


def test_outside_a_repository_it_says_so_at_once(tmp_path: Path) -> None:
    fill(tmp_path / "pets", two_classes(1))
    done = headstart(tmp_path, "add", "pets")
    assert done.returncode == 1
    assert done.stderr == (
        f"error: {tmp_path}: not inside a Headstart project: run this in the folder of your clone or below it\n"
    )
    assert not (tmp_path / "data").exists()


def test_if_dvc_refuses_its_reason_is_told(tmp_path: Path) -> None:
    fill(tmp_path, {"dvc.yaml": b"stages: nonsense", ".dvc/config": b""})
    fill(tmp_path / "pets", two_classes(5))
    done = headstart(tmp_path, "add", "pets")
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith("error: data/sources/pets.zip is written, but `dvc add` failed (ERROR: ")
    assert last.endswith("fix that and run it again")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing"], "error: missing: no such file or folder; expected a folder of images, an archive or an entry"),
        (["one"], "error: one: one class only, 'cat' (1 images); expected two classes or more"),
        (
            ["few"],
            "error: class 'cat': 2 usable images, too few for one each for training, validation, test",
        ),
        (["evil.zip"], "error: evil.zip: refused, because entry '../1.jpg' leads out of the archive's own folder"),
        (["pets", "--name", "../pets"], "error: --name: found '../pets', expected letters, digits"),
        (["pets", "--name", ""], "error: --name: found '', expected letters, digits"),
        (["pets", "--name", "-x"], "error: --name: found '-x', expected letters, digits"),
    ],
)
def test_bad_input_is_told_and_nothing_is_written(tmp_path: Path, arguments: list[str], message: str) -> None:
    fill(tmp_path, {"one/cat/1.jpg": jpeg(1), **PROJECT})
    fill(tmp_path / "pets", two_classes(5))
    fill(tmp_path / "few", two_classes(2))
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as archive:
        archive.writestr("../1.jpg", jpeg(1))
    done = headstart(tmp_path, "add", *arguments)
    assert done.returncode != 0
    assert message in done.stderr.splitlines()[-1]
    assert list(tmp_path.rglob("data/sources/*")) == []


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
    assert default_name(Path(path)).startswith(expected)
    assert default_name(Path(path)) == expected or expected.endswith("-")


def test_a_list_of_what_was_dropped_does_not_outlive_its_reason(tmp_path: Path) -> None:
    pets = fill(tmp_path / "pets", {**two_classes(1), "cat/x.txt": b"text"})
    target = tmp_path / "sources/pets.zip"
    add(pets, target)
    assert (tmp_path / "sources/pets.dropped.csv").exists()
    (pets / "cat/x.txt").unlink()
    add(pets, target)
    assert not (tmp_path / "sources/pets.dropped.csv").exists()


@pytest.mark.parametrize("content", ["", "outs: []", "[", "outs:\n- path: pets.zip\n"])
def test_a_pointer_that_is_none_is_refused(tmp_path: Path, content: str) -> None:
    pets = fill(tmp_path / "pets", two_classes(1))
    fill(tmp_path, {"sources/pets.zip.dvc": content.encode()})
    with pytest.raises(InputError, match=r"pets.zip.dvc: not a DVC file: fix or delete it"):
        add(pets, tmp_path / "sources/pets.zip")
    assert sorted(path.name for path in (tmp_path / "sources").iterdir()) == ["pets.zip.dvc"]


def test_many_classes_are_told_shortly(tmp_path: Path) -> None:
    pets = fill(tmp_path / "pets", {f"class {number:02}/1.jpg": jpeg(number) for number in range(12)})
    target = tmp_path / "my sources" / "pets.zip"
    lines = report(add(pets, target), target)
    assert lines == [
        f"{target}: 12 images of 12 classes: " + ", ".join(f"'class {n:02}' 1" for n in range(10)) + " and 2 more"
    ]


def test_git_gets_the_pointer_and_nothing_else(tmp_path: Path) -> None:
    clone = clones.make(tmp_path / "clone")
    clones.commit(clone)
    fill(clone, {"mine.txt": b"staged", "other.txt": b"not staged", "data/sources/notes.txt": b"not staged"})
    clones.run(clone, "git", "add", "mine.txt")
    head = clones.run(clone, "git", "rev-parse", "HEAD")
    birds = fill(tmp_path / "my birds", two_classes(5))
    before = {path: path.read_bytes() for path in birds.rglob("*.jpg")}
    surroundings = {name: clones.environment(clone)[name] for name in ("PYTHONPATH", "DVC_SITE_CACHE_DIR")}
    told = clones.run(clone / "docs", "headstart", "add", str(birds), "--name", "birds", **surroundings)
    commit = "git commit --message 'Add birds' -- data/sources/birds.zip.dvc data/sources/.gitignore"
    assert told.splitlines()[-4:] == [
        "next:",
        "  (cd .. && make run)",
        "and, before experiments with `dvc exp run`, which find only what is committed:",
        f"  (cd .. && {commit})",
    ]
    assert clones.run(clone, "git", "rev-parse", "HEAD") == head
    assert clones.run(clone, "git", "status", "--porcelain").splitlines() == [
        "A  data/sources/.gitignore",
        "A  data/sources/birds.zip.dvc",
        "A  mine.txt",
        " M params.yaml",
        "?? data/sources/notes.txt",
        "?? other.txt",
    ]
    assert {path: path.read_bytes() for path in birds.rglob("*.jpg")} == before
    # What is staged is enough for the queue, and the command commits the two files alone.
    clones.run(clone, "dvc", "exp", "run", "--queue", "-S", "seed=1")
    (revision,) = re.findall(r"^([0-9a-f]{7,}) .*Queued", clones.run(clone, "dvc", "queue", "status"), re.MULTILINE)
    queued = clones.run(clone, "git", "ls-tree", "-r", "--name-only", revision, "data/sources").splitlines()
    assert queued == ["data/sources/.gitignore", "data/sources/birds.zip.dvc"]
    clones.run(clone, *shlex.split(commit))
    assert clones.run(clone, "git", "show", "--stat", "--format=").count("|") == 2
    assert "A  mine.txt" in clones.run(clone, "git", "status", "--porcelain").splitlines()
    assert clones.run(clone, "headstart", "add", str(birds), "--name", "birds").endswith("next:\n  make run\n")


def test_settings_of_ones_own_stay_and_the_command_is_told(repository: Path, tmp_path: Path) -> None:
    birds = fill(tmp_path / "birds", {**two_classes(6), **{f"emu/{n}.jpg": jpeg(n + 50) for n in range(6)}})
    settings = (ROOT / "presets/quick.yaml").read_text(encoding="utf-8").replace("seed: 42 ", "seed: 43 ")
    (repository / "params.yaml").write_text(settings, encoding="utf-8")
    told = headstart(repository, "add", str(birds)).stdout
    assert (repository / "params.yaml").read_text(encoding="utf-8") == settings
    assert told.splitlines()[1:] == [
        "params.yaml has settings of your own and stays as it is; to run these on the new images:",
        "  dvc exp run -S prepare.source=data/sources/birds.zip -S prepare.order=random -S prepare.folds=0 "
        "-S prepare.train=0.6 -S prepare.validation=0.2 -S prepare.test=0.2",
        "presets/quick.yaml fits small pictures, 32 × 24 pixels in the median; to use it, copy it to params.yaml and "
        "add again",
    ]


def test_classes_are_read_off_names_and_empty_ones_left_out_on_request(repository: Path, tmp_path: Path) -> None:
    cats = fill(
        tmp_path / "cats", {f"{name}_{n}.jpg": jpeg(n + len(name)) for name in ("manx", "siamese") for n in range(5)}
    )
    told = headstart(repository, "add", str(cats), "--pattern", "(?P<class>.+)_[0-9]+[.]jpg").stdout
    assert told.startswith("data/sources/cats.zip: 10 images of 2 classes: 'manx' 5, 'siamese' 5\n")
    (fill(tmp_path / "dogs", two_classes(5)) / "emu").mkdir()
    refused = headstart(repository, "add", str(tmp_path / "dogs"))
    assert (refused.returncode, "'emu'" in refused.stderr) == (1, True)
    done = headstart(repository, "add", str(tmp_path / "dogs"), "--leave-out-empty")
    assert done.returncode == 0, done.stderr
