"""Validation accuracy of the augmented head against the number of augmented views kept.

Trains the classifier of train_augmented on the features that lie in data/ of the current folder: on
clean features (0 views), and on the first 1, 2, 4 … of the views that extract_features kept. Run
`dvc repro extract_features` before. All of them see each image once an epoch and train for as many
epochs. Test images play no part in it.
"""

import contextlib
import statistics
from argparse import Namespace
from collections.abc import Sequence

from benchmarks import arguments, machine, project, report
from benchmarks.trainings import Result, examples, train_classifier
from headstart.base import extraction, runtime
from headstart.foundation import entry, paths
from headstart.foundation.errors import InputError
from headstart.foundation.progress import track
from headstart.images import manifest
from headstart.models.samples import Samples
from headstart.settings import params


def main(argv: Sequence[str] | None = None) -> int:
    """Read the command line, train, print."""
    asked = parse(argv)
    facts = machine.facts()
    settings = params.load()
    frame = manifest.read(paths.MANIFEST)
    classes = len(manifest.class_names(frame))
    how = extraction.read()
    validation = examples(frame, "images", "validation")
    kept = examples(frame, "views", "train")
    seen = {views: training_examples(kept, views) for views in asked.views}
    if 0 in seen:
        seen[0] = examples(frame, "images", "train")
    runtime.start(settings.seed)
    results: dict[int, list[Result]] = {views: [] for views in asked.views}
    turns = [(views, settings.seed + number) for number in range(asked.seeds) for views in asked.views]
    with project.temporary() as folder, contextlib.chdir(folder):
        for views, seed in track(turns, "views", len(turns), " trainings"):
            result = train_classifier(seen[views], validation, settings.train_augmented, how, classes, seed)
            results[views].append(result)
    report.say(
        [
            *facts,
            f"{len(validation.labels):,} validation images, "
            f"{settings.train_augmented.epochs} epochs at the most, {asked.seeds} seeds",
        ]
    )
    report.show(
        "Validation accuracy against augmented views; means over seeds",
        ("views", "accuracy", "lowest", "highest", "log loss", "best epoch", "time"),
        [row(views, of_views) for views, of_views in results.items()],
    )
    return 0


def parse(argv: Sequence[str] | None) -> Namespace:
    """Read the command line. Defaults take some minutes."""
    parser = arguments.parser("views", __doc__, "--views 0 2 8 --seeds 5")
    parser.add_argument(
        "--views", type=arguments.whole(0), nargs="+", default=[0, 1, 2, 4, 8], metavar="N", help="numbers of views"
    )
    parser.add_argument("--seeds", type=arguments.whole(1), default=3, metavar="N", help="trainings of each")
    return parser.parse_args(argv)


def training_examples(kept: Samples, views: int) -> Samples:
    """Return the training examples in their first ``views`` views.

    Raises:
        InputError: fewer were kept.
    """
    if views > len(kept.values):
        raise InputError(
            f"{paths.FEATURES}: found {len(kept.values)} views, expected {views} as --views asks for: raise "
            "extract_features.views in params.yaml and run `dvc repro extract_features`, or ask for fewer"
        )
    return kept._replace(values=kept.values[:views])


def row(views: int, results: Sequence[Result]) -> list[str]:
    """Return a line of the table."""
    accuracies = [result.accuracy for result in results]
    return [
        str(views),
        f"{statistics.mean(accuracies):.4f}",
        f"{min(accuracies):.4f}",
        f"{max(accuracies):.4f}",
        f"{statistics.mean(result.loss for result in results):.4f}",
        f"{statistics.mean(result.epoch for result in results):.0f}",
        f"{statistics.mean(result.seconds for result in results):.1f} s",
    ]


if __name__ == "__main__":
    entry.run(main)
