"""Starting TensorFlow: quietly, with the one arithmetic that results are promised for, and only where a stage asks.

On processors TensorFlow computes with oneDNN or with Eigen. Eigen divides its sums among the threads, so that their
number changes the last digits; oneDNN does not, where :mod:`~headstart.base.convolution` sees to gradients. TensorFlow
by itself takes oneDNN on Linux alone, and only on processors with AVX512-VNNI or AMX. Here it is always oneDNN, but for
macOS, whose TensorFlow has none: there the number of threads is the same on every machine.
"""

import importlib
import os
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from headstart.base import memory
from headstart.base.lazy import keras, tf
from headstart.foundation import threads
from headstart.foundation.errors import InputError

# What the libraries read as they load, and what would change results if it were left to a person's environment.
_ENVIRONMENT = {
    "KERAS_BACKEND": "tensorflow",
    "TF_ENABLE_ONEDNN_OPTS": "1",
    # Else a float32 product may be computed in bfloat16.
    "ONEDNN_DEFAULT_FPMATH_MODE": "STRICT",
    "TF_SET_ONEDNN_FPMATH_MODE": "",
    # Else XLA compiles functions anew, with sums in another order.
    "TF_XLA_FLAGS": "",
}
# Threads of Eigen where there is no oneDNN: as many as the performance cores of most computers with macOS.
_EIGEN_THREADS = 4

_started = False


def start(seed: int) -> None:
    """Import TensorFlow for this process, quiet and deterministic.

    The same seed gives the same bytes, whatever the number of threads and the environment. Call it before any other
    import of TensorFlow or Keras.

    Raises:
        InputError: a limit leaves too little memory for it, TensorFlow was imported before, or it has no oneDNN.
    """
    global _started
    memory.check()
    if not _started:
        _import()
        _started = True
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - Keras itself draws from NumPy's global state in places
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
    # It joins sums of two into sums of many, which TensorFlow takes in an order that varies: see gradients.py.
    tf.config.optimizer.set_experimental_options({"arithmetic_optimization": False})


def _import() -> None:
    """Import TensorFlow and Keras, and settle what can be settled only before they compute anything."""
    early = [name for name in ("tensorflow", "keras") if name in sys.modules]
    if early:
        raise InputError(
            f"{early[0]} was imported before its arithmetic was chosen, which is too late for that: "
            "call headstart.base.runtime.start first"
        )
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.update(_ENVIRONMENT)
    with _QuietStart(), _without("sklearn", "matplotlib"):
        for module in ("keras", "tensorflow"):
            importlib.import_module(module)
        tf.config.list_physical_devices("GPU")
    tf.get_logger().setLevel("ERROR")
    # A person's ~/.keras/keras.json may say otherwise.
    keras.config.set_floatx("float32")
    keras.config.set_image_data_format("channels_last")
    keras.config.set_epsilon(1e-7)
    # One operation after another, each on all threads, so that no result can depend on which of two ends first.
    # Training is as fast.
    tf.config.threading.set_inter_op_parallelism_threads(1)
    # Said here, neither TF_NUM_INTRAOP_THREADS nor OMP_NUM_THREADS has a say.
    tf.config.threading.set_intra_op_parallelism_threads(_intra_op_threads())


def _intra_op_threads() -> int:
    """How many threads an operation runs on.

    Raises:
        InputError: TensorFlow computes with Eigen where it should have oneDNN.
    """
    if _has_onednn():
        return threads.processors()
    if sys.platform == "darwin":
        return _EIGEN_THREADS
    raise InputError(
        "this TensorFlow computes without oneDNN, so that results would depend on the number of threads: "
        "install the one that requirements.lock names, by `make setup`"
    )


def _has_onednn() -> bool:
    # TensorFlow says it nowhere else; its version is locked.
    from tensorflow.python.util import _pywrap_util_port

    return bool(_pywrap_util_port.IsMklEnabled())


@contextmanager
def _without(*packages: str) -> Iterator[None]:
    """Let packages that are not loaded yet seem not installed.

    Where Keras finds scikit-learn and Matplotlib it imports them, SciPy's statistics among what they need, for
    wrappers that nothing here uses: a third of its start, in every stage.
    """
    hidden = [package for package in packages if package not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None makes an import fail
    try:
        yield
    finally:
        for package in hidden:
            del sys.modules[package]


class _QuietStart:
    """Send the chatter of TensorFlow's C++ start-up nowhere.

    It is written to file descriptor 2 before any logging level counts, so only the descriptor
    itself can be silenced. Python's own errors are exceptions and still reach the user.
    """

    def __enter__(self) -> None:
        self._saved = os.dup(2)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 2)
        os.close(nowhere)

    def __exit__(self, *exception: object) -> None:
        os.dup2(self._saved, 2)
        os.close(self._saved)


def set_policy(policy: str) -> None:
    """Make ``policy`` the precision of every layer built from now on; a layer may name its own."""
    keras.config.set_dtype_policy(policy)
