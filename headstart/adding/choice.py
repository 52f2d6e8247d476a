"""Chooses settings that fit images: a preset by how large they are, folds or a split by how many there are."""

import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from headstart.foundation.errors import InputError
from headstart.images.images import measure
from headstart.images.manifest import SPLITS
from headstart.settings.schema import AUTO
from headstart.sources import split
from headstart.sources.source import SourceImage

# The preset that params.yaml starts as, for small pictures such as its own clothes, and the one for photographs.
QUICK, PHOTOS = "quick", "photos"

# Pixels of the longer side. Enlarged to the size of photographs, pictures such as Fashion-MNIST's 28 × 28 or CIFAR's
# 32 × 32 would take four times as long and show nothing more.
_SMALL = 64
# Images measured: their median needs no more.
_MEASURED = 50

# Images of a set without a split of its own that a run takes, as many as the chapter's: on two processor cores VGG16
# then needs minutes. More are worth their time only once the first run has said what they bring.
MOST = 5000

# Cross-validation of a set of fewer images, a thousand in each of two classes: tested once each, all images show
# smaller differences than a test split does. With more, the test split is large enough, and the time is not: five folds
# and the training that is kept take eight times as long as the one training of a split.
_FEW = 2000
_FOLDS, _VALIDATION = 5, 0.2
# Images of a class, or groups of them, in each fold, so that it survives that some turn out unusable.
_OF_A_FOLD = 2

# Shares of the images that several splits are drawn from, by the splits: enough to train on, and enough test images to
# show a difference. Then those by which a class of three or of two images, too, gets one in each split.
_SHARES: tuple[dict[tuple[str, ...], tuple[float, ...]], ...] = (
    {("train", "validation"): (0.8, 0.2), ("train", "test"): (0.7, 0.3), SPLITS: (0.6, 0.2, 0.2)},
    {("train", "validation"): (0.5, 0.5), ("train", "test"): (0.5, 0.5), SPLITS: (0.4, 0.3, 0.3)},
)
_SPOKEN = {"train": "training", "validation": "validation", "test": "test"}


# Parameters of ``prepare`` by name.
Division = Mapping[str, int | float | str]


class Preset(NamedTuple):
    """A preset's name, and why it fits."""

    name: str
    reason: str


def preset(images: Sequence[SourceImage]) -> Preset:
    """Choose a preset by the size of the images, upright, in pixels."""
    step = max(1, len(images) // _MEASURED)
    measured = [measure(image.read()) for image in images[::step]]
    width = int(statistics.median(size.width for size in measured))
    height = int(statistics.median(size.height for size in measured))
    small = statistics.median(max(size.width, size.height) for size in measured) <= _SMALL
    kind = "small pictures" if small else "photographs"
    return Preset(QUICK if small else PHOTOS, f"{kind}, {width} × {height} pixels in the median")


def division(images: Sequence[SourceImage]) -> Division:
    """Choose how images are divided: the parameters of ``prepare`` that say so, by name.

    Folds for a small set, unless its owner has put a test split aside, by which others measure themselves too.

    Raises:
        InputError: a class has too few images for an image in each split.
    """
    if _in_folds(images):
        return {"folds": _FOLDS, "train": AUTO, "validation": _VALIDATION, "test": AUTO}
    return {"folds": 0, **shares(images)}


def _in_folds(images: Sequence[SourceImage]) -> bool:
    if len(images) >= _FEW or any(image.split == "test" for image in images):
        return False
    units = Counter(class_name for class_name, _ in {(image.class_name, image.group or image.name) for image in images})
    return min(units.values()) >= _FOLDS * _OF_A_FOLD


def shares(images: Sequence[SourceImage]) -> dict[str, float]:
    """Choose which fraction of the images that a split is drawn from goes to it, by split.

    A split that the source has is used whole; what it lacks is drawn from its training images. A source without splits
    is divided 60 : 20 : 20, or 40 : 30 : 30 where a class is too small for that, as far as it is not too large.

    Raises:
        InputError: a class has too few images for an image in each split.
    """
    counts = Counter((image.class_name, image.split) for image in images)
    classes = sorted({image.class_name for image in images})
    origins = split.origins({image.split for image in images})
    part = min(1.0, MOST / len(images)) if None in origins else 1.0
    chosen: dict[str, float] = {}
    for origin, fed in origins.items():
        of_classes = {name: counts[name, origin] for name in classes}
        options = [_part(shares.get(tuple(fed), (1.0,)), part) for shares in _SHARES]
        fractions = next((option for option in options if not _short(of_classes, option)), None)
        if fractions is None:
            name = _short(of_classes, options[-1])[0]
            where = f" under {origin}/" if origin else ""
            wanted = ", ".join(_SPOKEN[part] for part in fed)
            raise InputError(
                f"class {name!r}: {of_classes[name]:,} usable images{where}, too few for one each for {wanted}: "
                "add some, or remove the class"
            )
        chosen |= dict(zip(fed, fractions, strict=True))
    return {name: chosen[name] for name in SPLITS}


def _part(shares: Sequence[float], part: float) -> list[float]:
    """Shares of a part, as they are written."""
    return [split.rounded_down(share * part, 4) for share in shares]


def _short(counts: Mapping[str, int], fractions: Sequence[float]) -> list[str]:
    """Classes with too few images for one in each split."""
    return [name for name, count in counts.items() if split.sizes(fractions, count) is None]


def explain(images: Sequence[SourceImage], chosen: Division) -> str:
    """Say in a line what :func:`division` chose and why."""
    if folds := chosen["folds"]:
        return (
            f"{folds} folds: every image is tested once, by a training that never saw it, which shows smaller "
            "differences than a test split of so few"
        )
    origins = split.origins({image.split for image in images})
    if None in origins:
        spread = f"{_divided(SPLITS, chosen)} of each class, drawn at random"
        if len(images) > MOST:
            spread += f": {MOST:,} of {len(images):,} images, because a first run on all of them would take long"
        return spread
    said = [f"{_SPOKEN[name]}: all of its own" for name in SPLITS if origins.get(name) == [name]]
    drawn = origins.get("train", [])
    if len(drawn) > 1:
        said.append(f"{_divided(drawn, chosen)} of each class under train/, drawn at random")
    return "; ".join(said)


def _divided(names: Sequence[str], chosen: Division) -> str:
    return ", ".join(f"{_SPOKEN[name]} {chosen[name]:.4g}" for name in names)
