"""Starting TensorFlow: quietly, reproducibly, and only where a stage asks for it."""

import os
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from headstart.base import memory


def start(seed: int) -> None:
    """Import TensorFlow for this process, quiet and deterministic.

    The same seed gives the same bytes, whatever the number of threads. Call it before any other
    import of TensorFlow or Keras.

    Raises:
        InputError: a limit leaves too little memory for it.
    """
    memory.check()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    with _QuietStart(), _without("sklearn", "matplotlib"):
        import keras
        import tensorflow as tf

        tf.config.list_physical_devices("GPU")
    tf.get_logger().setLevel("ERROR")
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - Keras itself draws from NumPy's global state in places
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
    # One operation after another, each on all threads, so that no result can depend on which of two ends first.
    # Training is as fast.
    tf.config.threading.set_inter_op_parallelism_threads(1)
    # It joins sums of two into sums of many, which TensorFlow takes in an order that varies: see gradients.py.
    tf.config.optimizer.set_experimental_options({"arithmetic_optimization": False})


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
    import keras

    keras.config.set_dtype_policy(policy)
