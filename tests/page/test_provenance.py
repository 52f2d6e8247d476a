"""Models made with different precision or library versions are reported as such."""

from pathlib import Path
from typing import Any

import pytest

from headstart.foundation import versions
from headstart.models.strategies import STRATEGIES
from headstart.page import provenance

pytest_plugins = ["tests.pipeline_fixtures"]


def description(policy: str = "float32", features: str = "2.21.0", training: str = "2.21.0") -> dict[str, Any]:
    return {
        "extraction": {"policy": policy, "versions": {"tensorflow": features, "pillow": "13.0.0"}},
        "versions": {"tensorflow": training, "pillow": "13.0.0"},
    }


def test_what_a_model_was_made_with() -> None:
    assert provenance.of(description()) == {"precision": "float32", "tensorflow": "2.21.0", "pillow": "13.0.0"}
    mixed = provenance.of(description(features="2.20.0"))
    assert mixed["tensorflow"] == "2.20.0 for features and 2.21.0 for training"


def test_a_network_without_a_base_has_a_precision_of_its_own() -> None:
    made = {"extraction": None, "network": {"policy": "mixed_bfloat16"}, "versions": {"keras": "3.15.0"}}
    assert provenance.of(made) == {"precision": "mixed_bfloat16", "keras": "3.15.0"}


@pytest.mark.parametrize("description", [{}, {"extraction": None}, {"extraction": {"image_size": 96}}])
def test_what_an_earlier_revision_did_not_record_is_not_known(description: dict[str, Any]) -> None:
    assert provenance.of(description) == {}


def test_models_made_under_the_same_conditions_need_no_note() -> None:
    alike = provenance.of(description())
    assert provenance.note({"head": alike, "finetune": alike, "unknown": {}}) is None
    assert provenance.note({}) is None


def test_every_difference_is_reported() -> None:
    made = {
        "head": provenance.of(description()),
        "augmented": provenance.of(description("mixed_bfloat16")),
        "finetune": provenance.of(description("mixed_bfloat16", "2.22.0", "2.22.0")),
    }
    assert provenance.note(made) == (
        "The models were made under different conditions, which may affect the comparison: precision float32 (head), "
        "mixed_bfloat16 (augmented, finetune); tensorflow 2.21.0 (head, augmented), 2.22.0 (finetune)."
    )


def test_a_run_is_told_beside_the_libraries_of_now(
    pipeline: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = provenance.of_run(STRATEGIES)
    assert list(made) == [*STRATEGIES, "evaluate"]
    assert set(made["head"]) == {"precision", *made["evaluate"]} == {"precision", *versions.LEARNING}
    provenance.show(made)
    assert capsys.readouterr().out == ""
    monkeypatch.setattr(versions, "version", lambda name: "99.1")
    provenance.show(provenance.of_run(STRATEGIES))
    assert "99.1 (evaluate)" in capsys.readouterr().out
