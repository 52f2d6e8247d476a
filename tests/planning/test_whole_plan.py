"""A plan as it is made and read: the table, the first line of `make run`, and when this machine is measured."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.planning import copies, measuring, pending, plan, table
from headstart.planning.counts import Counts
from headstart.planning.measured import Measured
from headstart.settings import params
from headstart.settings.schema import Params
from tests.pipeline import ROOT
from tests.planning.small import machine

CHAPTER = params.load(ROOT / "presets/chapter.yaml")
QUICK = params.load(ROOT / "presets/quick.yaml")
COUNTS = Counts(train=2000, validation=1000, test=2000, classes=2, mean_bytes=20_000)
STAGES = ["prepare", "extract_features", "train_head", "evaluate"]


@pytest.fixture
def measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Params]:
    """A project whose machine has round numbers; the list fills with the settings that it is measured for."""
    found: list[Params] = []

    def measure(settings: Params, counts: Counts) -> Measured:
        found.append(settings)
        return machine()

    monkeypatch.setattr(measuring, "measure", measure)
    monkeypatch.chdir(tmp_path)
    Path("dvc.yaml").symlink_to(ROOT / "dvc.yaml")
    Path("data").mkdir()
    Path("data/catalog").symlink_to(ROOT / "data/catalog")
    return found


def of(running: list[str], counts: Counts = COUNTS) -> plan.Plan:
    made = plan.assemble(CHAPTER, counts, machine(), STAGES, running)
    return replace(made, free_memory=10**12, free_disk=10**12)


def test_a_table_has_a_row_for_every_stage() -> None:
    made = replace(of(["extract_features", "train_head"]), copies=10**9)
    lines = table.lines(made)
    assert lines[0].split() == ["stage", "time", "at", "most", "memory", "disk"]
    assert [line.split()[0] for line in lines[1:6]] == [*STAGES, "total"]
    assert lines[1].split() == ["prepare", "up", "to", "date"]
    # 16,000 passes of 0.1 s and 8,000 views of 0.01 s; 14,000 maps of 11 × 11 × 512 float16
    # numbers of the trunk and 16,000 of 5 × 5 × 512.
    assert lines[2].split() == ["extract_features", "28", "minutes", "1.0", "GB", "2.1", "GB"]
    assert lines[6] == "for 5,000 images of 2 classes: 2,000 train, 1,000 validation, 2,000 test"
    assert lines[7] == "disk: 1.0 GB of the total are DVC's cache, which holds a copy of every output"


def test_what_does_not_fit_is_told() -> None:
    made = replace(of(STAGES, replace(COUNTS, download=8 * 10**8)), free_memory=10**8, free_disk=10**8, copies=0)
    notes = table.lines(made)[6:]
    assert notes[1] == "and 800 MB are downloaded first"
    assert notes[2].startswith("memory: 1.0 GB are needed and 100 MB are free: ")
    assert re.match(r"disk: [\d.]+ GB are needed and 100 MB are free: ", notes[3])


def test_stages_that_do_not_run_cost_nothing() -> None:
    parts = [of([stage]).seconds.likely - of([stage]).overhead for stage in STAGES]
    assert of(STAGES).seconds.likely - of(STAGES).overhead == pytest.approx(sum(parts))


def test_where_all_is_up_to_date_nothing_is_measured(measured: list[Params], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pending, "status", dict)
    made = plan.make(QUICK)
    assert (made.seconds.likely, made.disk, made.memory, measured) == (0, 0, 0, [])
    lines = table.lines(made)
    assert {line.partition(" ")[2].strip() for line in lines[1 : len(made.stages) + 1]} == {"up to date"}
    assert lines[len(made.stages) + 1].split() == ["total", "nothing", "to", "run"]
    assert plan.make(QUICK, every_stage=True).running
    assert measured == [QUICK]


def test_the_first_line_says_time_and_disk(measured: list[Params]) -> None:
    made = replace(of(STAGES), copies=0)
    assert table.line(made) == (
        f"about {table.minutes(made.seconds.likely)} and {table.size(made.disk)} of disk on this machine; "
        "`headstart plan` shows each stage"
    )
    sooner = CHAPTER.model_copy(
        update={"train_head": CHAPTER.train_head.model_copy(update={"epochs": 1000, "patience": 3})}
    )
    ranged = plan.assemble(sooner, COUNTS, machine(), STAGES, ["train_head"])
    assert re.match(r"about 3 h 1\d min \(at most 6 h 3\d min\) and ", table.line(ranged))


def test_a_short_run_is_not_kept_waiting(measured: list[Params]) -> None:
    changed: dict[str, object] = {"extract_features": [], "prepare": []}
    assert plan.quickly(QUICK, changed) is None
    assert measured == []
    assert table.line(None).startswith("a few minutes; ")
    # Once it is measured, for whatever reason, the line has numbers.
    plan.recall(QUICK, Counts(300, 200, 1000, 10, 500), measuring.measure)
    made = plan.quickly(QUICK, changed)
    assert made is not None
    assert len(measured) == 1
    running = {stage.name for stage in made.running}
    assert {"prepare", "extract_features", "train_head"} <= running
    assert "backbone" not in running


def test_a_long_run_is_measured_once(measured: list[Params]) -> None:
    settings = QUICK.model_copy(
        update={"extract_features": QUICK.extract_features.model_copy(update={"image_size": 224})}
    )
    for _ in range(2):
        assert plan.quickly(settings, {"extract_features": []}) is not None
    assert measured == [settings]
    # Epochs change no part of a run; the size of the images does.
    longer = settings.model_copy(update={"train_head": settings.train_head.model_copy(update={"epochs": 90})})
    plan.quickly(longer, {"extract_features": []})
    assert len(measured) == 1
    larger = settings.model_copy(
        update={"extract_features": QUICK.extract_features.model_copy(update={"image_size": 256})}
    )
    plan.quickly(larger, {"extract_features": []})
    assert len(measured) == 2


def test_what_is_long_counts_only_stages_that_run() -> None:
    assert plan.is_long(CHAPTER, COUNTS, STAGES)
    assert not plan.is_long(CHAPTER, COUNTS, ["train_head", "evaluate"])


@given(st.floats(0, 10**6), st.floats(0, 10**6))
def test_longer_times_read_longer(one: float, other: float) -> None:
    def read(text: str) -> int:
        units = {"seconds": 1, "minutes": 60, "h": 3600, "min": 60}
        words = text.split()
        return sum(int(number) * units[unit] for number, unit in zip(words[::2], words[1::2], strict=True))

    shorter, longer = sorted((one, other))
    assert read(table.minutes(shorter)) <= read(table.minutes(longer))
    # Seconds are fives and minutes are whole.
    assert read(table.minutes(longer)) == pytest.approx(longer, rel=0.03, abs=30 if longer >= 120 else 5)


@pytest.mark.parametrize(
    ("kinds", "kept"), [("copy", True), ("hardlink,copy", False), ("symlink", False), ("copy,hardlink", True)]
)
def test_copies_follow_the_cache_type(tmp_path: Path, kinds: str, kept: bool) -> None:
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc/config").write_text(f"[core]\n    analytics = false\n[cache]\n    type = {kinds}\n")
    assert copies.are_kept(tmp_path) is kept


def test_by_default_the_file_system_decides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def reflink(source: str, target: str) -> None:
        if not shares:
            raise OSError

    from dvc_objects.fs import system

    monkeypatch.setattr(system, "reflink", reflink)
    for shares in (True, False):
        assert copies.are_kept(tmp_path) is not shares
    assert list(tmp_path.iterdir()) == []
