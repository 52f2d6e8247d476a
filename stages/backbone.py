"""Write the weights of the pretrained base to data/weights/base.npz, fetched and verified."""

import shutil
from pathlib import Path

from headstart.base import runtime
from headstart.base.weights import save
from headstart.fetching.download import downloading, fetch
from headstart.fetching.mirrors import MirrorError, Url, present
from headstart.foundation import paths
from headstart.foundation.entry import run_stage
from headstart.foundation.errors import InputError
from headstart.pretrained import published, untrained
from headstart.pretrained.imagenet import CANONICAL, Canonical, accept, verified
from headstart.settings.params import PARAMS, load


def main() -> None:
    """Run the stage."""
    params = load().backbone
    print(f"{params.name}: {write_weights(params.name, params.weights, paths.WEIGHTS, paths.DOWNLOADS)}")


def write_weights(name: str, weights: str, target: Path, downloads: Path) -> str:
    """Write the weights of the base ``name``, by tensor name, to the ``.npz`` file ``target``.

    ``weights`` is `imagenet`, `random`, or a file with the ImageNet weights. The folder ``downloads`` is for what is
    under way, and for a file that was put there by hand.

    Returns:
        What was written and where it came from, for a person to read.

    Raises:
        InputError: no mirror served, or the file does not hold the ImageNet weights.
    """
    canonical = CANONICAL.get(name)
    if weights == "random":
        if not canonical:
            runtime.start(seed=0)  # Keras draws them
        save(target, untrained.weights(name))
        return "random weights, the same in every run"
    if canonical:
        return write_canonical(canonical, weights, target, downloads)
    return write_published(name, weights, target, downloads)


def write_canonical(base: Canonical, weights: str, target: Path, downloads: Path) -> str:
    """Write the weights of a base whose tensors have a digest of our own, as :func:`write_weights` does."""
    if weights == "imagenet":
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
    try:
        save(target, verified(present(Path(weights), base.limit), base))
    except MirrorError as error:
        raise _refused(weights, error, f"a file that holds the ImageNet weights, such as {base.file}") from None
    return f"ImageNet weights from {weights}, SHA-256 verified"


def write_published(name: str, weights: str, target: Path, downloads: Path) -> str:
    """Write the weights of a base of whose file Keras publishes a digest, as :func:`write_weights` does."""
    source = weights
    got: tuple[Path, str | None] = Path(), None

    def get(file: str, address: str, digest: str | None) -> Path:
        nonlocal source, got
        place, check = session.scratch / file, published.accept(file, digest)
        if weights == "imagenet":
            what, by_hand = f"the ImageNet weights of {name}", downloads / file
            mirrors = [Url(address)]
            source = str(fetch(session, place, mirrors, check, limit=published.LIMIT, what=what, by_hand=by_hand))
        else:
            shutil.copyfile(check(Path(weights), session.scratch), place)  # Keras knows a format by the file's name
        got = place, digest
        return place

    try:
        if weights != "imagenet":
            present(Path(weights), published.LIMIT)  # before seconds go by until Keras is there
        runtime.start(seed=0)
        with downloading(downloads) as session:
            save(target, published.imagenet(name, get))
            trust = published.trust(*got)
    except MirrorError as error:
        raise _refused(source, error, f"the file of ImageNet weights that Keras publishes for {name}") from None
    return f"ImageNet weights from {source}, {trust}"


def _refused(weights: str, error: MirrorError, expected: str) -> InputError:
    return InputError(f"{PARAMS}: backbone.weights: {weights}: {error}; expected `imagenet`, `random`, or {expected}")


if __name__ == "__main__":
    run_stage(main, __doc__)
