"""What is needed to run the same again: the parameters, the data's digest, the versions of the libraries."""

import hashlib
from collections.abc import Iterable
from typing import Any, NamedTuple

from headstart.base.origin import Origin
from headstart.foundation import paths
from headstart.models.description import describe
from headstart.settings import params


class Reproduction(NamedTuple):
    """How to run the same again."""

    settings: dict[str, Any]  # the parameters, section by section, in the order of params.yaml
    base: Origin  # the base of those that have one, and what weights it has
    data: str  # SHA-256 of the manifest, which holds that of every image
    # Of the libraries that the models were made with, by name; several where the models differ.
    versions: dict[str, str]


def collect(strategies: Iterable[str]) -> Reproduction:
    """Find out how to run the same again."""
    made: dict[str, set[str]] = {}
    descriptions = [describe(paths.MODELS / strategy) for strategy in strategies]
    for description in descriptions:
        for versions in (description.versions, description.extraction.versions if description.extraction else {}):
            for library, version in versions.items():
                made.setdefault(library, set()).add(version)
    return Reproduction(
        settings=params.read(params.PARAMS),
        base=next(found.extraction.origin for found in descriptions if found.extraction),
        data=hashlib.sha256(paths.MANIFEST.read_bytes()).hexdigest(),
        versions={library: " and ".join(sorted(versions)) for library, versions in made.items()},
    )
