"""The pipeline as its users run it: DVC in a fresh clone, the pretrained weights, pictures of their own."""

import csv
import json
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from headstart.foundation import paths
from headstart.models.strategies import STRATEGIES
from tests import clones
from tests.clones import commit, make, ran, run
from tests.kill_stages import KEPT
from tests.pictures import encode
from tests.pipeline import ROOT, STAGES, TRAINING

pytestmark = pytest.mark.registry

CLASSES = ("blue", "red")
SPLITS = {"train": 6, "validation": 4, "test": 8}
CHANGES: dict[str, Any] = {
    "prepare": {"source": "pictures", **SPLITS},
    "extract_features": {"image_size": 48, "views": 2},
    "train_scratch": {"batch_size": 4},
    "train_scratch_augmented": {"batch_size": 4, "epochs": 30},
    "train_head": {"epochs": 30},
    "train_augmented": {"epochs": 30},
    "finetune": {"epochs": 2},
    "explain": {"layers": ["block1_conv1"], "filters": 2, "steps": 2, "answers": 1},
}
METRICS = ("accuracy", "log_loss", "roc_auc", "f1", "trained_parameters")


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory, warm_path: str) -> Path:
    """What a clone of the project holds, committed, with a few pictures, its params made small, and run."""
    folder = make(tmp_path_factory.mktemp("clone"))
    _write_pictures(folder / "pictures")
    values = yaml.safe_load((folder / "params.yaml").read_text(encoding="utf-8"))
    for section, changes in CHANGES.items():
        values[section] |= changes
    (folder / "params.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")
    commit(folder)
    run(folder, "make", "setup", PATH=warm_path)
    output = run(folder, "dvc", "repro")
    assert ran(output) == list(STAGES)
    commit(folder)
    return folder


@pytest.fixture
def fresh(clone: Path) -> Path:
    """The clone as it was after its first run."""
    run(clone, "git", "checkout", "--quiet", "--force", "HEAD")
    run(clone, "dvc", "checkout", "--quiet", "--force")
    return clone


def _write_pictures(folder: Path) -> None:
    """Noise with a tint, a class each."""
    random = np.random.default_rng(seed=0)
    for place, name in enumerate(CLASSES):
        (folder / name).mkdir(parents=True)
        for number in range(sum(SPLITS.values())):
            picture = random.integers(0, 100, (48, 64, 3), np.uint8)
            picture[..., 2 - 2 * place] += 150
            (folder / name / f"{number}.jpg").write_bytes(encode(picture, "JPEG"))


def shown(folder: Path, *command: str) -> Any:
    return json.loads(run(folder, "dvc", *command, "--json"))


def test_every_stage_is_locked(fresh: Path) -> None:
    lock = yaml.safe_load((fresh / "dvc.lock").read_text(encoding="utf-8"))
    assert set(lock["stages"]) == set(STAGES)
    assert all(stage["outs"] for stage in lock["stages"].values())


def test_nothing_is_left_to_do(fresh: Path) -> None:
    assert shown(fresh, "status") == {}
    output = run(fresh, "dvc", "repro")
    assert ran(output) == []
    assert "Data and pipelines are up to date." in output


def test_nothing_is_left_behind(fresh: Path) -> None:
    assert run(fresh, "git", "status", "--porcelain") == ""
    kept = [path for path in (fresh / "data" / "working").rglob("*") if path.is_file()]
    assert {path.name for path in kept} == set(KEPT), "but for what stays between runs"
    assert sum(path.stat().st_size for path in kept) < 100_000


def test_metrics_compare_the_strategies(fresh: Path) -> None:
    metrics = shown(fresh, "metrics", "show")[""]["data"]
    assert set(metrics) == {f"metrics/{name}/metrics.json" for name in STRATEGIES}
    for row in metrics.values():
        assert row["data"]["accuracy"] > 0.9, "red and blue are told apart"
    everything = json.loads((fresh / paths.EVALUATION).read_text(encoding="utf-8"))
    assert list(everything) == list(STRATEGIES)
    assert all(set(METRICS) <= set(row) for row in everything.values())
    seconds = json.loads((fresh / "metrics" / "timings.json").read_text(encoding="utf-8"))
    assert all(seconds[name]["train_seconds"] > 0 for name in STRATEGIES)


def test_metrics_fit_a_terminal(fresh: Path) -> None:
    lines = run(fresh, "dvc", "metrics", "show").splitlines()
    assert len([line for line in lines if line.startswith("metrics/")]) == len(STRATEGIES)
    assert max(map(len, lines)) <= 120


def test_plots_are_whole(fresh: Path) -> None:
    plots = shown(fresh, "plots", "show")
    assert not plots.get("errors")
    defined = yaml.safe_load((fresh / "dvc.yaml").read_text(encoding="utf-8"))["plots"]
    expected = [next(iter(plot)) if isinstance(plot, dict) else plot for plot in defined]
    found = {name.removeprefix("dvc.yaml::"): entries for name, entries in plots["data"].items()}
    assert set(found) == set(expected)
    for name, entries in found.items():
        assert entries, name
        for entry in entries:
            if entry["type"] == "image":
                assert Path(entry["url"]).stat().st_size > 1000
            else:
                assert entry["content"]["data"]["values"], name


def test_the_page_of_plots_is_written(fresh: Path) -> None:
    run(fresh, "dvc", "plots", "show")
    assert (fresh / "dvc_plots" / "index.html").stat().st_size > 10_000


def changed(difference: dict[str, Any]) -> set[str]:
    """The strategies whose metrics differ."""
    return {file.split("/")[1] for file, values in difference.items() if values}


def test_an_experiment_runs_what_it_changes(fresh: Path) -> None:
    assert ran(run(fresh, "dvc", "exp", "run", "-S", "train_head.dropout=0.3")) == [
        "train_head",
        "evaluate",
        "explain",
        "report",
    ]
    assert changed(shown(fresh, "metrics", "diff")) == {"head"}
    assert len(run(fresh, "dvc", "metrics", "diff").splitlines()) < 30
    assert "dropout" in run(fresh, "dvc", "params", "diff")
    readme = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    command = next(line for line in readme if line.startswith("dvc exp show")).partition(" #")[0]
    # With so few images the accuracy may be the same. Where a terminal is too narrow, DVC leaves out columns.
    table = run(fresh, *shlex.split(command.replace("accuracy", "log_loss")), COLUMNS="120", PAGER="cat")
    header = next(line for line in table.splitlines() if "Experiment" in line)
    assert header.split() == ["Experiment", "metrics/head/metrics.json:log_loss", "train_head.dropout"]


@pytest.mark.slow
def test_two_experiments_at_once_do_not_disturb_each_other(fresh: Path) -> None:
    strategies = {"finetune": "finetune.unfreeze=2", "head": "train_head.units=4"}
    clones.experiments_at_once(fresh, strategies)
    for strategy, change in strategies.items():
        assert ran(run(fresh, "dvc", "queue", "logs", strategy)) == [
            change.partition(".")[0],
            "evaluate",
            "explain",
            "report",
        ]
        assert changed(shown(fresh, "metrics", "diff", "HEAD", strategy)) == {strategy}
    assert run(fresh, "git", "status", "--porcelain") == ""


def test_the_winner_is_had_from_the_model_registry(fresh: Path, tmp_path: Path) -> None:
    """As the README says, from a folder that is no clone: a version is a tag."""
    files = {path.name: path.read_bytes() for path in (fresh / paths.WINNER).iterdir()}
    run(fresh, "git", "tag", "--force", "--annotate", "winner@v1.0.0", "--message", "the first")
    told = run(tmp_path, "dvc", "artifacts", "get", str(fresh), "winner")
    assert f"Downloaded {len(files)} file(s) to 'winner'" in told
    assert {path.name: path.read_bytes() for path in (tmp_path / "winner").iterdir()} == files
    assert {entry["path"] for entry in shown(fresh, "ls", ".", str(paths.WINNER))} == set(files)


def test_predictions_follow_the_threshold_of_the_class_that_must_not_be_missed(fresh: Path, tmp_path: Path) -> None:
    changes = ("-S", "evaluate.positive_class=red", "-S", "evaluate.positive_recall=1.0")
    run(fresh, "dvc", "exp", "run", *changes, "evaluate")
    file = fresh / paths.WINNER / "model.json"  # may be a link into DVC's cache: replaced, not changed
    described = json.loads(file.read_text(encoding="utf-8"))
    assert described["inference"]["decision"]["positive"] == "red"
    for threshold in (0.0, 1.01):
        described["inference"]["decision"]["threshold"] = threshold
        file.unlink()
        file.write_text(json.dumps(described), encoding="utf-8")
        run(fresh, "headstart", "predict", "pictures", "--output", str(tmp_path / "said.csv"))
        with (tmp_path / "said.csv").open(encoding="utf-8-sig", newline="") as table:
            said = {row["predicted"] for row in csv.DictReader(table)}
        assert said == {"red" if threshold == 0.0 else "blue"}


@pytest.mark.slow
def test_a_change_to_the_pictures_draws_them_anew_and_nothing_else(fresh: Path) -> None:
    assert ran(run(fresh, "dvc", "exp", "run", "-S", "explain.filters=3")) == ["explain", "report"]
    assert "3 of 64 filters" in (fresh / "plots" / "report.html").read_text(encoding="utf-8")
    assert shown(fresh, "metrics", "diff") == {}


def test_a_fault_in_params_stops_it_in_one_line(fresh: Path) -> None:
    faults = ("-S", "finetune.unfreeze=-4", "-S", "train_head.dropout=1.5")
    with pytest.raises(AssertionError) as caught:
        run(fresh, "dvc", "exp", "run", *faults)
    message = (
        "error: params.yaml: train_head.dropout: found 1.5, expected less than 1; "
        "finetune.unfreeze: found -4, expected "
    )
    assert message in str(caught.value)
    assert "Traceback" not in str(caught.value)


def test_a_parameter_that_nobody_knows_is_refused(fresh: Path) -> None:
    """DVC itself asks whether it is meant to be new; where a plus sign says so, the schema knows better."""
    with pytest.raises(AssertionError, match="unfreez"):
        run(fresh, "dvc", "exp", "run", "-S", "finetune.unfreez=2")
    with pytest.raises(AssertionError) as caught:
        run(fresh, "dvc", "exp", "run", "-S", "+finetune.unfreez=2")
    assert "error: params.yaml: finetune.unfreez: unknown parameter, did you mean `unfreeze`?\n" in str(caught.value)


@pytest.mark.parametrize(
    ("file", "stages"),
    [
        ("headstart/training/optimizers.py", set(TRAINING)),
        ("headstart/page/verdicts.py", {"report"}),
        ("headstart/page/templates/page.css", {"report"}),
        ("headstart/explaining/grad_cam.py", {"explain"}),
        ("headstart/sources/archives.py", {"prepare"}),
        ("headstart/pretrained/imagenet.py", {"backbone"}),
        ("headstart/settings/schema.py", set()),
        ("headstart/deploying/onnx_file.py", set()),
        ("stages/preview.py", {"preview"}),
    ],
)
def test_a_change_of_the_code_runs_what_it_can_change(fresh: Path, file: str, stages: set[str]) -> None:
    path = fresh / file
    before = path.read_bytes()
    path.write_bytes(before + b"\n")
    try:
        assert set(shown(fresh, "status")) == stages
    finally:
        path.write_bytes(before)
