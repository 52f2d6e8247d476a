"""The stage as DVC runs it: from params.yaml to data/prepared, whole or not at all."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

import stages.prepare
from headstart.foundation.errors import InputError
from headstart.images import manifest
from tests.pictures import fill, jpeg, two_classes

ROOT = Path(__file__).parent.parent


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with params.yaml and twelve images of each of two classes."""
    set_params(tmp_path, source="pets", order="number", train=4, validation=2, test=3)
    fill(tmp_path / "pets", two_classes(12))
    return tmp_path


def set_params(project: Path, **settings: Any) -> None:
    """Change settings of ``prepare``; the others are those that the project starts with."""
    path = project / "params.yaml"
    params = yaml.safe_load((path if path.exists() else ROOT / "presets/quick.yaml").read_text())
    params["prepare"] |= settings
    path.write_text(yaml.safe_dump(params))


def prepare(project: Path) -> subprocess.CompletedProcess[str]:
    """Run the stage in ``project``."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "stages.prepare"],
        cwd=project,
        env={"PYTHONPATH": str(ROOT), "PATH": "", "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def written(project: Path) -> dict[str, bytes]:
    """All files below data/ and metrics/, but for what a stage locks."""
    return {
        str(path.relative_to(project)): path.read_bytes()
        for folder in ("data", "metrics")
        for path in (project / folder).rglob("*")
        if path.is_file() and path.parent.name != "working"
    }


def test_the_subset_its_manifest_and_its_counts(project: Path) -> None:
    fill(project / "pets", {"cat/0.jpg": b"text", "cat/12.jpg": jpeg(5), "dog/x.pdf": b"%PDF"})
    done = prepare(project)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "18 images of 2 classes: 8 train, 4 validation, 6 test",
        "  class  train  validation  test  unused",
        "  cat        4           2     3       2",
        "  dog        4           2     3       3",
        "always predicting 'cat' would be correct for 50.0% of the test images",
        "dropped 3 files, listed in data/prepared/dropped.csv: 2 unusable, 1 duplicates, 0 in conflict, 0 leaks",
        "  1 × a PDF document: not supported, such as 'dog/x.pdf'",
        "  1 × text: not supported, such as 'cat/0.jpg'",
    ]
    assert json.loads((project / "metrics/dataset.json").read_text()) == {
        "classes": 2,
        "train": 8,
        "validation": 4,
        "test": 6,
        "dropped": 3,
        "duplicates": 1,
        "conflicts": 0,
        "leaks": 0,
    }
    frame = manifest.read(project / "data/prepared/manifest.csv")
    assert frame["path"].tolist()[:4] == [f"train/cat/{number}.jpg" for number in (1, 2, 3, 4)]
    assert (project / "data/prepared/dropped.csv").read_text() == (
        '"name","class","reason"\n'
        '"cat/0.jpg","cat","text: not supported"\n'
        '"cat/12.jpg","cat","duplicate: the same bytes as cat/5.jpg"\n'
        '"dog/x.pdf","","a PDF document: not supported"\n'
    )
    files = {path for path in written(project) if path.endswith(".jpg")}
    assert files == {f"data/prepared/{path}" for path in frame["path"]}


@pytest.mark.parametrize("order", ["number", "random"])
def test_two_runs_write_the_same_bytes(project: Path, order: str) -> None:
    set_params(project, order=order, train=0.5, validation=0.25, test=0.25)
    assert prepare(project).returncode == 0
    first = written(project)
    assert prepare(project).returncode == 0
    assert written(project) == first


def test_what_was_there_before_is_replaced_as_a_whole(project: Path) -> None:
    fill(project / "data/prepared", {"train/old/1.jpg": jpeg(1)})
    assert prepare(project).returncode == 0
    assert "data/prepared/train/old/1.jpg" not in written(project)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"source": "missing"}, "missing: no such file or folder; expected"),
        ({"source": "pets/cat/0.jpg"}, "pets/cat/0.jpg: a JPEG image; expected a folder"),
        ({"source": "pets/cat"}, "pets/cat: no images found (12 dropped: 12 × no class); expected two classes"),
        ({"labels": "x.csv"}, "pets: prepare.labels=x.csv: no such table inside it; expected auto, none or one of the"),
        ({"pattern": "("}, "params.yaml: prepare.pattern: found '(', expected a regular expression (missing )"),
        ({"pattern": "(?P<class>x)"}, "pets: prepare.pattern=(?P<class>x) matches none of 24 images, such as"),
        ({"name_encoding": "klingon"}, "params.yaml: prepare.name_encoding: found 'klingon', expected auto or a code"),
        ({"train": 8}, "class 'cat' has 12, needed are 13 (8 train + 2 validation + 3 test); class 'dog' has 12"),
        (
            {"train": 0.5, "validation": 0.6},
            "prepare.train=0.5 + prepare.validation=0.6 add up to more than all images",
        ),
        ({"tarin": 8}, "params.yaml: prepare.tarin: unknown parameter, did you mean `train`?"),
        ({"train": -1}, "params.yaml: prepare.train: found -1, expected"),
        ({"source": "data/catalog/missing.yaml"}, "data/catalog/missing.yaml: no such file"),
    ],
)
def test_bad_input_is_one_line_and_leaves_everything_as_it_was(
    project: Path, settings: dict[str, Any], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(project, {"data/prepared/train/cat/1.jpg": jpeg(1), "metrics/dataset.json": b"{}"})
    before = written(project)
    set_params(project, **settings)
    monkeypatch.chdir(project)
    with pytest.raises(InputError, match=re.escape(message)) as caught:
        stages.prepare.main()
    assert "\n" not in str(caught.value)
    assert written(project) == before
    assert not list((project / "data").glob(".*"))


@pytest.mark.parametrize(
    ("peaks", "white", "line"),
    [
        ([], 65535, None),
        ([60_000, 9], 65535, None),
        ([4095, 9], 4095, None),
        (
            [9, 4000],
            65535,
            "the 2 images of 16 bits have no value above 4,000: with white at 65,535 they are dark: "
            "set prepare.white_level to 4095",
        ),
        ([9, 5000], 4095, "1 images of 16 bits have values above prepare.white_level, 4,095: shown as white"),
    ],
)
def test_images_that_use_a_part_of_sixteen_bits_are_noticed(peaks: list[int], white: int, line: str | None) -> None:
    assert stages.prepare.brightness(peaks, white) == ([line] if line else [])


def test_an_error_ends_the_stage_with_one_line(project: Path) -> None:
    set_params(project, source="missing")
    done = prepare(project)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: missing: no such file or folder; expected")
    assert done.stderr.count("\n") == 1


def test_how_the_source_is_read_is_set_by_the_parameters(project: Path) -> None:
    names = [f"{kind}-{group}_{n}.jpg" for kind in ("cat", "dog") for group in ("p1", "p2", "p3") for n in range(2)]
    fill(project / "flat", {name: jpeg(number) for number, name in enumerate(names)})
    pattern = "(?P<class>[a-z]+)-(?P<group>p[0-9]+)_"
    set_params(project, source="flat", pattern=pattern, train=0.4, validation=0.3, test=0.3)
    done = prepare(project)
    assert done.returncode == 0, done.stderr
    frame = manifest.read(project / "data/prepared/manifest.csv")
    assert set(zip(frame["class"], frame["group"], strict=True)) == {
        (k, f"p{n}") for k in ("cat", "dog") for n in (1, 2, 3)
    }
    assert (frame.groupby("group")["split"].nunique() == 1).all()


def test_help_tells_what_it_does() -> None:
    done = subprocess.run([sys.executable, "-m", "stages.prepare", "--help"], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0
    assert "Draw the subset from the source" in done.stdout
