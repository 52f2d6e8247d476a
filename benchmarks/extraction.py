"""The rate of the whole extraction against that of the bare base, on the same images.

The bare base runs over images that are decoded, resized and in memory already, in the same batches and
the same precision: no extraction can be faster. The whole extraction reads and decodes image files,
augments them, runs the base, and writes features and trunk to the disk. It is measured over clean
images and over augmented views, each right after the bare base, so that a change of the machine's speed
meets both. `running` leaves out the first batches, in which TensorFlow traces its graphs: some seconds,
however many images follow. Everything is written to a temporary folder (TMPDIR says where).
"""

import contextlib
import hashlib
import math
import statistics
import time
from argparse import Namespace
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks import arguments, loops, machine, pictures, project, report
from headstart.base import base, batches, precision, runtime, weights
from headstart.features import features
from headstart.features.features import Work
from headstart.foundation import entry, paths
from headstart.foundation.framing import Framing
from headstart.foundation.progress import track
from headstart.foundation.resume import Resumable
from headstart.images import images
from headstart.settings import params
from headstart.settings.schema import Params

# Side of the generated image files, pixels.
_SIDE = 200
# The first call of the base on clean images traces a graph, the first one on augmented views another.
_TRACED = 1


class Rates(NamedTuple):
    """Images a second, of one pair of runs.

    Attributes:
        bare: of the base alone.
        running: of the extraction from its second batch on.
        whole: of the extraction from beginning to end.
    """

    bare: float
    running: float
    whole: float


def main(argv: Sequence[str] | None = None) -> int:
    """Read the command line, measure, print."""
    asked = parse(argv)
    facts = machine.facts()
    runtime.start(seed=0)
    chosen = precision.choose(asked.precision)
    runtime.set_policy(chosen.policy)
    with project.temporary() as folder:
        project.give_params(
            folder,
            {"extract_features.image_size": asked.size, "extract_features.batch_size": asked.batch_size},
        )
        project.give_weights(folder)
        with contextlib.chdir(folder):
            measured = measure(asked, params.load())
    report.say([*facts, f"{asked.size} × {asked.size} pixels, batches of {asked.batch_size}, {chosen.reason}"])
    report.show(
        f"Extraction against the bare base; medians of {asked.repeats}, {asked.images:,} images a run",
        ("images", "running", "whole run", "bare base", "extraction"),
        [row(name, rates) for name, rates in measured.items()],
    )
    return 0


def parse(argv: Sequence[str] | None) -> Namespace:
    """Read the command line. Defaults take about two minutes on two cores with AMX."""
    chapter = params.load(project.CHAPTER).extract_features
    parser = arguments.parser("extraction", __doc__, "--repeats 5")
    parser.add_argument("--images", type=arguments.whole(1), default=1024, metavar="N", help="runs of the base")
    parser.add_argument("--repeats", type=arguments.whole(1), default=3, metavar="N", help="medians of so many runs")
    parser.add_argument(
        "--size", type=arguments.whole(32), default=chapter.image_size, metavar="PIXELS", help="side of the images"
    )
    parser.add_argument(
        "--batch-size", type=arguments.whole(1), default=chapter.batch_size, metavar="N", help="images at once"
    )
    parser.add_argument(
        "--views", type=arguments.whole(1), default=chapter.views, metavar="N", help="augmented views of an image"
    )
    arguments.add_precision(parser)
    return parser.parse_args(argv)


def measure(asked: Namespace, settings: Params) -> dict[str, list[Rates]]:
    """Run everything in the current folder; return the rates of every repetition."""
    whole = base.build(settings.backbone.name, weights.load(paths.WEIGHTS), asked.size)
    trunk = base.trunk(whole, settings.extract_features.trunk)
    files = generate(Path("generated"), asked.images)
    decoded = [images.load(file, Framing(asked.size)) for file in track(files, "decode", len(files), " images")]
    bare = bare_base(whole, np.stack(decoded), asked.batch_size)
    few = math.ceil(len(files) / asked.views)
    works = {
        "clean": work(files, (), settings),
        f"{asked.views} augmented views": work(files[:few], tuple(range(asked.views)), settings),
    }
    measured: dict[str, list[Rates]] = {name: [] for name in works}
    turns = [name for _ in range(asked.repeats) for name in works]
    for name in track(turns, "extraction", len(turns), " runs"):
        measured[name].append(Rates(bare(), *extract(whole, works[name], trunk)))
    return measured


def generate(folder: Path, count: int) -> list[Path]:
    """Write so many image files."""
    folder.mkdir()
    files = [folder / f"{number}.jpg" for number in range(count)]
    for number, file in enumerate(track(files, "generate", count, " images")):
        file.write_bytes(pictures.jpeg(number, _SIDE))
    return files


def bare_base(model: Any, pixels: Any, batch_size: int) -> Callable[[], float]:
    """Return a function that runs the base over images in memory and returns its rate, images a second.

    Args:
        model: the base.
        pixels: uint8 (images, size, size, 3).
        batch_size: images at once.
    """
    import tensorflow as tf

    prepared = [
        base.preprocess(model.name, batches.padded(pixels[start : start + batch_size], batch_size))
        for start in range(0, len(pixels), batch_size)
    ]
    forward = tf.function(
        lambda values: model(values, training=False), input_signature=[tf.TensorSpec((batch_size, *pixels.shape[1:]))]
    )
    forward(prepared[0])

    def rate() -> float:
        started = time.perf_counter()
        for batch in prepared:
            forward(batch)
        return len(pixels) / (time.perf_counter() - started)

    return rate


def extract(model: Any, work: Work, trunk: str | None) -> tuple[float, float]:
    """Run the extraction; return its rate once it runs, and that of the whole run, images a second."""
    state = Resumable("extraction", "", [])
    with loops.recorded() as found:
        started = time.perf_counter()
        features.extract(model, trunk, work, state)
        seconds = time.perf_counter() - started
    state.discard()
    (loop,) = found
    return running(loop), loop.units / seconds


def running(loop: loops.Loop) -> float:
    """Return the rate of a loop from its second turn on, units a second."""
    later = loop.turns[_TRACED:] or loop.turns
    return sum(units for _, units in later) / sum(seconds for seconds, _ in later)


def row(name: str, rates: Sequence[Rates]) -> list[str]:
    """Return a line of the table: medians over the repetitions, the ratios pair by pair."""
    running = statistics.median(pair.running / pair.bare for pair in rates)
    whole = statistics.median(pair.whole / pair.bare for pair in rates)
    bare = statistics.median(pair.bare for pair in rates)
    extraction = statistics.median(pair.running for pair in rates)
    return [name, f"{running:.1%}", f"{whole:.1%}", f"{bare:.1f} images/s", f"{extraction:.1f} images/s"]


def work(files: list[Path], views: tuple[int, ...], settings: Params) -> Work:
    """Return what to extract: these images as they are, or in these augmented views; their trunk as well."""
    extracted = settings.extract_features
    every, nothing = range(len(files)), range(0)
    return Work(
        files=files,
        sha256s=[hashlib.sha256(file.read_bytes()).hexdigest() for file in files],
        plain=nothing if views else every,
        trunk=nothing if views else every,
        flipped=nothing,
        viewed=every if views else nothing,
        views=views,
        framing=Framing(extracted.image_size, extracted.fit, settings.prepare.white_level),
        batch_size=extracted.batch_size,
        augmentation=settings.augmentation,
        seed=settings.seed,
        base=settings.backbone.name,
    )


if __name__ == "__main__":
    entry.run(main)
