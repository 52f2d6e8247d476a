"""Write the weights of the pretrained base to data/weights/base.npz, fetched and verified."""

from pathlib import Path

from stages.core import paths
from stages.core.dataset.download import MirrorError, downloading, fetch, present
from stages.core.entry import run_stage
from stages.core.errors import InputError
from stages.core.learning.weights import BASES, Base, accept, draw, save, verified
from stages.core.params import PARAMS, load


def main() -> None:
    """Run the stage."""
    params = load().backbone
    if params.name not in BASES:
        raise InputError(f"{PARAMS}: backbone.name: found {params.name!r}, expected one of: {', '.join(BASES)}")
    print(f"{params.name}: {write_weights(BASES[params.name], params.weights, paths.WEIGHTS, paths.DOWNLOADS)}")


def write_weights(base: Base, weights: str, target: Path, downloads: Path) -> str:
    """Write the weights of ``base``, by tensor name, to ``target``.

    Args:
        base: the base.
        weights: `imagenet`, `random`, or the path of a file with the ImageNet weights.
        target: the ``.npz`` file to write.
        downloads: a folder for what is under way, and for a file that was put there by hand.

    Returns:
        What was written and where it came from, for a person to read.

    Raises:
        InputError: no mirror served, or the file does not hold the ImageNet weights.
    """
    if weights == "random":
        save(target, draw(base.shapes))
        return "random weights, the same in every run"
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
        raise InputError(
            f"{PARAMS}: backbone.weights: {weights}: {error}; expected `imagenet`, `random`, or a file "
            f"that holds the ImageNet weights, such as Keras's {base.file}"
        ) from None
    return f"ImageNet weights from {weights}, SHA-256 verified"


if __name__ == "__main__":
    run_stage(main, __doc__)
