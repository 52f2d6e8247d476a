"""Images a second of several bases, in float32 and in bfloat16, and the size of what is kept of an image.

Every base runs frozen with random weights, which take as long as any, over the same images in memory. The two
precisions take turns, so that a change of the machine's speed meets both.
"""

import statistics
import time
from argparse import ArgumentTypeError, Namespace
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from benchmarks import arguments, machine, report
from headstart.base import base, graph, runtime
from headstart.base.bases import check_size, known
from headstart.features import features
from headstart.foundation import entry
from headstart.foundation.progress import track
from headstart.pretrained import untrained

_POLICIES = ("float32", "mixed_bfloat16")
_FAMILIES = ("vgg16", "resnet50", "xception", "densenet121", "mobilenet_v2", "efficientnet_v2_b0", "convnext_tiny")


class Measured(NamedTuple):
    """What was found of a base.

    Attributes:
        rates: images a second, in float32 and in bfloat16, a pair a repetition.
        features: bytes of an image's features, float16.
        trunk: bytes of what is kept of an image for fine-tuning; 0 for nothing.
    """

    rates: list[tuple[float, float]]
    features: int
    trunk: int


def main(argv: Sequence[str] | None = None) -> int:
    """Read the command line, measure, print."""
    asked = parse(argv)
    for name in asked.names:
        check_size(name, asked.size, "--size")
    facts = machine.facts()
    runtime.start(seed=0)
    rows = [row(name, measure(name, asked)) for name in track(asked.names, "bases", len(asked.names), " bases")]
    report.say([*facts, f"{asked.size} × {asked.size} pixels, batches of {asked.batch_size}"])
    columns = ("base", "float32", "bfloat16", "bfloat16 / float32", "features", "trunk")
    report.show(f"Frozen bases; medians of {asked.repeats} runs over a batch", columns, rows)
    return 0


def parse(argv: Sequence[str] | None) -> Namespace:
    """Read the command line. Defaults take about three minutes on two cores with AMX."""
    parser = arguments.parser("bases", __doc__, "resnet50 xception --size 160")
    parser.add_argument("names", nargs="*", type=_name, default=list(_FAMILIES), metavar="NAME", help="of a base")
    parser.add_argument("--size", type=arguments.whole(32), default=128, metavar="PIXELS", help="side of the images")
    parser.add_argument("--batch-size", type=arguments.whole(1), default=32, metavar="N", help="images at once")
    parser.add_argument("--repeats", type=arguments.whole(1), default=5, metavar="N", help="medians of so many runs")
    return parser.parse_args(argv)


def measure(name: str, asked: Namespace) -> Measured:
    """Measure one base."""
    weights = untrained.weights(name)
    pixels = np.random.default_rng(0).integers(0, 256, (asked.batch_size, asked.size, asked.size, 3), np.uint8)
    runs = []
    for policy in _POLICIES:
        runtime.set_policy(policy)
        model = base.build(name, weights, asked.size)
        runs.append(_timed(features.compile_forward(model, None, name, asked.batch_size), pixels))
    runtime.set_policy("float32")
    kept = base.trunk(model, "auto")
    return Measured(
        rates=[(runs[0](), runs[1]()) for _ in range(asked.repeats)],
        features=2 * int(np.prod(model.output_shape[1:])),
        trunk=2 * int(np.prod(graph.outputs(model)[kept].shape[1:])) if kept else 0,
    )


def row(name: str, found: Measured) -> list[str]:
    """Return a line of the table: medians over the repetitions, the ratio pair by pair."""
    rates = [f"{statistics.median(pair[number] for pair in found.rates):.0f} images/s" for number in (0, 1)]
    ratio = statistics.median(second / first for first, second in found.rates)
    return [name, *rates, f"{ratio:.2f}", *(f"{size / 1000:.0f} kB" for size in (found.features, found.trunk))]


def _name(text: str) -> str:
    try:
        return known(text)
    except ValueError as error:
        raise ArgumentTypeError(f"found {text}, expected {error}") from None


def _timed(forward: Callable[[Any, None], Any], pixels: Any) -> Callable[[], float]:
    forward(pixels, None)  # TensorFlow traces its graph at the first call

    def rate() -> float:
        started = time.perf_counter()
        forward(pixels, None)
        return len(pixels) / (time.perf_counter() - started)

    return rate


if __name__ == "__main__":
    entry.run(main)
