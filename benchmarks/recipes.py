"""Validation accuracy and log loss of fine-tuning by different recipes.

A recipe is a change of the section `finetune` of params.yaml, written as for `dvc exp run -S`, several
with commas between: `schedule=cosine,warmup=1.0`. All recipes start from the classifier in models/augmented
and the activations in data/ of the current folder: run `dvc repro train_augmented` before. Each
line is printed as soon as it is known. Test images play no part in it.
"""

import contextlib
import statistics
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import arguments, machine, project, report
from stages import finetune
from stages.core import entry, params
from stages.core.errors import InputError
from stages.core.learning import runtime
from stages.core.resume import Resumable
from stages.core.schema import Finetune, Params
from stages.finetune import Prepared

# The recipe that changes nothing.
AS_IT_IS = "as it is"


class Result(NamedTuple):
    """The best epoch of a training by validation loss, and how long an epoch took."""

    accuracy: float
    loss: float
    epoch: int
    seconds: float


def main(argv: Sequence[str] | None = None) -> int:
    """Read the command line, train, print."""
    asked = parse(argv)
    facts = machine.facts()
    settings = params.load()
    recipes = {name: recipe(settings.finetune, name, asked.epochs) for name in asked.recipes}
    runtime.start(settings.seed)
    report.say(facts)
    results: dict[str, list[Result]] = {name: [] for name in recipes}
    prepared: dict[int | str, Prepared] = {}
    with project.temporary() as folder:
        project.link_data(folder)
        with contextlib.chdir(folder):
            for number in range(asked.seeds):
                for name, section in recipes.items():
                    if section.unfreeze not in prepared:
                        prepared[section.unfreeze] = prepare(settings, section)
                    result = train(prepared[section.unfreeze], section, settings.seed + number)
                    results[name].append(result)
                    report.say([line(name, settings.seed + number, result)])
    report.show(
        f"Validation of fine-tuned models, the best epoch each; {asked.seeds} seeds, mean (lowest–highest)",
        ("recipe", "accuracy", "log loss", "best epoch", "an epoch"),
        [row(name, of_recipe) for name, of_recipe in results.items()],
    )
    return 0


def parse(argv: Sequence[str] | None) -> Namespace:
    """Read the command line."""
    parser = arguments.parser("recipes", __doc__, "'learning_rate=3e-5' 'learning_rate=3e-5,schedule=cosine' --seeds 3")
    parser.add_argument(
        "recipes", nargs="*", default=[AS_IT_IS], metavar="RECIPE", help=f"changes; `{AS_IT_IS}` for none"
    )
    parser.add_argument("--seeds", type=arguments.whole(1), default=1, metavar="N", help="trainings of each")
    parser.add_argument(
        "--epochs", type=arguments.whole(1), metavar="N", help="of each, instead of what params.yaml says"
    )
    return parser.parse_args(argv)


def recipe(section: Finetune, changes: str, epochs: int | None) -> Finetune:
    """Return the section with a recipe's changes.

    Raises:
        InputError: the recipe is no list of changes, or the section has no such parameters or values.
    """
    values: dict[str, Any] = section.model_dump() | ({"epochs": epochs} if epochs else {})
    for change in [] if changes == AS_IT_IS else changes.split(","):
        name, equals, value = change.partition("=")
        if not equals:
            raise InputError(f"{changes}: found {change!r}, expected NAME=VALUE as in schedule=cosine")
        values[name.strip()] = params.parse(value)
    return params.check(values, Finetune, Path(changes))


def prepare(settings: Params, section: Finetune) -> Prepared:
    """Compute in the current folder what is the same in every epoch and for every recipe that unfreezes as much."""
    kept = Resumable(f"unfreeze_{section.unfreeze}", (), [])
    return finetune.prepare(settings.model_copy(update={"finetune": section}), kept)


def train(prepared: Prepared, section: Finetune, seed: int) -> Result:
    """Fine-tune once in the current folder and return the best epoch."""
    import keras

    keras.utils.clear_session()
    state = Resumable("recipes", (section, seed), [])
    trained = finetune.train(prepared, section, seed, state)[1]
    state.discard()
    best = trained.best
    seconds = trained.seconds / len(trained.history)
    return Result(float(best["val_accuracy"]), float(best["val_loss"]), trained.best_epoch, seconds)


def line(name: str, seed: int, result: Result) -> str:
    """Return what is said of one training."""
    return (
        f"{name}, seed {seed}: accuracy {result.accuracy:.4f}, log loss {result.loss:.4f}, best epoch {result.epoch}, "
        f"{result.seconds:.1f} s an epoch"
    )


def row(name: str, results: Sequence[Result]) -> list[str]:
    """Return a line of the table."""
    return [
        name,
        spread([result.accuracy for result in results]),
        spread([result.loss for result in results]),
        f"{statistics.mean(result.epoch for result in results):.0f}",
        f"{statistics.mean(result.seconds for result in results):.1f} s",
    ]


def spread(values: Sequence[float]) -> str:
    """Return the mean, and the lowest and highest where there are several."""
    mean = f"{statistics.mean(values):.4f}"
    return mean if len(values) == 1 else f"{mean} ({min(values):.4f}–{max(values):.4f})"


if __name__ == "__main__":
    entry.run(main)
