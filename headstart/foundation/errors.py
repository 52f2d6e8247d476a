"""The one exception for what a user can fix."""


class InputError(Exception):
    """Bad input. Its text is one line: what was found, where, what was expected, what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))
