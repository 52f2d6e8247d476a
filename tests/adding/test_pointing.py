"""params.yaml is pointed at a source, with its comments; what somebody changed in it stays."""

import shutil
from pathlib import Path

import pytest

from headstart.adding import pointing
from headstart.adding.archive import add
from headstart.adding.choice import Division, Preset
from headstart.settings import params
from tests.pictures import fill, two_classes
from tests.pipeline import ROOT

PRESETS = sorted(path.stem for path in (ROOT / "presets").glob("*.yaml"))
SHARES: Division = {"folds": 5, "train": "auto", "validation": 0.2, "test": "auto"}
SMALL, LARGE = Preset("quick", "small"), Preset("photos", "large")


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A packed source in a project as it comes, the current folder."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "presets", "presets")
    use("quick")
    path = Path("data/sources/birds.zip")
    add(fill(Path("birds"), two_classes(10)), path)
    return path


def use(preset: str) -> None:
    shutil.copy(f"presets/{preset}.yaml", "params.yaml")


def text() -> str:
    return Path("params.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_can_be_pointed_at_a_source(source: Path, preset: str) -> None:
    original = Path(f"presets/{preset}.yaml").read_text(encoding="utf-8")
    written = pointing.text_of(preset, source, SHARES)
    Path("params.yaml").write_text(written, encoding="utf-8")
    expected = params.read(Path(f"presets/{preset}.yaml"))
    expected["prepare"] |= {"source": str(source), "order": "random", **SHARES}
    assert params.read(Path("params.yaml")) == expected
    params.load()
    kept = {line for line in original[original.index("seed:") :].splitlines() if "#" in line}
    lost = kept - set(written.splitlines())
    own = {"source", "order", "folds", "train", "validation"}
    assert {line.split(":")[0].strip() for line in lost} <= own, "comments of its own"
    header = f"# presets/{preset}.yaml for data/sources/birds.zip, written by `headstart add`."
    assert written.splitlines()[:2] == [header, "# Every parameter is explained in docs/parameters.md."]
    assert pointing.preset_of(written) == preset
    assert pointing.preset_of(original) == preset


def test_the_preset_that_fits_is_taken(source: Path) -> None:
    assert pointing.point(LARGE, source, SHARES) == "photos"
    assert text() == pointing.text_of("photos", source, SHARES)
    other = Path("data/sources/other.zip")
    shutil.copy(source, other)
    # What it wrote itself it may replace.
    assert pointing.point(SMALL, other, SHARES) == "quick"
    assert text() == pointing.text_of("quick", other, SHARES)


def test_a_preset_that_somebody_put_there_stays(source: Path) -> None:
    use("best")
    assert pointing.point(LARGE, source, SHARES) == "best"
    assert text() == pointing.text_of("best", source, SHARES)
    other = Path("data/sources/other.zip")
    shutil.copy(source, other)
    assert pointing.point(LARGE, other, SHARES) == "best"


CHANGES = [
    ("seed: 42 ", "seed: 43 "),
    ("# start of", "# mine"),
    ("seed: 42 ", "seed: [ "),
    ("seed", "more: 1\nseed"),
]
OF_WHAT_IT_WROTE = [
    ("validation: 0.2", "validation: 0.3"),
    ("order: random ", "order: number "),
    ("birds.zip, ", "bees.zip, "),
]


@pytest.mark.parametrize("change", CHANGES)
def test_what_somebody_changed_in_a_preset_stays(source: Path, change: tuple[str, str]) -> None:
    stays(source, change)


@pytest.mark.parametrize("change", [*CHANGES, *OF_WHAT_IT_WROTE])
def test_what_somebody_changed_in_what_it_wrote_stays(source: Path, change: tuple[str, str]) -> None:
    pointing.point(LARGE, source, SHARES)
    stays(source, change)


def stays(source: Path, change: tuple[str, str]) -> None:
    """A change by hand keeps params.yaml as it is, whatever else is added."""
    before = text()
    changed = before.replace(*change, 1)
    assert changed != before
    Path("params.yaml").write_text(changed, encoding="utf-8")
    other = Path("data/sources/other.zip")
    shutil.copy(source, other)
    assert pointing.point(LARGE, other, SHARES) is None
    assert text() == changed


def test_settings_for_an_archive_that_is_not_here_stay(source: Path) -> None:
    """Whether they are as they were written can't be told then."""
    pointing.point(LARGE, source, SHARES)
    before = text()
    source.rename("data/sources/other.zip")
    assert pointing.point(LARGE, Path("data/sources/other.zip"), SHARES) is None
    assert text() == before


def test_what_is_no_text_stays(source: Path) -> None:
    Path("params.yaml").write_bytes(b"\xff\xfe")
    assert pointing.point(LARGE, source, SHARES) is None
    assert Path("params.yaml").read_bytes() == b"\xff\xfe"


def test_where_there_is_none_it_is_written(source: Path) -> None:
    Path("params.yaml").unlink()
    assert pointing.point(LARGE, source, SHARES) == "photos"
    assert text() == pointing.text_of("photos", source, SHARES)
