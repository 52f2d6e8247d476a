"""Write the weights of the pretrained base to data/weights/base.npz, fetched and verified, or taken from a file.

What weights these are is recorded in data/weights/origin.json.
"""

import shutil
from pathlib import Path
from typing import NamedTuple

from headstart.base import origin, runtime
from headstart.base.origin import Origin
from headstart.base.weights import save
from headstart.fetching.download import downloading, fetch
from headstart.fetching.mirrors import MirrorError, Url, present
from headstart.foundation import paths, sha256
from headstart.foundation.entry import run_stage
from headstart.foundation.errors import InputError
from headstart.pretrained import own, published, untrained
from headstart.pretrained.imagenet import CANONICAL, Canonical, accept, verified
from headstart.settings.params import PARAMS, load


class Written(NamedTuple):
    """What was written, and a line about it."""

    origin: Origin
    line: str


def main() -> None:
    """Run the stage."""
    params = load().backbone
    written = write_weights(params.name, params.weights, paths.WEIGHTS, paths.DOWNLOADS)
    origin.write(written.origin)
    print(f"{params.name}: {written.line}")


def write_weights(name: str, weights: str, target: Path, downloads: Path) -> Written:
    """Write the weights of the base ``name``, by tensor name, to the ``.npz`` file ``target``.

    ``weights`` is `imagenet`, `random`, or a file. The folder ``downloads`` is for what is under way, and for a file
    that was put there by hand.

    Raises:
        InputError: no mirror served, or the file holds no weights that fit the base.
    """
    canonical = CANONICAL.get(name)
    if weights == "random":
        if not canonical:
            runtime.start(seed=0)  # Keras draws them
        save(target, untrained.weights(name))
        return Written(Origin(base=name, weights="random"), "random weights, the same in every run")
    if weights != "imagenet":
        return write_file(name, Path(weights), target, downloads)
    fetched = fetch_canonical(canonical, target, downloads) if canonical else write_published(name, target, downloads)
    return Written(Origin(base=name, weights="imagenet"), fetched)


def write_file(name: str, file: Path, target: Path, downloads: Path) -> Written:
    """Write the weights in a file: the ImageNet weights, if these they are, or others that fit."""
    try:
        present(file, published.LIMIT)  # before seconds go by until Keras is there
        try:
            if name in CANONICAL:
                save(target, verified(present(file, CANONICAL[name].limit), CANONICAL[name]))
                line = f"ImageNet weights from {file}, SHA-256 verified"
            else:
                line = write_published(name, target, downloads, file)
        except MirrorError:
            runtime.start(seed=0)
            save(target, own.read(name, file))
        else:
            return Written(Origin(base=name, weights="imagenet"), line)
    except MirrorError as error:
        raise _refused(name, str(file), error) from None
    taken = Origin(base=name, weights="own", sha256=sha256.of_file(file))
    return Written(taken, f"weights of your own from {file}, SHA-256 {taken.sha256}")


def fetch_canonical(base: Canonical, target: Path, downloads: Path) -> str:
    """Write the ImageNet weights of a base whose tensors have a digest of our own; say where they came from."""
    with downloading(downloads) as session:
        mirror = fetch(
            session,
            target,
            base.mirrors,
            accept(base),
            limit=base.limit,
            what="the base's ImageNet weights",
            by_hand=downloads / base.file,
        )
    return f"ImageNet weights from {mirror}, SHA-256 verified"


def write_published(name: str, target: Path, downloads: Path, own_copy: Path | None = None) -> str:
    """Write the ImageNet weights of a base of whose file Keras publishes a digest; say where they came from.

    Raises:
        InputError: the file could not be downloaded.
        MirrorError: ``own_copy``, a file that is already here, is not the one that Keras publishes.
    """
    source = str(own_copy)
    got: tuple[Path, str | None] = Path(), None

    def get(file: str, address: str, digest: str | None) -> Path:
        nonlocal source, got
        if own_copy is not None and not published.is_known(file, digest):
            raise MirrorError("of this base no digest is known")
        place, check = session.scratch / file, published.accept(file, digest)
        if own_copy is None:
            what, by_hand = f"the ImageNet weights of {name}", downloads / file
            mirrors = [Url(address)]
            source = str(fetch(session, place, mirrors, check, limit=published.LIMIT, what=what, by_hand=by_hand))
        else:
            shutil.copyfile(check(own_copy, session.scratch), place)  # Keras knows a format by the file's name
        got = place, digest
        return place

    runtime.start(seed=0)
    try:
        with downloading(downloads) as session:
            save(target, published.imagenet(name, get))
            trust = published.trust(*got)
    except MirrorError as error:
        if own_copy is None:
            raise _refused(name, source, error) from None
        raise
    return f"ImageNet weights from {source}, {trust}"


def _refused(name: str, source: str, error: MirrorError) -> InputError:
    return InputError(
        f"{PARAMS}: backbone.weights: {source}: {error}; expected `imagenet`, `random`, or a file with weights of "
        f"{name}: .weights.h5, .h5, .keras or .npz"
    )


if __name__ == "__main__":
    run_stage(main, __doc__)
