"""What a person sees at the end: a table that fits a terminal, and only what the test split can show."""

import re

import numpy as np
import pandas as pd
import pytest

from headstart.models.description import Description
from headstart.page import summary
from headstart.scoring import evaluation, results
from headstart.scoring.predictions import Predictions
from headstart.statistics.revisions import Change, compare_revisions
from tests.outcomes import scored
from tests.reports import DESCRIPTION, compared, on_validation
from tests.scoring.test_evaluation import example


def worse(drawn: Predictions, errors: int) -> Predictions:
    """The same images, so many more of them wrong."""
    rows = np.eye(len(drawn.classes))[drawn.labels]
    rows[:errors] = np.roll(rows[:errors], 1, axis=1)
    return Predictions(drawn.images, drawn.classes, drawn.labels, 0.9 * rows + 0.1 / len(drawn.classes))


def measured(drawn: Predictions, description: Description = DESCRIPTION) -> dict[str, evaluation.Number]:
    return {**evaluation.measure(scored(drawn), description, seed=0), **on_validation(drawn)}


def changed(before: Predictions, after: Predictions) -> Change:
    return compare_revisions({"head": before.answers}, {"head": after.answers}, 0)["head"]


def shown(
    capsys: pytest.CaptureFixture[str],
    errors: dict[str, int],
    seconds: dict[str, float | None],
    repeats: dict[str, pd.DataFrame] | None = None,
) -> list[str]:
    predicted = {name: worse(example(2, images=200), count) for name, count in errors.items()}
    metrics = {name: measured(drawn) for name, drawn in predicted.items()}
    summary.show(metrics, compared(predicted, results.winner(metrics)), seconds, repeats or {})
    return capsys.readouterr().out.splitlines()


def test_the_table_has_one_row_per_strategy(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(
        capsys, {"head": 60, "augmented": 20, "finetune": 18}, {"head": 1.23, "augmented": None, "finetune": 100.0}
    )
    rows = {line.split()[0]: line for line in lines if re.match(r" (head|augmented|finetune) ", line)}
    assert list(rows) == ["head", "augmented", "finetune"]
    assert "70.0 % (63.3–75.9)" in rows["head"]
    assert "1.2 s" in rows["head"]
    assert "not timed" in rows["augmented"]
    assert "1 min 40 s" in rows["finetune"]
    assert all(rows[name].rstrip().endswith("46,090") for name in rows)


def test_it_fits_a_narrow_terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lines = shown(capsys, {"head": 60, "scratch_augmented": 20}, {"head": 99.9, "scratch_augmented": 5999.0})
    table = lines[: next(number for number, line in enumerate(lines) if line.startswith(("The ", "Training")))]
    assert max(map(len, table)) <= 80
    assert "…" not in "".join(table)


def test_a_winner_is_named_only_if_the_images_show_it(capsys: pytest.CaptureFixture[str]) -> None:
    clear = shown(capsys, {"head": 60, "augmented": 10}, {})
    assert any(line.startswith("  The head on augmented views beats the plain head by 25.0 points") for line in clear)
    unclear = shown(capsys, {"head": 11, "augmented": 10}, {})
    assert any("not significantly different" in line for line in unclear)
    assert not any(" beats " in line for line in unclear)


def test_repeats_are_reported_by_their_spread(capsys: pytest.CaptureFixture[str]) -> None:
    repeats = {"head": pd.DataFrame({"val_accuracy": [0.9, 0.8, 0.85]})}
    lines = shown(capsys, {"head": 10, "augmented": 10}, {}, repeats)
    assert lines[-1] == "  Head, trained 3 times: validation accuracy 80.0 % to 90.0 %."


def test_a_change_names_the_images_it_fixed_and_broke(capsys: pytest.CaptureFixture[str]) -> None:
    before, after = worse(example(2, images=200), 30), worse(example(2, images=200), 0)
    summary.show_change("head", changed(before, after), every_image=False)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("head: 30 fixed, 0 broken: better by 15.0 points")
    assert lines[1:] == [*(f"  fixed  {number}" for number in range(10)), "  fixed  20 more images: --all lists them"]
    summary.show_change("head", changed(after, before), every_image=True)
    lines = capsys.readouterr().out.splitlines()
    assert lines[1:] == [f"  broken  {number}" for number in range(30)]


def test_a_single_strategy_is_compared_with_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys, {"head": 10}, {"head": 1.0})
    assert any(line.startswith("The plain head classifies 95.0 % of 200 test images correctly") for line in lines)


def test_what_is_undefined_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    drawn = example(2)
    all_cats = Predictions(drawn.images, drawn.classes, np.zeros(60, np.int64), drawn.probabilities)
    summary.show({"head": measured(all_cats)}, compared({"head": all_cats}, "head"), {}, {})
    assert "undefined" in capsys.readouterr().out


@pytest.mark.parametrize(("count", "text"), [(0, "0"), (16_419, "16,419"), (999_999, "999,999"), (7_079_424, "7.1 M")])
def test_large_numbers_are_rounded(capsys: pytest.CaptureFixture[str], count: int, text: str) -> None:
    drawn = example(2)
    description = DESCRIPTION.model_copy(update={"trained_parameters": count})
    summary.show({"head": measured(drawn, description)}, compared({"head": drawn}, "head"), {}, {})
    assert capsys.readouterr().out.splitlines()[3].rstrip().endswith(f" {text}")


def test_the_cheaper_strategy_is_told_with_what_it_took_here(capsys: pytest.CaptureFixture[str]) -> None:
    drawn = worse(example(2, images=2000), 10)
    trained = {"head": 46_090, "finetune": 7_079_424}
    metrics = {
        name: {
            **measured(drawn, DESCRIPTION.model_copy(update={"trained_parameters": count})),
            "validation_log_loss": 1 / count,
        }
        for name, count in trained.items()
    }
    told = compared(dict.fromkeys(trained, drawn), "finetune")
    summary.show(metrics, told, {"head": 2.5, "finetune": 100.0}, {})
    printed = capsys.readouterr().out
    assert "The plain head is at most 0.2 points worse than fine-tuning and trains 1/154 of its weights" in printed
    assert "the cheaper one will do; it trained in 2.5 s, not 1 min 40 s." in printed
    summary.show(metrics, {**told, "margin": 0.001}, {}, {})
    assert "will do" not in capsys.readouterr().out


def test_what_nobody_recognised_is_said_before_anything_else(capsys: pytest.CaptureFixture[str]) -> None:
    drawn = example(2, images=100)
    blind = drawn.with_probabilities(np.tile([0.9, 0.1], (100, 1)))
    summary.show({"head": measured(blind)}, compared({"head": blind}, "head"), {}, {})
    sentences = [line for line in capsys.readouterr().out.splitlines() if line.endswith(".")]
    assert sentences[0] == "No image of “1” was recognised by any strategy."
