"""The stages that a run would start: what changed, and what depends on it."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.foundation.errors import InputError
from headstart.planning import pending
from tests.pipeline import ROOT

STAGES: dict[str, Any] = {
    "prepare": {"deps": ["${prepare.source}"], "outs": ["data/prepared"], "metrics": [{"metrics/dataset.json": {}}]},
    "train": {"deps": ["data/prepared/manifest.csv"], "outs": ["models/head"]},
    "other": {"outs": ["data/prepared_too"]},
    "score": {"deps": ["models", "data/prepared_too"], "metrics": [{"metrics/score.json": {"cache": False}}]},
    "show": {"deps": ["metrics/dataset.json"]},
}

DEFINITION = pending.stages(ROOT / "dvc.yaml")


def test_what_depends_on_a_changed_stage_runs_too() -> None:
    assert pending.pending(STAGES, ["train"]) == ["train", "score"]
    assert pending.pending(STAGES, ["prepare", "data/sources/birds.zip.dvc"]) == ["prepare", "train", "score", "show"]
    assert pending.pending(STAGES, ["other"]) == ["other", "score"]
    assert pending.pending(STAGES, []) == []


@given(st.sets(st.sampled_from(sorted(DEFINITION))))
def test_more_changes_never_run_less(changed: set[str]) -> None:
    found = pending.pending(DEFINITION, changed)
    assert changed <= set(found)
    assert pending.pending(DEFINITION, found) == found
    if "prepare" in changed:
        assert {"extract_features", "train_head", "evaluate", "explain"} <= set(found)


def test_dvc_itself_says_what_has_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"`dvc status` failed: .*not inside of a DVC repository"):
        pending.status()
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc/config").write_text("[core]\n    no_scm = True\n    analytics = false\n")
    (tmp_path / "dvc.yaml").write_text("stages:\n  one:\n    cmd: echo 1 > one\n    outs: [one]\n")
    assert pending.pending(pending.stages(), pending.status()) == ["one"]


def test_what_is_no_status_is_refused() -> None:
    with pytest.raises(InputError, match="expected what `dvc status --json` prints"):
        pending.parse("ERROR: no such thing")
