"""TensorFlow starts quietly, and without what nothing here uses."""

import subprocess
import sys

import pytest

from stages.core.learning.runtime import _without
from tests.pipeline import ROOT

START = """
import sys
from stages.core.learning import runtime
runtime.start(seed=1)
print(sorted({"sklearn", "matplotlib"} & set(sys.modules)))
import matplotlib.pyplot
import sklearn.linear_model
"""


def test_a_start_is_silent_and_loads_no_wrappers() -> None:
    finished = subprocess.run([sys.executable, "-c", START], cwd=ROOT, capture_output=True, text=True, check=True)
    assert (finished.stdout, finished.stderr) == ("[]\n", "")


def test_what_is_hidden_seems_not_installed() -> None:
    assert "sched" not in sys.modules
    with _without("sched"), pytest.raises(ImportError):
        import sched
    import sched

    with _without("sched"):
        assert sys.modules["sched"] is sched
