"""What a long stage keeps so that it can continue after an interruption.

DVC deletes a stage's outputs before it runs it, so this state lives elsewhere: data/working/<stage>/,
which is neither tracked nor shared. It counts only as long as everything the result depends on is the
same; otherwise it is thrown away.
"""

import hashlib
import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from headstart.foundation import code
from headstart.foundation.atomic import write_text

_WORKING = Path("data/working")


class Resumable:
    """The continuing state of one stage, in the folder ``path``."""

    def __init__(self, stage: str, settings: Any, inputs: Iterable[Path]) -> None:
        """Open the state of ``stage``, empty unless an earlier run left one of the very same work.

        Args:
            stage: the stage's name in dvc.yaml, which determines what code the result depends on; with a slash
                after it, a part of the stage, discarded with the rest.
            settings: every setting that the result depends on; anything with a plain ``repr``.
            inputs: every file that the result depends on.
        """
        self.name = stage
        self.path = _WORKING / stage
        self.key = _digest(stage, settings, inputs)
        self._key_file = self.path / "key"
        if not self._key_file.exists() or self._key_file.read_text(encoding="utf-8") != self.key:
            self._delete()
            self.path.mkdir(parents=True)
            write_text(self._key_file, self.key)

    def read(self) -> dict[str, Any]:
        """Return what :meth:`write` left, or an empty dictionary."""
        try:
            return dict(json.loads((self.path / "state.json").read_text(encoding="utf-8")))
        except FileNotFoundError:
            return {}

    def write(self, state: dict[str, Any]) -> None:
        """Record how far the work has come. Write the work itself first."""
        write_text(self.path / "state.json", json.dumps(state))

    def discard(self) -> None:
        """Throw the state away, once the outputs are in their place."""
        self._delete()

    def _delete(self) -> None:
        if self.path.exists():
            # First: if the process is killed in between, what is left no longer counts.
            self._key_file.unlink(missing_ok=True)
            shutil.rmtree(self.path)


def _digest(stage: str, settings: Any, inputs: Iterable[Path]) -> str:
    """Digest of the stage's code, the libraries, settings and input files: any of them may change the result."""
    digest = hashlib.sha256(f"{code.digest(stage.partition('/')[0])} {settings!r}".encode())
    for path in inputs:
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()
