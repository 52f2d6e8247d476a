"""The page is written from what the stages left, again when that has changed and not before."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest

from headstart.foundation import paths
from headstart.foundation.errors import InputError
from headstart.foundation.framing import Framing
from headstart.images import manifest
from headstart.models import held_out, timing
from headstart.models.strategies import STRATEGIES
from headstart.page import console, report
from headstart.scoring import growth, predictions, results, review, sheets
from headstart.settings import params
from tests.pipeline import Finished, run

pytest_plugins = ["tests.pipeline_fixtures"]


def test_the_page_has_the_numbers_of_the_metrics(finished: Finished) -> None:
    written = (finished.folder / paths.PAGE).read_text(encoding="utf-8")
    metrics = json.loads((finished.folder / paths.EVALUATION).read_text(encoding="utf-8"))
    for name, row in metrics.items():
        assert f'id="{name}-accuracy"' in written
        assert f'<data value="{row["accuracy"]}">' in written
        assert f'<data value="{row["log_loss"]}">' in written
    assert "3 of 64" not in written
    assert 'id="inside"' in written


def test_all_that_was_left_is_gathered(pipeline: Path) -> None:
    found = report.gather()
    assert list(found.metrics) == list(found.predicted) == list(found.histories) == list(STRATEGIES)
    assert list(found.learning) == list(found.readings) == ["head", "augmented"]
    assert len(found.comparisons) == 15
    assert found.source == "source"
    assert found.dataset == {"train": 18, "validation": 12, "test": 12}
    assert found.winner == results.winner(found.metrics)
    most = params.load().evaluate.suspects
    shown = {*review.contradicted(found.suspects, most)["path"], *review.foreign(found.suspects, most)["path"]}
    assert shown
    assert shown <= set(found.pictures)
    assert all(data.startswith(b"\xff\xd8") for data in found.pictures.values())
    assert found.inside.record.image in found.pictures


def test_the_same_results_give_the_same_page_whenever_and_wherever_it_is_written(pipeline: Path) -> None:
    first = paths.PAGE.read_bytes()
    timing.record_training("head", 123.4, "another model")
    run("report")
    assert paths.PAGE.read_bytes() == first


def test_the_stage_prints_the_comparison_and_where_the_page_is(
    pipeline: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("report")
    printed = capsys.readouterr().out
    assert all(f"\n {name} " in printed for name in STRATEGIES)
    assert printed.endswith("The page: plots/report.html\n")
    # And again whenever somebody asks.
    console.show_strategies()
    assert capsys.readouterr().out == printed.removesuffix("The page: plots/report.html\n")


@pytest.mark.parametrize(
    "missing",
    [
        "metrics/head/history.csv",
        "metrics/head/predictions.csv",
        "metrics/evaluation.json",
        "metrics/comparison.json",
        "plots/augmentation.png",
    ],
)
def test_what_is_missing_is_named_in_one_line(pipeline: Path, missing: str) -> None:
    Path(missing).unlink()
    with pytest.raises(InputError, match=re.escape(missing) + r": no such file: run `dvc ") as error:
        report.gather()
    assert "\n" not in str(error.value)


def test_only_what_was_trained_more_than_once_has_a_spread(pipeline: Path) -> None:
    """And the probe in folds alone: on the same images it comes out the same."""
    for name, rows in (("probe", 3), ("head", 3), ("augmented", 1)):
        path = paths.METRICS / name / "repeats.csv"
        path.unlink(missing_ok=True)
        pd.DataFrame({"repeat": range(1, rows + 1), "fold": 0, "val_accuracy": 0.5}).to_csv(path, index=False)
    (paths.METRICS / "finetune" / "repeats.csv").unlink(missing_ok=True)
    assert list(results.repeats(STRATEGIES)) == ["head"]
    in_folds = pd.DataFrame({"repeat": [1, 1], "fold": [1, 2], "val_accuracy": 0.5})
    (paths.METRICS / "probe" / "repeats.csv").unlink()
    in_folds.to_csv(paths.METRICS / "probe" / "repeats.csv", index=False)
    assert list(results.repeats(STRATEGIES)) == ["probe", "head"]


def curves(**changes: object) -> dict[str, list[int]]:
    """Sizes of each strategy's learning curve."""
    settings = {"learning_curve": [0.5, 1.0], "curve_repeats": 2, **changes}
    asked = params.load().evaluate.model_copy(update=settings)
    held = held_out.load(paths.MODELS / "head" / held_out.NAME)
    drawn = growth.curves(manifest.read(paths.MANIFEST), held, asked, 0)
    return {name: [point.images for point in curve.points] for name, curve in drawn.items()}


def test_learning_curves_are_drawn_where_a_classifier_trains_on_features(pipeline: Path) -> None:
    assert curves() == {"head": [9, 18], "augmented": [9, 18]}
    assert curves(learning_curve=[]) == {}


def test_a_large_set_is_cut_to_what_fits_into_memory(pipeline: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headstart.statistics.least_squares.MOST_IMAGES", 12)
    assert curves() == {"head": [6, 12], "augmented": [6, 12]}


def test_without_kept_views_the_head_alone_has_a_curve(pipeline: Path) -> None:
    import numpy as np

    views = paths.FEATURES / "views.npy"
    shape = np.load(views).shape
    views.unlink()
    np.save(views, np.empty((0, *shape[1:]), np.float16))
    assert curves() == {"head": [9, 18]}


def test_sheets_are_drawn_even_if_they_are_empty(pipeline: Path, tmp_path: Path) -> None:
    table = review.read()
    one = predictions.read(paths.METRICS / "head" / "predictions.csv")
    for name, of_table in (("full", table), ("empty", table[:0])):
        sheets.draw_suspect_labels(tmp_path / f"{name}-labels.png", of_table, 4, Framing(96))
        sheets.draw_suspect_images(tmp_path / f"{name}-images.png", of_table, 4, Framing(96))
    sheets.draw_mistakes(tmp_path / "mistakes.png", "head", one, 4, Framing(96))
    files = sorted(path.name for path in tmp_path.glob("*.png"))
    assert files == ["empty-images.png", "empty-labels.png", "full-images.png", "full-labels.png", "mistakes.png"]
