"""What `headstart add` does, from a folder to params.yaml, and what it prints."""

import shlex
from collections.abc import Iterator
from pathlib import Path

from headstart.adding import archive, choice, pointing, tracking
from headstart.sources.reading import DEFAULT, Reading
from headstart.sources.sources import open_archive


def add(path: Path, name: str | None, reading: Reading = DEFAULT, project: str = ".") -> Iterator[str]:
    """Pack and track the images of a folder or an archive, point params.yaml at them, and yield lines on what was done.

    The source is called ``name``, or like the folder or archive. The user sees the project's folder as ``project``.

    Raises:
        InputError: the images won't do, the name is taken, or DVC or git refuses.
    """
    target = archive.SOURCES / f"{archive.default_name(path) if name is None else archive.checked(name)}.zip"
    packed = archive.add(path, target, reading, choice.division)
    division = choice.division(packed.images)
    commit = tracking.track(target)
    yield from archive.report(packed, target)
    if pointing.points_at(target):
        yield "params.yaml already points at it and stays as it is"
    else:
        with open_archive(target) as tracked:
            fitting = choice.preset(tracked.images)
        written = pointing.point(fitting, target, division)
        if written is None:
            yield "params.yaml has settings of your own and stays as it is; to run these on the new images:"
            yield from (f"  {_from(project, line)}" for line in (commit, pointing.experiment(target, division)) if line)
            yield f"presets/{fitting.name}.yaml fits {fitting.reason}; to use it, copy it to params.yaml and add again"
            return
        why = fitting.reason if written == fitting.name else "which was there already"
        yield f"params.yaml: the settings of presets/{written}.yaml ({why})"
        yield f"  {choice.explain(packed.images, division)}"
    yield "next:"
    yield f"  {_from(project, 'make run')}"
    if commit:
        yield "and, before experiments with `dvc exp run`, which find only what is committed:"
        yield f"  {_from(project, commit)}"


def _from(project: str, command: str) -> str:
    """A command of the project's folder, as it is run from where the user is."""
    return command if project == "." else f"(cd {shlex.quote(project)} && {command})"
