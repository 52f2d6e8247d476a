"""Evenly spaced numbers: no more than asked for, none twice, from end to end."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from headstart.explaining.spacing import spaced


@given(count=st.integers(1, 5000), most=st.integers(1, 300))
def test_they_are_spaced(count: int, most: int) -> None:
    found = spaced(count, most)
    assert len(found) == min(count, most)
    assert found[0] == 0
    if len(found) > 1:
        assert found[-1] == count - 1
        gaps = np.diff(found)
        assert gaps.min() >= 1
        assert gaps.max() - gaps.min() <= 1
