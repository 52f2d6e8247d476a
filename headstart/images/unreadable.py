"""The exception for a file that can't be used as an image."""


class UnreadableImage(Exception):  # noqa: N818 - it names the file, which is no error of the program
    """A file that can't be used as an image. ``reason`` says why, in a few words."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
