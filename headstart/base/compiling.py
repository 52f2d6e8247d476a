"""Functions compiled by TensorFlow, each once.

Compiling a training step takes a second or more, as long as many steps. TensorFlow would compile a function for the
first size of batch that it meets, and again for any other; and it would rewrite the Python of what it compiles first
(AutoGraph), which nothing here needs, and which leaves files behind where a process is killed.
"""

from collections.abc import Callable
from typing import Any

from headstart.base.lazy import tf


def compiled(function: Callable[..., Any], signature: "list[tf.TensorSpec]") -> Callable[..., Any]:
    """Compile a function for tensors of exactly these shapes and types, when it is first called."""
    return tf.function(function, input_signature=signature, autograph=False)  # type: ignore[no-any-return]


def compiled_for_rows(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function for arguments like those of its first call, with any number of rows.

    Arguments are arrays, None, or tuples of these. Only their first dimensions may change.
    """
    compiled = tf.function(function, autograph=False)
    of_first_call: list[Any] = []

    def call(*arguments: Any) -> Any:
        if not of_first_call:
            of_first_call.append(compiled.get_concrete_function(*map(_any_rows, arguments)))
        return compiled(*arguments)

    return call


def _any_rows(argument: Any) -> Any:
    if argument is None:
        return None
    if isinstance(argument, tuple):
        return type(argument)(*map(_any_rows, argument))
    return tf.TensorSpec((None, *argument.shape[1:]) if argument.shape else (), argument.dtype)
