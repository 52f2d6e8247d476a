"""The rate of `headstart predict` against that of the extraction, on the same images.

Both read and decode image files and run the base over them in the same precision; prediction adds a classifier and
calibration, extraction writes what the base gives to the disk. They run in turn, so that a change of the machine's
speed meets both. The first batches, in which TensorFlow traces its graphs, are left out. The model is this project's
`head`, so `dvc repro` or `dvc pull` comes first. Images are written to a temporary folder (TMPDIR says where).
"""

import contextlib
import statistics
from argparse import Namespace
from collections import deque
from collections.abc import Sequence
from pathlib import Path

from benchmarks import arguments, extraction, loops, machine, project, report
from headstart.base import base, runtime, weights
from headstart.deploying import inputs
from headstart.deploying.classification import classify
from headstart.foundation import entry
from headstart.foundation.progress import track
from headstart.models import predictor
from headstart.models.predictor import Predictor
from headstart.scoring import winner
from headstart.settings import params

STRATEGY = "head"


def main(argv: Sequence[str] | None = None) -> int:
    """Read the command line, measure, print."""
    asked = parse(argv)
    facts = machine.facts()
    trained = winner.find(STRATEGY)
    settings = params.load()
    runtime.start(seed=0)
    model = predictor.load(*trained)
    whole = base.build(settings.backbone.name, weights.load(trained.base_weights), model.framing.size)
    with project.temporary() as folder, contextlib.chdir(folder):
        files = extraction.generate(Path("generated"), asked.images)
        work = extraction.work(files, (), settings)
        pairs = [
            (predicting(model, files), extraction.extract(whole, work, None)[0])
            for _ in track(range(asked.repeats), "prediction", asked.repeats, " runs")
        ]
    report.say([*facts, f"{model.framing.size} × {model.framing.size} pixels"])
    report.show(
        f"Prediction against extraction; medians of {asked.repeats}, {asked.images:,} images a run",
        ("", "ratio", "prediction", "extraction"),
        [row(pairs)],
    )
    return 0


def parse(argv: Sequence[str] | None) -> Namespace:
    """Read the command line. Defaults take about a minute on two cores with AMX."""
    parser = arguments.parser("prediction", __doc__, "--repeats 5")
    parser.add_argument("--images", type=arguments.whole(1), default=1024, metavar="N", help="image files")
    parser.add_argument("--repeats", type=arguments.whole(1), default=3, metavar="N", help="medians of so many runs")
    return parser.parse_args(argv)


def predicting(model: Predictor, files: Sequence[Path]) -> float:
    """Predict; return the rate once it runs, images a second."""
    with loops.recorded() as found:
        deque(classify(inputs.gather(files).files, model), maxlen=0)
    (loop,) = found
    return extraction.running(loop)


def row(pairs: Sequence[tuple[float, float]]) -> list[str]:
    """Return the line of the table: medians over the repetitions, the ratio pair by pair."""
    ratio = statistics.median(ours / theirs for ours, theirs in pairs)
    rates = [statistics.median(rates) for rates in zip(*pairs, strict=True)]
    return ["", f"{ratio:.2f}", *(f"{rate:.1f} images/s" for rate in rates)]


if __name__ == "__main__":
    entry.run(main)
