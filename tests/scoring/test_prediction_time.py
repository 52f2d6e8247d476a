"""Prediction is timed on whole batches, however few images there are."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from headstart.foundation import paths
from headstart.foundation.array_types import FloatArray
from headstart.models import predictor
from headstart.models.predictor import Predictor
from headstart.scoring import prediction_time, winner

pytest_plugins = ["tests.pipeline_fixtures"]


@pytest.mark.parametrize(("images", "batches"), [(2, 1), (5, 1), (12, 2)])
def test_it_is_timed_on_whole_batches(
    pipeline: Path, monkeypatch: pytest.MonkeyPatch, images: int, batches: int
) -> None:
    seen: list[int] = []
    original = Predictor.__call__

    def noting(self: Predictor, pixels: NDArray[np.uint8]) -> FloatArray:
        seen.append(len(pixels))
        return original(self, pixels)

    monkeypatch.setattr(Predictor, "__call__", noting)
    model = predictor.load(*winner.find("head"))
    files = sorted((paths.PREPARED / "test").rglob("*.png"))[:images]
    assert prediction_time.measure(model, files) > 0
    assert seen == [model.batch_size] * (1 + batches)
