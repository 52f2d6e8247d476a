"""The amounts of work are those that the stages really have."""

import math
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.features import features
from headstart.planning import amounts
from headstart.settings import params
from headstart.statistics import intervals, least_squares, suspects
from tests.pipeline import ROOT, SMALL, run, write_params
from tests.planning.small import Small

pytest_plugins = ["tests.planning.fixtures"]


def count_passes(patch: pytest.MonkeyPatch) -> Counter[str]:
    """Count the images that the base runs over from now on, those included that fill up a batch."""
    found: Counter[str] = Counter()
    original = features.compile_forward

    def compiled(*arguments: Any, **options: Any) -> Callable[..., Any]:
        forward = original(*arguments, **options)

        def counted(batch: Any, draws: Any) -> Any:
            found["plain" if draws is None else "views"] += SMALL["extract_features.batch_size"]
            return forward(batch, draws)

        return counted

    patch.setattr(features, "compile_forward", compiled)
    return found


@pytest.mark.parametrize("flip", [True, False])
@pytest.mark.parametrize("views", [0, 3])
def test_the_base_passes_over_as_many_images_as_planned(
    small: Small, pipeline: Path, monkeypatch: pytest.MonkeyPatch, views: int, flip: bool
) -> None:
    write_params(extract_features__views=views, test_time_flip=flip)
    found = count_passes(monkeypatch)
    run("extract_features")
    planned = amounts.extraction(params.load(), small.counts)
    assert (found["plain"], found["views"]) == (planned.plain, planned.views)


def test_arrays_have_as_many_rows_as_planned(small: Small) -> None:
    for name, rows in amounts.rows(small.params, small.counts).items():
        shape = np.load(small.project.folder / "data" / f"{name}.npy", mmap_mode="r").shape
        assert math.prod(shape[:-3]) == rows, name


def test_what_the_statistics_count_with_is_what_they_have() -> None:
    assert amounts.FOLDS == suspects.FOLDS
    assert amounts.RESAMPLES == intervals.RESAMPLES
    assert len(least_squares.RIDGES) == amounts.RIDGES
    assert least_squares.MOST_IMAGES == amounts.MOST_IMAGES


@given(epochs=st.integers(1, 500), patience=st.integers(0, 600), stage=st.sampled_from(["train_head", "finetune"]))
def test_epochs_lie_between_patience_and_the_most(epochs: int, patience: int, stage: str) -> None:
    settings = params.load(ROOT / "presets/quick.yaml").finetune
    expected = amounts.epochs(settings.model_copy(update={"epochs": epochs, "patience": patience}), stage)
    assert expected.most == epochs
    assert min(patience or epochs, epochs) <= expected.likely <= epochs
