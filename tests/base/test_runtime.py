"""TensorFlow starts quietly, without what nothing here uses, and runs one operation after another."""

import subprocess
import sys

import pytest

from headstart.base.runtime import _without
from tests.pipeline import ROOT

START = """
import sys
from headstart.base import runtime
runtime.start(seed=1)
print(sorted({"sklearn", "matplotlib"} & set(sys.modules)))
import tensorflow as tf
print(tf.config.threading.get_inter_op_parallelism_threads())
import matplotlib.pyplot
import sklearn.linear_model
"""


def test_a_start_is_silent_loads_no_wrappers_and_has_one_operation_after_another() -> None:
    finished = subprocess.run([sys.executable, "-c", START], cwd=ROOT, capture_output=True, text=True, check=True)
    assert (finished.stdout, finished.stderr) == ("[]\n1\n", "")


def test_what_is_hidden_seems_not_installed() -> None:
    assert "sched" not in sys.modules
    with _without("sched"), pytest.raises(ImportError):
        import sched
    import sched

    with _without("sched"):
        assert sys.modules["sched"] is sched
