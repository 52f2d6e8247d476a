"""Feature maps become the mean of each channel."""

import numpy as np
import pytest

from headstart.models import pooling


def test_maps_are_averaged_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    maps = np.random.default_rng(0).random((11, 3, 2, 5)).astype(np.float16)
    expected = maps.astype(np.float64).mean(axis=(1, 2))
    np.testing.assert_allclose(pooling.average(maps), expected)
    monkeypatch.setattr(pooling, "_BLOCK", 4)
    np.testing.assert_allclose(pooling.average(maps), expected)
