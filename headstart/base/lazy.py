"""Keras and TensorFlow as every module here imports them: loaded when something of them is first used.

Loading them takes seconds, and :func:`headstart.base.runtime.start` has to settle their arithmetic first. This way a
mistake in params.yaml is found, and ``--help`` printed, without them. Annotations that name them stay in quotes, which
Python does not evaluate.
"""

import importlib
from typing import TYPE_CHECKING, Any

__all__ = ["keras", "tf"]


class _Lazy:
    """A module that is imported when one of its attributes is asked for."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(importlib.import_module(self._name), attribute)


if TYPE_CHECKING:
    import keras
    import tensorflow as tf
else:
    keras, tf = _Lazy("keras"), _Lazy("tensorflow")
