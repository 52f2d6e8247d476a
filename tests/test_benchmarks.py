"""The benchmarks run, on next to nothing, and their arithmetic is right. How fast things are is not tested."""

import contextlib
import os
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from benchmarks import (
    bases,
    comparison,
    extraction,
    loops,
    machine,
    memory,
    obvious,
    pictures,
    prediction,
    presets,
    process,
    project,
    protocol,
    recipes,
    simulation,
    views,
)
from benchmarks.comparison import Part
from benchmarks.loops import EPOCHS, TRAINING, VALIDATION, Count, Loop
from benchmarks.projection import Size, projected
from headstart.foundation import paths, progress, threads
from headstart.foundation.errors import InputError
from headstart.foundation.framing import Framing
from headstart.images import images
from headstart.models.strategies import FROM_SCRATCH
from headstart.scoring import results
from headstart.settings import params
from tests.pictures import encode, fill, pixels
from tests.pipeline import CLASSES, TEST, TRAIN, write_params, write_source
from tests.pipeline import VALIDATION as VALIDATION_IMAGES
from tests.policies import needs_bfloat16

pytest_plugins = ["tests.pipeline_fixtures"]

COUNTS = ["--train", "4", "--validation", "2", "--test", "3", "--size", "32", "--views", "2"]
EPOCHS_ASKED = ["--head-epochs", "2", "--augmented-epochs", "1", "--finetune-epochs", "1"]
TINY = [*COUNTS, *EPOCHS_ASKED, "--precision", "float32"]
NOW = Size(train=100, validation=50, test=40, views=2, head=4, augmented=5, finetune=2)


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, without anything in it."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables as wide as they like."""
    monkeypatch.setenv("COLUMNS", "200")


def rows(text: str) -> dict[str, list[str]]:
    """The last table's lines by their first cell."""
    found = [re.split(r"\s{2,}", line.strip()) for line in text.splitlines()]
    return {cells[0]: cells[1:] for cells in found}


def canned(function: Any, *arguments: Any) -> Any:
    """Stands for the processes that a protocol runs its parts in."""
    return (process.Cost(1.0, 1.0, 10**9), []) if function is protocol.run_part else "float32, as the test says"


def test_protocol_runs_every_part_of_both_ways(empty: Path, capsys: pytest.CaptureFixture[str]) -> None:
    turns = []

    def run(function: Any, folder: Path, *arguments: Any) -> Any:
        if function is protocol.run_part:
            way, part = arguments
            turns.append(f"{way} {part}")
            assert sorted(path.name for path in (folder / "data/prepared/test").iterdir()) == ["cat", "dog"]
            assert params.load(folder / "params.yaml").train_head.epochs == 2
        return canned(function)

    assert protocol.main([*TINY, "--repeats", "2"], run=run) == 0
    there = [f"{way} {part}" for part in comparison.PARTS for way in ("obvious", "float32")]
    back = [f"{way} {part}" for part in comparison.PARTS for way in ("float32", "obvious")]
    assert turns == there + back
    out = capsys.readouterr().out
    found = rows(out)
    assert "8 training, 4 validation and 6 test images, 32 × 32; 2, 1 and 1 epochs; 2 views" in out
    assert "Headstart in float32, as the test says, against the obvious way in float32; medians of 2" in out
    for part in comparison.PARTS:
        assert re.fullmatch(r"1.0 1.0 s \d+% 1.0 s \d+% 1.00 GB", " ".join(found[part]))
    assert "too few images to project from: give 96 training and test images or more, in all" in out
    assert not list(empty.iterdir())


def test_protocol_of_headstart_alone_on_given_images(empty: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fill(empty / "source", {f"{name}/{number}.png": picture(number, name) for name in "ab" for number in range(9)})
    asked = [*TINY, "--images", "source", "--skip-obvious"]
    assert protocol.main(asked, run=canned) == 0
    found = rows(capsys.readouterr().out)
    assert re.fullmatch(r"1.0 s \d+% 1.00 GB", " ".join(found["finetune"]))
    assert [path.name for path in empty.iterdir()] == ["source"]


def picture(number: int, name: str) -> bytes:
    return encode(pixels(number + 100 * ord(name)), "PNG")


@pytest.mark.slow
def test_obvious_way_does_every_part(tensorflow: None, empty: Path) -> None:
    protocol.prepare_ways(empty, ["obvious"], protocol.parse(TINY))
    titles = {part: titles_of(protocol.run_part(empty / "obvious", "obvious", part)[1]) for part in comparison.PARTS}
    epoch = {(TRAINING, "images"): 8.0, (VALIDATION, "images"): 4.0}
    assert titles == {
        "extraction": {("base", "images"): 8.0 + 4.0 + 6.0},
        "head": {**{key: 2 * images for key, images in epoch.items()}, ("fit head", EPOCHS): 2.0},
        "augmented": {**epoch, ("fit augmented", EPOCHS): 1.0},
        "finetune": {**epoch, ("fit finetune", EPOCHS): 1.0},
        "evaluation": {(name, "images"): 6.0 for name in ("head", "augmented", "finetune")},
    }
    assert np.load(empty / "obvious/obvious/train.npy").shape == (8, 1, 1, 512)
    assert np.load(empty / "obvious/obvious/train-labels.npy").tolist() == [0] * 4 + [1] * 4


def titles_of(found: list[Loop]) -> dict[tuple[str, str], float]:
    return {(loop.title, loop.unit): loop.units for loop in loops.merged(found)}


@pytest.mark.slow
def test_headstarts_stages_tell_their_loops(pipeline: Path) -> None:
    write_params(evaluate__learning_curve=[])
    cost, trained = protocol.run_part(pipeline, "float32", "head")
    assert cost.seconds > 0
    images = {TRAINING: 4.0 * TRAIN * len(CLASSES), VALIDATION: 4.0 * VALIDATION_IMAGES * len(CLASSES)}
    found = titles_of(trained)
    assert {title: found[title, "images"] for title in images} == images
    assert [units for (_, unit), units in found.items() if unit == EPOCHS] == [4.0]


def test_headstart_evaluates_what_the_protocol_trains(pipeline: Path) -> None:
    """Networks from scratch and the probe are no part of it, and no repetition makes use of the one before."""
    for name in [*FROM_SCRATCH, "probe"]:
        shutil.rmtree(paths.MODELS / name)
    write_params(evaluate__learning_curve=[])
    first, second = (titles_of(protocol.run_part(pipeline, "float32", "evaluation")[1]) for _ in range(2))
    assert first
    assert first == second
    assert list(results.read()) == ["head", "augmented", "finetune"]


def test_extraction_shows_its_loop(pipeline: Path) -> None:
    """Clean images, views, and mirror images of what is evaluated."""
    _, found = protocol.run_part(pipeline, "float32", "extraction")
    assert list(titles_of(found).values()) == [(TRAIN * 3 + 2 * (VALIDATION_IMAGES + TEST)) * len(CLASSES)]


def test_protocol_tells_ratios_and_totals(capsys: pytest.CaptureFixture[str]) -> None:
    measured: comparison.Measured = {}
    for part in comparison.PARTS:
        measured["obvious", part] = [part_of(seconds) for seconds in (9.0, 10.0, 30.0)]
        measured["auto", part] = [part_of(seconds) for seconds in (1.0, 2.0, 3.0)]
    comparison.show_both(measured, "auto", "title")
    found = rows(capsys.readouterr().out)
    assert found["head"][:2] == ["5.0", "10.0 s"]
    assert found["head"][3] == "2.0 s"
    # A notebook starts once, Headstart once a stage.
    assert found["start-up"] == ["0.2", "6.0 s", "30.0 s"]
    assert found["in all"] == ["1.4", "56.0 s", "40.0 s"]


def part_of(seconds: float) -> Part:
    return Part(process.Cost(seconds, seconds, 10**9), start=6.0, loops=[])


def test_projection_is_of_the_same_parts(capsys: pytest.CaptureFixture[str]) -> None:
    batches = [Loop(TRAINING, "images", [(1.0, 100)]), Loop(VALIDATION, "images", [(1.0, 50)])]
    found = [*batches, Loop("train", EPOCHS, [(2.0, 1)])]
    measured = {
        (way, part): [Part(process.Cost(4.0, 4.0, 10**9), 1.0, found if part in Size._fields else [])]
        for way in ("obvious", "auto")
        for part in comparison.PARTS
    }
    comparison.show_projection(measured, "auto", NOW, NOW, "title")
    told = rows(capsys.readouterr().out)
    assert told["augmented"] == ["1.0", "4.0 s", "4.0 s"]
    assert told["in all"] == ["0.8", "21.0 s", "25.0 s"]


@pytest.mark.parametrize("part", ["extraction", "head", "augmented", "finetune", "evaluation"])
def test_projection_to_the_same_size_changes_nothing(part: str) -> None:
    assert projected(part, 77.0, simulated(part, NOW), NOW, NOW) == pytest.approx(77.0)


@pytest.mark.parametrize("part", ["extraction", "head", "augmented", "finetune", "evaluation"])
def test_projection_is_right_where_time_follows_the_model(part: str) -> None:
    then = Size(train=2000, validation=900, test=500, views=2, head=20, augmented=50, finetune=30)
    assert projected(part, seconds_of(part, NOW), simulated(part, NOW), NOW, then) == pytest.approx(
        seconds_of(part, then)
    )


def simulated(part: str, size: Size) -> list[Loop]:
    """The loops of a machine that does an image in 0.1 s, and needs 1 s more for the first batch of a graph."""
    if part == "extraction":
        return [Loop("base", "images", batches(size.train * (1 + size.views) + size.validation + size.test))]
    if part == "evaluation":
        return [Loop(f"prediction {number}", "images", batches(size.test)) for number in range(3)]
    found = [Loop("frozen layers", "images", batches(size.train * size.views + size.validation))]
    turns = []
    for epoch in range(getattr(size, part)):
        training, validation = batches(size.train, traced=epoch == 0), batches(size.validation, traced=epoch == 0)
        found += [Loop(TRAINING, "images", training), Loop(VALIDATION, "images", validation)]
        # Half a second to save the model.
        turns.append((sum(seconds for seconds, _ in training + validation) + 0.5, 1.0))
    return [*found, Loop("train", EPOCHS, turns)]


def seconds_of(part: str, size: Size) -> float:
    """All loops, and 3 s beside them."""
    inner = (TRAINING, VALIDATION)
    return 3.0 + sum(sum(turn[0] for turn in loop.turns) for loop in simulated(part, size) if loop.title not in inner)


def batches(count: int, traced: bool = True) -> list[tuple[float, float]]:
    turns = [(0.1 * min(10, count - start), float(min(10, count - start))) for start in range(0, count, 10)]
    return [(turns[0][0] + traced, turns[0][1]), *turns[1:]]


def test_pace_leaves_out_the_first_turn_and_slow_ones() -> None:
    loop = Loop("base", "images", [(9.0, 10), (1.0, 10), (1.2, 10), (8.0, 5), (0.5, 4)])
    assert loop.pace() == pytest.approx(2.7 / 24)
    assert Loop("base", "images", [(9.0, 10)]).pace() == pytest.approx(0.9)


def test_loops_are_recorded_where_bars_are_shown() -> None:
    with loops.recorded() as found, progress.bar("walk", 5, " steps") as bar:
        bar.update(2)
        bar.update(3)
    with progress.bar("not recorded", 1, " steps") as bar:
        bar.update(1)
    (loop,) = found
    assert (loop.title, loop.unit, [units for _, units in loop.turns]) == ("walk", "steps", [2, 3])
    assert all(seconds >= 0 for seconds, _ in loop.turns)


def test_loops_of_one_title_are_merged() -> None:
    found: list[Loop] = []
    for units in (1, 2):
        Count(found, "a", "images").update(units)
    Count(found, "b", "images").update(3)
    Count(found, "nothing done", "images")
    assert [(loop.title, loop.units) for loop in loops.merged(found)] == [("a", 3), ("b", 3)]


def test_obvious_way_refuses_what_keras_would_leave_out(tensorflow: None, empty: Path) -> None:
    files = {f"data/prepared/train/{name}/1.webp": encode(pixels(1), "WEBP") for name in "ab"}
    fill(
        empty,
        {**files, "data/prepared/train/a/2.jpg": encode(pixels(2)), "data/prepared/train/b/2.jpg": encode(pixels(3))},
    )
    project.give_params(empty, {"extract_features.image_size": 32})
    project.give_weights(empty)
    obvious.start(0)
    expected = r"data/prepared/train: Keras takes 2 of 4 images, expected all of them .* choose images in JPEG, PNG"
    with pytest.raises(InputError, match=expected):
        obvious.extraction([])


def test_extraction_tells_shares_of_the_base(tensorflow: None, empty: Path, capsys: pytest.CaptureFixture[str]) -> None:
    size = ["--images", "6", "--size", "32", "--batch-size", "2", "--views", "2"]
    assert extraction.main([*size, "--repeats", "1", "--precision", "float32"]) == 0
    found = rows(capsys.readouterr().out)
    for name in ("clean", "2 augmented views"):
        assert re.fullmatch(r"[\d.]+% [\d.]+% [\d.]+ images/s [\d.]+ images/s", " ".join(found[name]))
    assert not list(empty.iterdir())


def test_extraction_compares_pair_by_pair() -> None:
    pairs = [
        extraction.Rates(100.0, 90.0, 50.0),
        extraction.Rates(200.0, 190.0, 80.0),
        extraction.Rates(10.0, 8.0, 1.0),
    ]
    assert extraction.row("clean", pairs) == ["clean", "90.0%", "40.0%", "100.0 images/s", "90.0 images/s"]


def test_prediction_is_compared_with_the_extraction(pipeline: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert prediction.main(["--images", "40", "--repeats", "1"]) == 0
    assert re.search(r"^ +[\d.]+ +[\d.]+ images/s +[\d.]+ images/s *$", capsys.readouterr().out, re.MULTILINE)
    assert prediction.row([(90.0, 100.0), (60.0, 60.0), (33.0, 30.0)]) == ["", "1.00", "60.0 images/s", "60.0 images/s"]


@needs_bfloat16
def test_bases_tells_rates_and_sizes(tensorflow: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert bases.main(["mobilenet_v2", "--size", "32", "--batch-size", "2", "--repeats", "1"]) == 0
    row = rows(capsys.readouterr().out)["mobilenet_v2"]
    # 1,280 and 2 × 2 × 96 values of two bytes.
    assert re.fullmatch(r"\d+ images/s \d+ images/s \d+\.\d\d 3 kB 1 kB", " ".join(row))


def test_bases_compares_pair_by_pair() -> None:
    found = bases.Measured([(100.0, 200.0), (10.0, 30.0), (50.0, 20.0)], features=25_088, trunk=0)
    assert bases.row("vgg19", found) == ["vgg19", "50 images/s", "30 images/s", "2.00", "25 kB", "0 kB"]


def test_bases_that_are_not_known(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        bases.main(["resnet5"])
    assert "found resnet5, expected a base of docs/bases.md; nearest: resnet50," in capsys.readouterr().err


def test_memory_counts_every_number_of_images(
    tensorflow: None, empty: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert memory.main(["--images", "10", "20", "--precision", "float32"], run=process.here) == 0
    found = rows(capsys.readouterr().out)
    assert found["10"][0] == "100.0%"
    assert re.fullmatch(r"[\d.]+% [\d,]+ MB [\d.]+ s", " ".join(found["20"]))
    assert not list(empty.iterdir())


def test_memory_divides_images_as_the_chapter_does() -> None:
    frame = memory.divided([(f"cat/{number}.jpg", "cat", "", 1, 1) for number in range(26)])
    assert frame["split"].value_counts().to_dict() == {"train": 10, "test": 11, "validation": 5}


def test_views_are_compared_on_what_was_extracted(pipeline: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {path: path.stat().st_mtime_ns for path in pipeline.rglob("*")}
    assert views.main(["--views", "0", "2", "--seeds", "2"]) == 0
    found = rows(capsys.readouterr().out)
    for count in ("0", "2"):
        accuracy, lowest, highest = (float(cell) for cell in found[count][:3])
        assert 0 <= lowest <= accuracy <= highest <= 1
    assert {path: path.stat().st_mtime_ns for path in pipeline.rglob("*")} == before


def test_views_that_were_not_kept_are_an_error(pipeline: Path) -> None:
    expected = r"data/features: found 2 views, expected 3 as --views asks for: raise extract_features.views"
    with pytest.raises(InputError, match=expected):
        views.main(["--views", "3"])


@pytest.mark.slow
def test_recipes_are_compared_on_what_was_extracted(pipeline: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {path: path.stat().st_mtime_ns for path in pipeline.rglob("*")}
    other = "learning_rate=1e-3,schedule=cosine,unfreeze=2"
    assert recipes.main([recipes.AS_IT_IS, other, "--seeds", "2", "--epochs", "1"]) == 0
    out = capsys.readouterr().out
    assert len(re.findall(r"seed 4[23]: accuracy 0\.\d+, log loss \d\.\d+, best epoch 1, [\d.]+ s an epoch", out)) == 4
    found = rows(out)
    for name in (recipes.AS_IT_IS, other):
        accuracy, lowest, highest = (float(value) for value in re.findall(r"[\d.]+", found[name][0]))
        assert 0 <= lowest <= accuracy <= highest <= 1
    history = pd.read_csv("metrics/finetune/history.csv")
    assert f"{recipes.AS_IT_IS}, seed 42: accuracy {history['val_accuracy'].iloc[0]:.4f}" in out
    assert {path: path.stat().st_mtime_ns for path in pipeline.rglob("*")} == before


@pytest.mark.parametrize("strategy", ["head", "augmented"])
def test_recipes_of_classifiers_train_as_the_stages_do(
    pipeline: Path, capsys: pytest.CaptureFixture[str], strategy: str
) -> None:
    before = {path: path.stat().st_mtime_ns for path in pipeline.rglob("*")}
    assert recipes.main([recipes.AS_IT_IS, "units=8,dropout=0.0", "--strategy", strategy]) == 0
    out = capsys.readouterr().out
    history = pd.read_csv(f"metrics/{strategy}/history.csv")
    best = history.iloc[int(history["val_loss"].argmin())]
    found = rows(out)
    assert found[recipes.AS_IT_IS][:3] == [
        f"{best['val_accuracy']:.4f}",
        f"{best['val_loss']:.4f}",
        str(int(best["epoch"])),
    ]
    assert "units=8,dropout=0.0" in found
    assert {path: path.stat().st_mtime_ns for path in pipeline.rglob("*")} == before


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ("schedule", "schedule: found 'schedule', expected NAME=VALUE as in schedule=cosine"),
        ("speed=1", "speed=1: speed: unknown parameter, known here: batch_size, "),
        ("gradual=x", "gradual=x: gradual: found 'x', expected a valid integer"),
    ],
)
def test_recipes_that_mean_nothing_are_told(pipeline: Path, changes: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        recipes.main([changes])
    assert str(caught.value).startswith(message)


def test_work_apart_has_a_process_of_its_own() -> None:
    assert process.apart(os.getpid) != os.getpid()


def test_errors_come_back_from_a_process() -> None:
    with pytest.raises(InputError, match=r"nowhere\.yaml: no such file"):
        process.apart(params.read, Path("nowhere.yaml"))


def test_a_process_that_dies_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="_exit: its process ended with code 3"):
        process.apart(os._exit, 3)


def test_cost_counts_time_and_memory() -> None:
    held: list[Any] = []
    cost = process.cost(lambda: held.append(np.ones(10_000_000)))
    assert cost.seconds > 0
    assert cost.cpu_seconds >= 0
    assert cost.peak_bytes > 80_000_000


def test_generated_pictures_are_pictures(tmp_path: Path) -> None:
    assert pictures.jpeg(3, 40) == pictures.jpeg(3, 40)
    assert pictures.jpeg(3, 40) != pictures.jpeg(4, 40)
    file = tmp_path / "picture.jpg"
    file.write_bytes(pictures.jpeg(3, 200))
    with Image.open(file) as image:
        assert image.size == (200, 200)
    assert images.load(file, Framing(40)).std() > 10
    # As large as small photographs.
    assert 4_000 < file.stat().st_size < 20_000


def test_facts_name_the_machine() -> None:
    assert machine.facts()[0].startswith(f"{threads.processors()} cores of ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--train", "0"], "argument --train: found 0, expected 1 or more"),
        (["--train", "x"], "argument --train: invalid number value: 'x'"),
        (["--precision", "int8"], "invalid choice: 'int8'"),
    ],
)
def test_wrong_arguments_are_told(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        protocol.main(arguments)
    assert stop.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("benchmark", [bases, extraction, memory, protocol, recipes, views])
def test_help_shows_what_is_measured_and_defaults(benchmark: Any, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        benchmark.main(["--help"])
    assert stop.value.code == 0
    shown = capsys.readouterr().out
    assert benchmark.__doc__.splitlines()[0] in shown
    assert "(default:" in shown
    assert f"Example: python -m {benchmark.__name__}" in shown


def test_weights_of_the_user_are_used_where_there_are_some(
    empty: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    target = tmp_path_factory.mktemp("project")
    Path("data/weights").mkdir(parents=True)
    Path("data/weights/base.npz").write_bytes(b"weights")
    Path("data/weights/origin.json").write_bytes(b"origin")
    project.give_weights(target)
    with contextlib.chdir(target):
        assert Path("data/weights/base.npz").read_bytes() == b"weights"
        assert Path("data/weights/origin.json").read_bytes() == b"origin"


def test_simulation_tells_coverage_of_every_design(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(simulation, "SIZES", (60,))
    assert simulation.main(["--sets", "10"]) == 0
    table = rows(capsys.readouterr().out)
    assert len([name for name in table if name.endswith(", 60")]) == 12
    accuracy, difference, false = map(float, table["heads, 5 folds × 3, 60"][:3])
    assert accuracy >= 60
    assert difference == pytest.approx(100 - false)


def test_settings_of_a_preset_are_compared_on_validation_images(
    tensorflow: None, empty: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_source(Path("pictures"))
    write_params()
    asked = ["as it is", "train_head.units=3 train_head.epochs=1", "--images", "pictures", "--preset", "params.yaml"]
    assert presets.main([*asked, "--stages", "train_head"]) == 0
    said = capsys.readouterr().out
    assert said.count(", extract_features: ") == 1, "other settings of the head change no feature"
    assert re.search(r"^as it is, head, [01][.]\d{4}, \d+[.]\d{4}, \d+, \d+ s$", said, re.MULTILINE)
    assert re.search(r"^train_head.units=3 train_head.epochs=1, head, .*, 1, \d+ s$", said, re.MULTILINE)
    assert not list(Path().glob("metrics/*")), "all of it happens elsewhere"


def test_settings_of_one_run_are_not_those_of_the_next() -> None:
    preset = params.read(project.CHAPTER)
    changed = presets.variant(preset, presets.AS_IT_IS, "finetune.recipe.average=0.5", Path("pictures"))
    assert changed["finetune"]["recipe"]["average"] == 0.5
    assert preset == params.read(project.CHAPTER)


@pytest.mark.parametrize("change", ["train_head.units", "train_head.unit=3", "head=3", "train_head.units.most=3"])
def test_a_setting_that_is_none_is_refused(change: str) -> None:
    with pytest.raises(InputError, match=re.escape(f"found {change!r}, expected SECTION.NAME=VALUE")):
        presets.variant(params.read(project.CHAPTER), presets.AS_IT_IS, change, Path("pictures"))
