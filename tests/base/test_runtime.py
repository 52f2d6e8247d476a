"""TensorFlow starts quietly, without what nothing here uses, and computes as it should whatever the environment."""

import json
import os
import subprocess
import sys
from pathlib import Path

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
ARITHMETIC = """
import json
from headstart.base import runtime
from headstart.foundation import threads
runtime.start(seed=1)
import keras
import tensorflow as tf
print(json.dumps({
    "onednn": runtime._has_onednn(),
    "threads": tf.config.threading.get_intra_op_parallelism_threads() - threads.processors(),
    "keras": [keras.backend.backend(), keras.backend.floatx(), keras.backend.image_data_format()],
}))
"""
UNWANTED = {
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "TF_NUM_INTRAOP_THREADS": "7",
    "OMP_NUM_THREADS": "7",
    "KERAS_BACKEND": "jax",
}


def run(code: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_start_is_silent_loads_no_wrappers_and_has_one_operation_after_another() -> None:
    finished = run(START)
    assert (finished.stdout, finished.stderr) == ("[]\n1\n", "")


def test_neither_the_environment_nor_keras_s_own_settings_change_the_arithmetic(tmp_path: Path) -> None:
    settings = {"floatx": "float16", "image_data_format": "channels_first", "backend": "jax", "epsilon": 1e-3}
    (tmp_path / "keras.json").write_text(json.dumps(settings), encoding="utf-8")
    finished = run(ARITHMETIC, KERAS_HOME=str(tmp_path), **UNWANTED)
    assert finished.stderr == ""
    assert json.loads(finished.stdout) == {
        "onednn": sys.platform != "darwin",
        "threads": 0,
        "keras": ["tensorflow", "float32", "channels_last"],
    }


@pytest.mark.parametrize("early", ["tensorflow", "keras"])
def test_it_is_said_in_a_line_that_tensorflow_was_imported_too_early(early: str) -> None:
    finished = run(
        f"import sys, {early}; from headstart.base import runtime; from headstart.foundation import entry\n"
        "sys.exit(entry.run(lambda: runtime.start(0) or 0))",
        TF_CPP_MIN_LOG_LEVEL="3",
    )
    assert finished.returncode == 1
    assert finished.stderr.splitlines()[-1].startswith(
        "error: tensorflow was imported before its arithmetic was chosen"
    )


@pytest.mark.skipif(sys.platform == "darwin", reason="TensorFlow has no oneDNN there")
def test_it_is_said_in_a_line_that_there_is_no_onednn() -> None:
    """As with a TensorFlow that was built without it."""
    finished = run(
        "import sys; from headstart.base import runtime; from headstart.foundation import entry\n"
        "runtime._ENVIRONMENT['TF_ENABLE_ONEDNN_OPTS'] = '0'\n"
        "sys.exit(entry.run(lambda: runtime.start(0) or 0))"
    )
    assert finished.returncode == 1
    assert finished.stderr == (
        "error: this TensorFlow computes without oneDNN, so that results would depend on the number of threads: "
        "install the one that requirements.lock names, by `make setup`\n"
    )


def test_what_is_hidden_seems_not_installed() -> None:
    assert "sched" not in sys.modules
    with _without("sched"), pytest.raises(ImportError):
        import sched
    import sched

    with _without("sched"):
        assert sys.modules["sched"] is sched
