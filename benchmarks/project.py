"""Project folders for a while: what benchmarks write stays out of the user's own."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from headstart.base import origin, weights
from headstart.base.origin import Origin
from headstart.foundation import paths
from headstart.pretrained import untrained
from headstart.settings import params

# As published: what notebooks run, and all that is asked of Headstart in the same words.
_ROOT = Path(__file__).resolve().parents[1]
CHAPTER = _ROOT / "presets" / "chapter_published.yaml"


@contextmanager
def temporary() -> Iterator[Path]:
    """Yield an empty folder; it is deleted with all its content in the end. ``TMPDIR`` says where."""
    with tempfile.TemporaryDirectory(prefix="headstart-") as folder:
        yield Path(folder)


def give_params(folder: Path, changes: dict[str, Any]) -> None:
    """Write params.yaml: the chapter's published recipe with ``changes``, by dotted names."""
    values = params.read(CHAPTER)
    for name, value in changes.items():
        section, parameter = find(values, name)
        section[parameter] = value
    target = folder / params.PARAMS
    target.write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")


def find(values: Any, name: str) -> tuple[Any, str]:
    """Return the section that holds the parameter of a dotted name, and the parameter's name in it.

    Raises:
        KeyError: there is no such section or parameter.
        TypeError: what should be a section is a value.
    """
    *sections, parameter = name.split(".")
    for section in sections:
        values = values[section]
    values[parameter]
    return values, parameter


def read_by(stage: str) -> list[str]:
    """Return the dotted names of the parameters that a stage reads, as dvc.yaml lists them."""
    stages = yaml.safe_load((_ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    names: list[str] = stages[stage]["params"]
    return names


def give_weights(folder: Path) -> None:
    """Give the folder the current folder's weights of the base; random ones, as fast, if there are none."""
    (folder / paths.WEIGHTS).parent.mkdir(parents=True)
    if paths.WEIGHTS.exists():
        for path in (paths.WEIGHTS, paths.ORIGIN):
            (folder / path).symlink_to(path.resolve())
    else:
        weights.save(folder / paths.WEIGHTS, untrained.weights("vgg16"))
        origin.write(Origin(base="vgg16", weights="random"), folder)


def link_data(folder: Path) -> None:
    """Link what the stages before fine-tuning left in the current folder into another one, to be read there."""
    for path in (paths.PREPARED, paths.FEATURES, paths.TRUNK, paths.WEIGHTS, paths.MODELS / "augmented"):
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(path.resolve())
