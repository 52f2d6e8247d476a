"""Draws the subset from a source: checks its images, divides them among the splits, copies them."""

import hashlib
import itertools
import shutil
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import pandas as pd

from headstart.foundation.errors import InputError
from headstart.foundation.framing import FULL
from headstart.foundation.progress import bar
from headstart.foundation.threads import map_ordered
from headstart.images import division, exif, manifest, names
from headstart.images.exif import Shot
from headstart.images.images import UnreadableImage, measure
from headstart.sources import bursts as burst
from headstart.sources import grouping, look_alikes, split
from headstart.sources.dropped import in_brackets
from headstart.sources.duplicates import Screened, screen
from headstart.sources.look_alikes import LookAlikes
from headstart.sources.source import Dropped, Source, SourceImage

_CLASSES_SHOWN = 3
# Images wait here, by number, until it is known which split they go to.
_STAGING = ".staging"


@dataclass(frozen=True)
class Subset:
    """What was drawn, and what was dropped of it.

    Attributes:
        frame: the manifest's rows; see :func:`headstart.images.manifest.read`.
        unusable: files that are no images, or none that can be read.
        duplicates, conflicts, leaks: see ``duplicates``.
        unused: for each class how many images were left over; undecoded, so that some may be unusable.
        notes: lines for a person about what may be unexpected.
        peaks: the largest value of each image of 16 bits a channel.
    """

    frame: pd.DataFrame
    unusable: list[Dropped]
    duplicates: list[Dropped]
    conflicts: list[Dropped]
    leaks: list[Dropped]
    unused: dict[str, int]
    notes: list[str]
    peaks: list[int]

    @property
    def dropped(self) -> list[Dropped]:
        """Everything that was dropped."""
        return [*self.unusable, *self.duplicates, *self.conflicts, *self.leaks]


@dataclass(frozen=True)
class _Checked:
    """What is known of an image that decodes: digest of its bytes, size in pixels, largest value, how it was taken."""

    sha256: str
    width: int
    height: int
    peak: int | None
    shot: Shot | None


@dataclass
class _Pool:
    """The images of one class from which one or more splits are drawn."""

    origin: split.Origin  # the split of the source that they are in, None where it isn't split
    class_name: str  # their class
    queue: list[int]  # positions of the images, in the order in which they are taken
    splits: dict[str, int | float]  # the splits drawn from here, with the number or fraction each asks for
    tried: int = 0  # how many of the queue have been examined
    good: list[int] = field(default_factory=list)  # those of them that decode
    grouped: bool = False  # whether groups decide who goes where: then all are examined
    # For each split the positions of its images, once that is decided.
    drawn: dict[str, list[int]] = field(default_factory=dict)

    @property
    def needed(self) -> int:
        if self.grouped:
            return len(self.queue)
        return split.needed(list(self.splits.values()), len(self.queue))

    def draw(self) -> list[int]:
        """Take from the queue what it needs if no image fails; if some did, more and more to save passes."""
        missing = self.needed - len(self.good)
        start = self.tried
        if missing > 0:
            self.tried = min(start + max(missing, start), len(self.queue))
        return self.queue[start : self.tried]

    def title(self) -> str:
        """What messages call it."""
        return f"class {self.class_name!r}" + (f" ({self.origin})" if self.origin else "")

    def wish(self) -> str:
        """How many images it needs, in words."""
        parts = " + ".join(
            f"{count:,.4g} {name}" if isinstance(count, float) else f"{count:,} {name}"
            for name, count in self.splits.items()
        )
        if any(isinstance(count, float) for count in self.splits.values()):
            return f"which {parts} can't divide into one or more each"
        return f"needed are {self.needed:,} ({parts})"

    def sizes(self, usable: int) -> dict[str, int] | None:
        """How many images each split gets of so many usable ones; None if they are too few."""
        found = split.sizes(list(self.splits.values()), usable)
        return None if found is None else dict(zip(self.splits, found, strict=True))


def draw(
    source: Source,
    folder: Path,
    counts: split.Counts | None,
    order: split.Order,
    seed: int,
    *,
    alike: LookAlikes = "told",
    white: int = FULL,
) -> Subset:
    """Draw a subset and copy its files, as they are, to ``folder/<split>/<class>/<file>``.

    No more images are decoded than are needed, and never more than a few are held in memory.

    Args:
        source: where from.
        folder: an empty folder.
        counts: for train, validation and test: images per class (int) or a fraction of the class (float). None pools
            all images for folds, whatever splits the source has.
        order: see :func:`headstart.sources.split.ordered`.
        seed: likewise.
        alike: what happens to photographs of one scene that are in no group.
        white: the value that is shown white in images of 16 bits.

    Raises:
        InputError: a class has too few images that can be used, or fractions make more than a whole.
    """
    notes = []
    if counts is None:
        notes += _pooled(source)
    screened = screen(source.images)
    pools = _pools(source, screened, counts, order, seed)
    for pool in pools:
        pool.grouped |= alike == "grouped" and len(pool.splits) > 1
    _check_fractions(source.name, pools)
    # Before any decoding, since what is too few now won't become more.
    _check_sizes(source, pools, [len(pool.queue) for pool in pools], screened)
    (folder / _STAGING).mkdir()
    checked = _examine_all(screened, pools, folder / _STAGING)
    if alike != "ignored":
        notes += _look_alikes(screened.images, checked, folder / _STAGING, alike, white)
    pools = _with_images(source, pools)
    _check_sizes(source, pools, [len(pool.good) for pool in pools], screened)
    notes += [*_divide(source.name, screened.images, pools), *_torn_groups(screened.images, pools)]
    if order == "number":
        notes += _block_notes(screened.images, pools)
    frame = _place(screened.images, pools, checked, folder)
    shutil.rmtree(folder / _STAGING)
    return Subset(
        frame=frame,
        unusable=[*source.dropped, *screened.unreadable],
        duplicates=screened.duplicates,
        conflicts=screened.conflicts,
        leaks=screened.leaks,
        peaks=[found.peak for found in checked.values() if found.peak is not None],
        unused=_unused(pools, frame),
        notes=notes,
    )


def _pooled(source: Source) -> list[str]:
    """Forget the splits that a source comes with; return a line if it has some."""
    splits = Counter(image.split for image in source.images if image.split)
    source.images = [replace(image, split=None) for image in source.images]
    if not splits:
        return []
    own = ", ".join(f"{splits[name]:,} {name}" for name in manifest.SPLITS if splits[name])
    return [f"prepare.folds pools the splits that the source comes with ({own}): every image is tested once"]


def _pools(
    source: Source, screened: Screened, counts: split.Counts | None, order: split.Order, seed: int
) -> list[_Pool]:
    """One pool per class and part of the source, even if none of its images is left: that must be reported."""
    images = screened.images
    if counts is None:
        counts = {manifest.FOLDS: 1.0}
        fed: dict[split.Origin, list[str]] = {None: [manifest.FOLDS]}
    else:
        fed = split.origins({image.split for image in source.images})
    classes = {image.class_name for image in source.images} | {item.class_name for item in source.dropped} - {""}
    members: dict[tuple[split.Origin, str], list[int]] = {
        (origin, class_name): [] for origin in fed for class_name in sorted(classes)
    }
    for position, image in enumerate(images):
        members[image.split, image.class_name].append(position)
    pools = [
        _Pool(
            origin=origin,
            class_name=class_name,
            queue=[positions[place] for place in split.ordered([images[p] for p in positions], order, seed)],
            splits=split.asked(origin, {name: counts[name] for name in fed[origin]}),
        )
        for (origin, class_name), positions in members.items()
    ]
    grouped = {image.split for image in images if image.group}
    for pool in pools:
        pool.grouped = pool.origin in grouped and len(pool.splits) > 1
    return _with_images(source, pools, lambda pool: bool(pool.queue))


def _with_images(
    source: Source, pools: Sequence[_Pool], has_images: Callable[[_Pool], bool] = lambda pool: bool(pool.good)
) -> list[_Pool]:
    """The pools of classes of which something is left, where the others may be left out; else all."""
    if not source.may_lack:
        return list(pools)
    kept = {pool.class_name for pool in pools if has_images(pool)}
    return [pool for pool in pools if pool.class_name in kept]


def _unused(pools: Sequence[_Pool], frame: pd.DataFrame) -> dict[str, int]:
    left: Counter[str] = Counter()
    for pool in pools:
        left[pool.class_name] += len(pool.good) + len(pool.queue) - pool.tried
    left.subtract(Counter(frame["class"]))
    return dict(left)


def _block_notes(images: Sequence[SourceImage], pools: Sequence[_Pool]) -> list[str]:
    """A line if the order of names has put kinds of images into one split each."""
    found = []
    # Groups stay whole in any order.
    for pool in (pool for pool in pools if not pool.grouped):
        drawn = {name: [images[position].name for position in positions] for name, positions in _of_pool(pool)}
        used = {name for paths in drawn.values() for name in paths}
        unused = [images[position].name for position in pool.queue if images[position].name not in used]
        found += [(pool.class_name, kind) for kind in split.blocks(drawn, unused)]
    if not found:
        return []
    class_name, kind = found[0]
    others = len(found) - 1
    more = f", and {others:,} more such kind{'s' if others > 1 else ''}" if others else ""
    return [
        f"prepare.order=number follows the names, so that all images {kind.rpartition('/')[2] + '…'!r} of class "
        f"{class_name!r} are in one split, or in none{more}: prepare.order=random mixes them"
    ]


def _examine_all(screened: Screened, pools: Sequence[_Pool], staging: Path) -> dict[int, _Checked]:
    """Examine images until every pool has enough or no more; copy the good ones to ``staging``."""
    checked: dict[int, _Checked] = {}
    examine = partial(_examine, staging)
    with bar("reading images", sum(pool.needed for pool in pools), " images") as progress:
        # In the source's own order: a compressed archive then takes a single pass.
        while batch := sorted(position for pool in pools for position in pool.draw()):
            contents = _contents(screened.images, batch)
            for position, outcome in zip(batch, map_ordered(examine, contents), strict=True):
                if isinstance(outcome, UnreadableImage):
                    image = screened.images[position]
                    screened.unreadable.append(Dropped(image.name, image.class_name, outcome.reason))
                else:
                    checked[position] = outcome
                    progress.update(1)
            for pool in pools:
                pool.good = [position for position in pool.queue[: pool.tried] if position in checked]
    return checked


def _contents(images: Sequence[SourceImage], positions: Sequence[int]) -> Iterator[tuple[int, bytes | UnreadableImage]]:
    for position in positions:
        try:
            yield position, images[position].read()
        except UnreadableImage as error:
            yield position, error


def _examine(staging: Path, item: tuple[int, bytes | UnreadableImage]) -> _Checked | UnreadableImage:
    position, data = item
    if isinstance(data, UnreadableImage):
        return data
    try:
        width, height, peak = measure(data)
    except UnreadableImage as error:
        return error
    (staging / str(position)).write_bytes(data)
    return _Checked(hashlib.sha256(data).hexdigest(), width, height, peak, exif.shot(data))


def _look_alikes(
    images: list[SourceImage], checked: dict[int, _Checked], staging: Path, alike: LookAlikes, white: int
) -> list[str]:
    """Find images of one scene that are in no group, and make groups of them if asked to; return what to tell."""
    free = [position for position in sorted(checked) if not images[position].group]
    shots = {place: shot for place, position in enumerate(free) if (shot := checked[position].shot)}
    in_bursts = burst.find(shots)
    notes = burst.note(in_bursts, len(checked), kept=alike == "grouped")
    if alike == "grouped":
        files = [(staging / str(position), checked[position].width, checked[position].height) for position in free]
        pairs = look_alikes.pairs(files, white)
        notes += look_alikes.note(pairs)
        found = look_alikes.groups([images[position].name for position in free], in_bursts, pairs)
        for place, group in found.items():
            images[free[place]] = replace(images[free[place]], group=group)
    return notes


def _place(
    images: Sequence[SourceImage], pools: Sequence[_Pool], checked: dict[int, _Checked], folder: Path
) -> pd.DataFrame:
    """Move what was drawn from the staging folder to its split and class; return the manifest's rows."""
    classes = sorted({pool.class_name for pool in pools})
    folders = dict(zip(classes, names.portable(classes), strict=True))
    rows = []
    for split_name, class_name, positions in sorted(_divided(pools), key=_by_split_and_class):
        ranked = sorted(positions, key=lambda position: names.by_number(images[position].name))
        paths = [images[position].name for position in ranked]
        target = folder / split_name / folders[class_name]
        target.mkdir(parents=True)
        files = names.portable([names.file_name(path) for path in paths], paths)
        for position, file in zip(ranked, files, strict=True):
            (folder / _STAGING / str(position)).rename(target / file)
            found = checked[position]
            path = f"{split_name}/{folders[class_name]}/{file}"
            group = images[position].group
            rows.append((path, class_name, group, split_name, found.sha256, found.width, found.height))
    return pd.DataFrame(rows, columns=list(manifest.COLUMNS))


def _divided(pools: Sequence[_Pool]) -> Iterator[tuple[str, str, list[int]]]:
    """Yield (split, class, positions of its images)."""
    for pool in pools:
        for split_name, positions in _of_pool(pool):
            yield split_name, pool.class_name, positions


def _divide(source: str, images: Sequence[SourceImage], pools: Sequence[_Pool]) -> list[str]:
    """Divide what decodes among the splits; return a line if whole groups don't come out at what was asked for."""
    for pool in pools:
        sizes = pool.sizes(len(pool.good))
        assert sizes is not None  # _check_sizes has seen to it.
        starts = itertools.accumulate(sizes.values(), initial=0)
        pool.drawn = {
            name: pool.good[start : start + size] for (name, size), start in zip(sizes.items(), starts, strict=False)
        }
    missed = []
    for origin in {pool.origin: None for pool in pools if pool.grouped}:
        missed += _divide_groups(source, images, [pool for pool in pools if pool.origin == origin])
    if not missed:
        return []
    return [
        f"groups stay whole, so {len(missed):,} of the splits' classes differ from what was asked for, by up to "
        f"{max(missed):,} images"
    ]


def _divide_groups(source: str, images: Sequence[SourceImage], pools: Sequence[_Pool]) -> list[int]:
    """Divide one part of the source by whole groups; return by how much splits miss what they ask for of a class."""
    place = {position: number for pool in pools for number, position in enumerate(pool.queue)}
    class_of = {position: pool.class_name for pool in pools for position in pool.good}
    members: dict[tuple[str, int], list[int]] = defaultdict(list)
    # Classes in turn, so that none is served first.
    for position in sorted(class_of, key=lambda position: (place[position], class_of[position])):
        group = images[position].group
        members[group, -1 if group else position].append(position)
    targets = {name: {pool.class_name: float(len(pool.drawn[name])) for pool in pools} for name in pools[0].splits}
    units = [division.Unit(Counter(class_of[position] for position in positions)) for positions in members.values()]
    everything = sum(map(sum, (wanted.values() for wanted in targets.values()))) == len(class_of)
    goes = division.divide(units, targets, everything)
    where = {position: name for name, unit in zip(goes, members.values(), strict=True) for position in unit}
    missed = []
    for pool in pools:
        pool.drawn = {name: [p for p in pool.good if where[p] == name] for name in pool.splits}
        for name, positions in pool.drawn.items():
            if not positions:
                groups = len({images[p].group or p for p in pool.good})
                raise InputError(
                    f"{source}: {pool.title()} has {groups:,} groups, too few to give one to each of "
                    f"{', '.join(pool.splits)}: add groups, or set prepare.group=none"
                )
            if difference := abs(len(positions) - int(targets[name][pool.class_name])):
                missed.append(difference)
    return missed


def _torn_groups(images: Sequence[SourceImage], pools: Sequence[_Pool]) -> list[str]:
    """A line if the source's own splits divide groups."""
    drawn = [
        (images[position].group, name) for pool in pools for name, found in pool.drawn.items() for position in found
    ]
    torn = grouping.divided([group for group, _ in drawn], [name for _, name in drawn])
    if not torn:
        return []
    sizes = Counter(name for _, name in drawn)
    # Of about the same sizes: shares of the source's own splits are not shares of the whole.
    shares = {name: max(split.rounded_down(size / len(drawn), 2), 0.01) for name, size in sizes.items()}
    changes = " ".join(f"-S prepare.{name}={share:g}" for name, share in shares.items())
    return [
        f"{len(torn):,} groups such as {next(iter(torn))!r} ({sum(torn.values()):,} images) are in more than one of "
        "the source's own splits, so the test results are too good: draw new ones with "
        f"`dvc exp run -S prepare.resplit=true {changes}`"
    ]


def _of_pool(pool: _Pool) -> Iterator[tuple[str, list[int]]]:
    """Yield (split, positions of its images)."""
    yield from pool.drawn.items()


def _by_split_and_class(part: tuple[str, str, list[int]]) -> tuple[int, str]:
    return (*manifest.SPLITS, manifest.FOLDS).index(part[0]), part[1]


def _check_fractions(source: str, pools: Sequence[_Pool]) -> None:
    """Check that no class is asked for more than the whole of itself."""
    for pool in pools:
        fractions = {name: count for name, count in pool.splits.items() if isinstance(count, float)}
        if sum(fractions.values()) > 1 + split.ROUNDING:
            asked = " + ".join(f"prepare.{name}={count:g}" for name, count in fractions.items())
            raise InputError(f"{source}: {asked} add up to more than all images of a class: lower them")


def _check_sizes(source: Source, pools: Sequence[_Pool], usable: Sequence[int], screened: Screened) -> None:
    """Check that each pool's usable images fill its splits; name the first that don't, and why."""
    short = [(pool, count) for pool, count in zip(pools, usable, strict=True) if pool.sizes(count) is None]
    if not short:
        return
    lacks = [f"{pool.title()} has {count:,}, {pool.wish()}" for pool, count in short[:_CLASSES_SHOWN]]
    more = f"; and {len(short) - _CLASSES_SHOWN:,} others" if len(short) > _CLASSES_SHOWN else ""
    out = [*source.dropped, *screened.unreadable, *screened.duplicates, *screened.conflicts, *screened.leaks]
    raise InputError(
        f"{source.name}: too few usable images{in_brackets(out)}: {'; '.join(lacks)}{more}; "
        "add images, or lower prepare.train, prepare.validation or prepare.test"
    )
