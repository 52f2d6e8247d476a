"""The chapter's protocol the obvious way and by Headstart, side by side on the same images.

Both follow the chapter's published recipe and do every part in turn, one part after the other, each in
a process of its own, so that a change of the machine's speed meets both. Headstart's stages run as they
are, in full: extraction keeps augmented views, evaluation also analyses and draws. Starting Python and
TensorFlow is a row of its own: a notebook starts once, Headstart once a stage.

From the paces measured, the last table projects the chapter's full protocol: 2,000, 1,000 and 2,000
images; 20, 50 and 30 epochs. Loops over images and epochs grow, what stands beside them (analysing,
drawing) is taken as it was. Everything is written to a temporary folder (TMPDIR says where).
"""

import contextlib
import time
from argparse import Namespace
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import get_args

from benchmarks import arguments, comparison, headstart, loops, machine, obvious, pictures, process, project, report
from benchmarks.comparison import OBVIOUS, PARTS, Measured, Part
from benchmarks.loops import Loop
from benchmarks.process import Cost, Run
from benchmarks.projection import Size
from headstart.base import precision, runtime
from headstart.base.precision import Setting
from headstart.foundation import entry, paths
from headstart.foundation.progress import track
from headstart.foundation.resume import Resumable
from headstart.images import manifest
from headstart.settings import params
from headstart.settings.schema import Params
from stages import prepare

# The chapter's two classes.
_CLASSES = 2
# With fewer batches, the beginning of a loop is not told from its pace.
_FEWEST_BATCHES = 3
# Side of generated images, pixels: that of small photographs.
_SIDE = 200


def main(argv: Sequence[str] | None = None, run: Run = process.apart) -> int:
    """Read the command line, measure, print."""
    asked = parse(argv)
    facts = machine.facts()
    ways = ([] if asked.skip_obvious else [OBVIOUS]) + list(dict.fromkeys(asked.precision))
    with project.temporary() as folder:
        settings = prepare_ways(folder, ways, asked)
        size = size_of(folder / ways[0], settings)
        measured = measure(folder, ways, asked.repeats, run)
        reasons = {way: run(reason, folder / way) for way in ways if way != OBVIOUS}
    report.say(facts)
    report.say([description(size, settings)])
    least, full = _FEWEST_BATCHES * settings.train_augmented.batch_size, full_size(settings)
    for way, why in reasons.items():
        if asked.skip_obvious:
            comparison.show_alone(measured, way, f"Headstart in {why}")
        else:
            comparison.show_both(
                measured, way, f"Headstart in {why}, against the obvious way in float32; medians of {asked.repeats}"
            )
        if size == full:
            continue  # measured, nothing to project
        if min(size.train, size.test) >= least:
            title = f"Projection, not measured: {description(full, settings)}"
            comparison.show_projection(measured, way, size, full, title)
        else:
            report.say([f"too few images to project from: give {least} training and test images or more, in all"])
    return 0


def parse(argv: Sequence[str] | None) -> Namespace:
    """Read the command line. Defaults take a few minutes on two cores."""
    chapter = params.load(project.CHAPTER)
    parser = arguments.parser("protocol", __doc__, "--train 128 --validation 64 --test 128 --precision auto float32")
    parser.add_argument("--images", type=Path, help="folder or archive of images; generated ones if left out")
    for split, count in {"train": 64, "validation": 32, "test": 96}.items():
        described = f"{split} images per class; the chapter's: {getattr(chapter.prepare, split):,}"
        parser.add_argument(f"--{split}", type=arguments.whole(1), default=count, metavar="N", help=described)
    parser.add_argument(
        "--size", type=arguments.whole(32), default=chapter.extract_features.image_size, metavar="PIXELS",
        help="side of the images as the base sees them",
    )  # fmt: skip
    parser.add_argument(
        "--views", type=arguments.whole(1), default=chapter.extract_features.views, metavar="N",
        help="augmented views that Headstart keeps of each training image",
    )  # fmt: skip
    for training, epochs in {"head": 5, "augmented": 2, "finetune": 2}.items():
        described = f"epochs; the chapter's: {epochs_of(chapter, training)}"
        parser.add_argument(
            f"--{training}-epochs", type=arguments.whole(1), default=epochs, metavar="N", help=described
        )
    parser.add_argument(
        "--precision", nargs="+", choices=get_args(Setting), default=["auto"], help="Headstart's, one or several"
    )
    parser.add_argument("--repeats", type=arguments.whole(1), default=1, metavar="N", help="medians of so many runs")
    parser.add_argument("--skip-obvious", action="store_true", help="run Headstart alone, at full size for example")
    return parser.parse_args(argv)


def prepare_ways(folder: Path, ways: Sequence[str], asked: Namespace) -> Params:
    """Make a project folder for each way, all with the same images and weights; return their parameters."""
    source = asked.images.resolve() if asked.images else folder / "generated"
    if not asked.images:
        generate(source, asked.train + asked.validation + asked.test)
    for way in ways:
        project_folder = folder / way
        project_folder.mkdir()
        changes = {
            "prepare.source": str(source),
            "prepare.train": asked.train,
            "prepare.validation": asked.validation,
            "prepare.test": asked.test,
            "extract_features.image_size": asked.size,
            "extract_features.views": asked.views,
            "train_head.epochs": asked.head_epochs,
            "train_augmented.epochs": asked.augmented_epochs,
            "finetune.epochs": asked.finetune_epochs,
            "precision": "float32" if way == OBVIOUS else way,
        }
        project.give_params(project_folder, changes)
        project.give_weights(project_folder)
    first, *others = [folder / way for way in ways]
    process.here(_prepare, first)
    for other in others:
        (other / paths.PREPARED).symlink_to(first / paths.PREPARED)
    return params.load(first / params.PARAMS)


def generate(folder: Path, images: int) -> None:
    """Write generated photographs of two classes, ``images`` of each."""
    for number, name in enumerate(("cat", "dog")):
        (folder / name).mkdir(parents=True)
        for image in track(range(images), f"generate {name} images", images, " images"):
            (folder / name / f"{image}.jpg").write_bytes(pictures.jpeg(number * images + image, _SIDE))


def measure(folder: Path, ways: Sequence[str], repeats: int, run: Run) -> Measured:
    """Run every part of every way, ``repeats`` times. Who goes first changes from one time to the next."""
    measured: Measured = {(way, part): [] for way in ways for part in PARTS}
    turns = [
        (part, way)
        for repeat in range(repeats)
        for part in PARTS
        for way in (ways if repeat % 2 == 0 else reversed(ways))
    ]
    for part, way in track(turns, "protocol", len(turns), " parts"):
        started = time.perf_counter()
        cost, found = run(run_part, folder / way, way, part)
        start = time.perf_counter() - started - cost.seconds
        measured[way, part].append(Part(cost, start, found))
    return measured


def run_part(folder: Path, way: str, part: str) -> tuple[Cost, list[Loop]]:
    """Start TensorFlow as this way does, run a part in its folder, return what it cost and its loops."""
    with contextlib.chdir(folder):
        seed = params.load().seed
        if way == OBVIOUS:
            obvious.start(seed)
        else:
            runtime.start(seed)
            # A repetition does all of its work: evaluation would recall what it was told the time before.
            Resumable(headstart.STAGES[part], (), []).discard()
        runtime.set_policy("float32")
        with loops.recorded() as found:
            work = partial(obvious.PARTS[part], found) if way == OBVIOUS else headstart.part(part, found)
            return process.cost(work), found


def reason(folder: Path) -> str:
    """Return which precision Headstart takes in this folder, and why."""
    with contextlib.chdir(folder):
        runtime.start(seed=0)
        return precision.choose(params.load().precision).reason


def size_of(folder: Path, settings: Params) -> Size:
    """Return how much work is measured."""
    splits = manifest.read(folder / paths.MANIFEST)["split"].value_counts()
    return _size(settings, *(int(splits[split]) for split in manifest.SPLITS))


def full_size(settings: Params) -> Size:
    """Return how much work the chapter's full protocol is, with so many views as were measured."""
    chapter = params.load(project.CHAPTER)
    counts = (_CLASSES * int(getattr(chapter.prepare, split)) for split in manifest.SPLITS)
    return _size(chapter, *counts)._replace(views=settings.extract_features.views)


def epochs_of(settings: Params, training: str) -> int:
    """Return the epochs of a training: head, augmented or finetune."""
    how = {"head": settings.train_head, "augmented": settings.train_augmented, "finetune": settings.finetune}
    return how[training].epochs


def description(size: Size, settings: Params) -> str:
    """Say in a line what was run."""
    side = settings.extract_features.image_size
    return (
        f"{size.train:,} training, {size.validation:,} validation and {size.test:,} test images, {side} × {side}; "
        f"{size.head}, {size.augmented} and {size.finetune} epochs; {size.views} views"
    )


def _prepare(folder: Path) -> None:
    with contextlib.chdir(folder):
        prepare.main()


def _size(settings: Params, train: int, validation: int, test: int) -> Size:
    epochs = (epochs_of(settings, training) for training in ("head", "augmented", "finetune"))
    return Size(train, validation, test, settings.extract_features.views, *epochs)


if __name__ == "__main__":
    entry.run(main)
