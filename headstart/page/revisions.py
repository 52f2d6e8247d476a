"""The results of other revisions: commits, branches, tags and DVC experiments."""

import json
from functools import cached_property
from pathlib import Path
from typing import Any

from headstart.foundation import paths
from headstart.foundation.errors import InputError
from headstart.scoring import predictions
from headstart.scoring.predictions import Predictions


class Revision:
    """What a revision keeps of its run.

    Files come from DVC's cache, or from its remote where the cache lacks them.

    Args:
        name: whatever git or DVC takes for a revision; None for the files as they are now.
    """

    def __init__(self, name: str | None) -> None:
        self.name = name

    def predictions(self, strategy: str) -> Predictions | None:
        """Return what a strategy said about the test split, or None where the revision has none of this strategy.

        Raises:
            InputError: there is no such revision, or nothing that keeps any.
        """
        path = paths.METRICS / strategy / "predictions.csv"
        if self.name is None:
            return predictions.read(path) if path.exists() else None
        content = self._content(path)
        return None if content is None else predictions.read(Path(f"{path} of {self.name}"), content)

    def description(self, strategy: str) -> dict[str, Any]:
        """Return a strategy's model.json, whatever the revision wrote there; {} where there is none.

        Raises:
            InputError: there is no such revision, or nothing that keeps any.
        """
        content = self._content(paths.MODELS / strategy / "model.json")
        return {} if content is None else dict(json.loads(content))

    def _content(self, path: Path) -> str | None:
        if self.name is None:
            return path.read_text(encoding="utf-8") if path.exists() else None
        try:
            return str(self._files.read_text(f"/{path.as_posix()}", encoding="utf-8"))
        except FileNotFoundError:
            return None

    @cached_property
    def _files(self) -> Any:
        # DVC takes a second to import and half a second to open; whoever compares no revisions need not wait for it.
        from dvc.api import DVCFileSystem
        from dvc.exceptions import DvcException
        from dvc.scm import RevError

        files = DVCFileSystem(rev=self.name)
        try:
            # Only here it looks for the revision.
            files.repo  # noqa: B018
        except RevError as error:
            raise InputError(f"{self.name}: {error}: name a commit, a branch, a tag or an experiment") from None
        except DvcException as error:
            raise InputError(f"{self.name}: {error}: run this in the project's folder, under git and DVC") from None
        return files
