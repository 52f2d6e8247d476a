"""The predictions of other revisions: commits, branches, tags and DVC experiments."""

import json
from pathlib import Path
from typing import Any

from headstart.foundation import paths
from headstart.foundation.errors import InputError
from headstart.scoring import predictions
from headstart.scoring.predictions import Predictions


def read(strategy: str, revision: str | None) -> Predictions | None:
    """Return what a strategy said about the test split in a revision.

    The file comes from DVC's cache, or from its remote where the cache lacks it.

    Args:
        strategy: its name.
        revision: whatever git or DVC takes for one; None for the files as they are now.

    Returns:
        The predictions, or None where the revision has none of this strategy.

    Raises:
        InputError: there is no such revision, or nothing that keeps any.
    """
    path = paths.METRICS / strategy / "predictions.csv"
    if revision is None:
        return predictions.read(path) if path.exists() else None
    content = _content(path, revision)
    return None if content is None else predictions.read(Path(f"{path} of {revision}"), content)


def describe(strategy: str, revision: str | None) -> dict[str, Any]:
    """Return the description of a strategy's model in a revision, as written in its model.json.

    Args:
        strategy: its name.
        revision: as for :func:`read`.

    Returns:
        Its content, whatever the revision wrote there; {} where there is none.

    Raises:
        InputError: there is no such revision, or nothing that keeps any.
    """
    path = paths.MODELS / strategy / "model.json"
    if revision is not None:
        content = _content(path, revision)
    else:
        content = path.read_text(encoding="utf-8") if path.exists() else None
    return {} if content is None else dict(json.loads(content))


def _content(path: Path, revision: str) -> str | None:
    # DVC takes a second to import; whoever compares nothing across revisions need not wait for it.
    import dvc.api
    from dvc.exceptions import DvcException, PathMissingError
    from dvc.scm import RevError

    try:
        return str(dvc.api.read(path.as_posix(), rev=revision, encoding="utf-8"))
    except PathMissingError:
        return None
    except RevError as error:
        raise InputError(f"{revision}: {error}: name a commit, a branch, a tag or an experiment") from None
    except DvcException as error:
        raise InputError(f"{revision}: {error}: run this in the project's folder, under git and DVC") from None
