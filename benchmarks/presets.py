"""Validation accuracy and log loss of every strategy by different settings, on your own images: how a preset is chosen.

Settings are changes of the preset, written as for `dvc exp run -S`, several with spaces between:
`'extract_features.image_size=128 train_head.units=0'`. Each is one run of the stages that train, in a temporary folder
(TMPDIR says where); what does not change from one to the next is not done again. The base's weights are those of the
current folder: run `dvc repro backbone` before. Test images play no part in it.
"""

import contextlib
import copy
import importlib
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from benchmarks import arguments, machine, process, project, report
from benchmarks.process import Cost
from benchmarks.project import find, read_by
from headstart.foundation import entry, paths
from headstart.foundation.errors import InputError
from headstart.foundation.resume import Resumable
from headstart.models.strategies import FROM_SCRATCH, STRATEGIES, stage_of
from headstart.settings import params
from headstart.settings.schema import Params

# The settings that change nothing.
AS_IT_IS = "as it is"

# The stages that train.
STAGES = list(map(stage_of, STRATEGIES))


def main(argv: Sequence[str] | None = None) -> int:
    """Read the command line, train, print."""
    asked = parse(argv)
    facts = machine.facts()
    preset = params.read(asked.preset)
    variants = {name: variant(preset, asked.all, name, asked.images) for name in asked.settings}
    report.say(facts)
    rows = []
    with project.temporary() as folder:
        project.give_weights(folder)
        with contextlib.chdir(folder):
            done: dict[str, list[Any]] = {}
            for name, values in variants.items():
                Path(params.PARAMS).write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
                read: list[Any] = []
                for stage in stages_before(asked.stages):
                    read = read + [section[last] for section, last in (find(values, one) for one in read_by(stage))]
                    if done.get(stage) != read:
                        report.say([f"{name}, {stage}: {run(stage):.0f} s of processor time"])
                        done[stage] = read
                for stage in asked.stages:
                    rows.append(row(name, stage, run(stage)))
                    report.say([", ".join(rows[-1])])
    report.show(
        f"Validation of {asked.images.name}, the best epoch each",
        ("settings", "strategy", "accuracy", "log loss", "best epoch", "processor"),
        rows,
    )
    return 0


def parse(argv: Sequence[str] | None) -> Namespace:
    """Read the command line."""
    parser = arguments.parser(
        "presets", __doc__, "'as it is' 'extract_features.image_size=128' --images ~/pictures/birds"
    )
    parser.add_argument(
        "settings", nargs="*", default=[AS_IT_IS], metavar="SETTINGS", help=f"changes; `{AS_IT_IS}` for none"
    )
    parser.add_argument("--images", type=Path, required=True, help="folder or archive of images")
    parser.add_argument("--all", default=AS_IT_IS, metavar="SETTINGS", help="changes that all have in common")
    parser.add_argument("--preset", type=Path, default=Path("presets/photos.yaml"), help="what is changed")
    parser.add_argument(
        "--stages", nargs="+", choices=STAGES, default=["train_head", "train_augmented"], help="what trains"
    )
    return parser.parse_args(argv)


def variant(preset: dict[str, Any], common: str, changes: str, images: Path) -> dict[str, Any]:
    """Return the preset's parameters with changes.

    Raises:
        InputError: the changes are no list of them, or there are no such parameters or values.
    """
    values = copy.deepcopy(preset)
    values["prepare"]["source"] = str(images.resolve())
    for change in [change for part in (common, changes) if part != AS_IT_IS for change in part.split()]:
        name, equals, value = change.partition("=")
        try:
            section, parameter = find(values, name)
        except (KeyError, TypeError):
            equals = ""
        if not equals:
            raise InputError(f"{changes}: found {change!r}, expected SECTION.NAME=VALUE of {params.PARAMS}")
        section[parameter] = params.parse(value)
    params.check(values, Params, Path(changes))
    return values


def stages_before(training: Sequence[str]) -> list[str]:
    """Return the stages that must run before these: networks from scratch need no features."""
    return ["prepare"] if set(FROM_SCRATCH).issuperset(map(strategy, training)) else ["prepare", "extract_features"]


def strategy(stage: str) -> str:
    """Return the strategy that a stage trains."""
    return stage.removeprefix("train_")


def run(stage: str) -> float:
    """Run a stage anew in the current folder; return the seconds of processor time it took."""
    Resumable(stage, (), []).discard()
    took: Cost = process.here(process.cost, importlib.import_module(f"stages.{stage}").main)
    return took.cpu_seconds


def row(name: str, stage: str, seconds: float) -> list[str]:
    """Return a line of the table."""
    of_trainings = pd.read_csv(paths.METRICS / strategy(stage) / "repeats.csv")
    return [
        name,
        strategy(stage),
        f"{of_trainings['val_accuracy'].mean():.4f}",
        f"{of_trainings['val_loss'].mean():.4f}",
        f"{of_trainings['best_epoch'].mean():.0f}",
        f"{seconds:.0f} s",
    ]


if __name__ == "__main__":
    entry.run(main)
