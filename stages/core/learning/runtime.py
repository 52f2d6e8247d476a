"""Starting TensorFlow: quietly, reproducibly, and only where a stage asks for it."""

import os
import random

import numpy as np


def start(seed: int) -> None:
    """Import TensorFlow for this process, quiet and deterministic.

    The same seed gives the same bytes, whatever the number of threads. Call it before any other
    import of TensorFlow or Keras.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    with _QuietStart():
        import keras
        import tensorflow as tf

        tf.config.list_physical_devices("GPU")
    tf.get_logger().setLevel("ERROR")
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - Keras itself draws from NumPy's global state in places
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()


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
