"""Peak resident memory of the extraction against the number of images.

Runs the stage extract_features on generated images, each time in a process of its own, and prints how
much memory it held at most. Memory must not grow with the number of images. Small images make it
quick: what could grow with their number are lists, maps and caches, not the images. Everything is
written to a temporary folder (TMPDIR says where).
"""

import contextlib
import hashlib
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from benchmarks import arguments, headstart, machine, pictures, process, project, report
from benchmarks.process import Cost, Run
from headstart.base import runtime
from headstart.foundation import entry, paths
from headstart.foundation.progress import track
from headstart.images import manifest
from headstart.settings import params

# The chapter's division among training, validation and test images.
_SHARES = {"train": 0.4, "validation": 0.2, "test": 0.4}
_CLASSES = ("cat", "dog")


def main(argv: Sequence[str] | None = None, run: Run = process.apart) -> int:
    """Read the command line, measure, print."""
    asked = parse(argv)
    facts = machine.facts()
    with project.temporary() as folder:
        project.give_params(
            folder,
            {
                "extract_features.image_size": asked.size,
                "extract_features.batch_size": asked.batch_size,
                "extract_features.views": asked.views,
                "precision": asked.precision,
            },
        )
        project.give_weights(folder)
        rows = generate(folder, max(asked.images), asked.size)
        costs = []
        for count in asked.images:
            manifest.write(divided(rows[:count]), folder / paths.MANIFEST)
            costs.append(run(extract, folder))
    report.say([*facts, f"{asked.size} × {asked.size} pixels, batches of {asked.batch_size}, {asked.views} views"])
    report.show(
        "Peak resident memory of the extraction",
        ("images", "of the first", "memory", "time"),
        [_row(count, cost, costs[0]) for count, cost in zip(asked.images, costs, strict=True)],
    )
    return 0


def parse(argv: Sequence[str] | None) -> Namespace:
    """Read the command line. Defaults take a few minutes on two cores."""
    chapter = params.load(project.CHAPTER).extract_features
    parser = arguments.parser("memory", __doc__, "--images 5000 25000 100000")
    parser.add_argument(
        "--images", type=arguments.whole(10), nargs="+", default=[5000, 25000], metavar="N", help="how many in all"
    )
    parser.add_argument("--size", type=arguments.whole(32), default=32, metavar="PIXELS", help="side of the images")
    parser.add_argument(
        "--batch-size", type=arguments.whole(1), default=chapter.batch_size, metavar="N", help="images at once"
    )
    parser.add_argument(
        "--views", type=arguments.whole(0), default=1, metavar="N", help="augmented views of each training image"
    )
    arguments.add_precision(parser)
    return parser.parse_args(argv)


def generate(folder: Path, count: int, side: int) -> list[tuple[str, str, str, int, int]]:
    """Write so many images; return of each its path, class, digest, width and height."""
    for name in _CLASSES:
        (folder / paths.PREPARED / name).mkdir(parents=True)
    rows = []
    for number in track(range(count), "generate", count, " images"):
        name = _CLASSES[number % len(_CLASSES)]
        path = f"{name}/{number}.jpg"
        data = pictures.jpeg(number, side)
        (folder / paths.PREPARED / path).write_bytes(data)
        rows.append((path, name, hashlib.sha256(data).hexdigest(), side, side))
    return rows


def divided(rows: list[tuple[str, str, str, int, int]]) -> pd.DataFrame:
    """Return a manifest that divides images among the splits."""
    frame = pd.DataFrame(rows, columns=["path", "class", "sha256", "width", "height"])
    sizes = {split: round(share * len(rows)) for split, share in _SHARES.items()}
    splits = [split for split, size in sizes.items() for _ in range(size)]
    frame["group"] = ""
    frame["split"] = (splits + ["test"] * len(rows))[: len(rows)]
    return frame


def extract(folder: Path) -> Cost:
    """Run the stage in ``folder`` and return what it cost."""
    with contextlib.chdir(folder):
        runtime.start(seed=0)
        return process.cost(headstart.part("extraction", []))


def _row(count: int, cost: Cost, first: Cost) -> list[str]:
    return [
        f"{count:,}",
        f"{cost.peak_bytes / first.peak_bytes:.1%}",
        f"{cost.peak_bytes / 1e6:,.0f} MB",
        f"{cost.seconds:,.1f} s",
    ]


if __name__ == "__main__":
    entry.run(main)
