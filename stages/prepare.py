"""Draw the subset from the source: checked images, free of duplicates, for training, validation and test or for folds.

Writes data/prepared/: the images as they are, manifest.csv with a row for each, and dropped.csv with
the reason for everything that was dropped. Counts of both go to metrics/dataset.json.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

from headstart.foundation import paths
from headstart.foundation.atomic import replacing_folder, write_json
from headstart.foundation.entry import run_stage
from headstart.foundation.framing import FULL
from headstart.images import assignments, manifest
from headstart.settings.params import load
from headstart.settings.schema import Prepare
from headstart.sources import dropped, tally
from headstart.sources.look_alikes import LookAlikes
from headstart.sources.reading import Reading
from headstart.sources.sources import open_source
from headstart.sources.subset import Subset, draw

DATASET = paths.METRICS / "dataset.json"
# What the catalog's entries download stays here, outside DVC's outputs: those are deleted before each run.
DOWNLOADS = Path("data/downloads")
# What happens to photographs of one scene, by prepare.group.
_LOOK_ALIKES: dict[str, LookAlikes] = {"auto": "grouped", "none": "ignored"}


def main() -> None:
    """Read params.yaml, draw the subset, report."""
    params = load()
    settings = params.prepare
    counts = None if settings.folds else settings.counts
    reading = reading_of(settings)
    with open_source(Path(settings.source), DOWNLOADS, reading) as source, replacing_folder(paths.PREPARED) as folder:
        alike = _LOOK_ALIKES.get(settings.group, "told")
        subset = draw(source, folder, counts, settings.order, params.seed, alike=alike, white=settings.white_level)
        # Now rather than after the extraction of features: too few images for the folds.
        assignments.assign(subset.frame, settings.folds, float(settings.validation), repeats=1, seed=params.seed)
        manifest.write(subset.frame, folder / paths.MANIFEST.name)
        dropped.write(subset.dropped, folder / "dropped.csv")
    write_json(DATASET, metrics(subset))
    lines = [*source.credit, *source.notes, *report(subset, settings.folds)]
    print("\n".join([*lines, *brightness(subset.peaks, settings.white_level)]))


def reading_of(settings: Prepare) -> Reading:
    """The part of the settings that says how a folder or archive is to be read."""
    return Reading(**{field.name: getattr(settings, field.name) for field in fields(Reading)})


def metrics(subset: Subset) -> dict[str, int]:
    """Counts of a subset: its classes, images a split, files dropped, and for which of the rules if for one."""
    images = Counter(subset.frame["split"])
    sizes = {name: images[name] for name in manifest.SPLITS}
    return {
        "classes": len(manifest.class_names(subset.frame)),
        **({"images": images[manifest.FOLDS]} if manifest.FOLDS in images else sizes),
        "dropped": len(subset.dropped),
        "duplicates": len(subset.duplicates),
        "conflicts": len(subset.conflicts),
        "leaks": len(subset.leaks),
    }


def report(subset: Subset, folds: int) -> list[str]:
    """What a person is told of a subset, and of the folds that it is for: a few lines."""
    counts = metrics(subset)
    sizes = f"every one is tested once, in {folds} folds"
    if not folds:
        sizes = ", ".join(f"{counts[split]:,} {split}" for split in manifest.SPLITS)
    lines = [f"{len(subset.frame):,} images of {counts['classes']:,} classes: {sizes}"]
    lines += [*tally.lines(subset.frame, subset.unused), *subset.notes]
    if subset.dropped:
        lines.append(
            f"dropped {counts['dropped']:,} files, listed in {paths.PREPARED / 'dropped.csv'}: "
            f"{len(subset.unusable):,} unusable, {counts['duplicates']:,} duplicates, "
            f"{counts['conflicts']:,} in conflict, {counts['leaks']:,} leaks"
        )
        lines += [f"  {line}" for line in dropped.summary(subset.unusable)]
    return lines


def brightness(peaks: Sequence[int], white: int) -> list[str]:
    """A line where images of 16 bits a channel would come out much too dark, or cut off at white.

    Args:
        peaks: the largest value of each.
        white: the value that is shown white.
    """
    if not peaks:
        return []
    peak = max(peaks)
    found = f"the {len(peaks):,} images of 16 bits have no value above {peak:,}"
    # Instruments measure 10, 12 or 14 bits.
    fitting = next(level for level in (1023, 4095, 16383, FULL) if peak <= level)
    if fitting < white:
        return [f"{found}: with white at {white:,} they are dark: set prepare.white_level to {fitting}"]
    if peak > white:
        over = sum(one > white for one in peaks)
        return [f"{over:,} images of 16 bits have values above prepare.white_level, {white:,}: shown as white"]
    return []


if __name__ == "__main__":
    run_stage(main, __doc__)
