"""Validation accuracy and log loss of a strategy by different recipes.

A recipe is a change of the strategy's section of params.yaml, written as for `dvc exp run -S`, several with commas
between: `schedule=cosine,warmup=1.0`. All recipes take the features and activations in data/ of the current
folder, those of fine-tuning start from the classifier in models/augmented: run `dvc repro train_augmented` before.
Each line is printed as soon as it is known. Test images play no part in it.
"""

import contextlib
import statistics
from argparse import Namespace
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks import arguments, machine, project, report
from benchmarks.trainings import Result, best_of, examples, train_classifier
from headstart.base import extraction, runtime
from headstart.foundation import entry, paths
from headstart.foundation.errors import InputError
from headstart.foundation.resume import Resumable
from headstart.images import manifest
from headstart.settings import params
from headstart.settings.schema import Finetune, Optimization, Params
from headstart.training.context import begin
from stages import finetune
from stages.finetune import Prepared

# The recipe that changes nothing.
AS_IT_IS = "as it is"

# The section of params.yaml that a strategy's recipes change.
SECTIONS = {"head": "train_head", "augmented": "train_augmented", "finetune": "finetune"}

# Trains once by a recipe, in the current folder.
Train = Callable[[Any, int], Result]


def main(argv: Sequence[str] | None = None) -> int:
    """Read the command line, train, print."""
    asked = parse(argv)
    facts = machine.facts()
    settings = params.load()
    section = getattr(settings, SECTIONS[asked.strategy])
    recipes = {name: recipe(section, name, asked.epochs) for name in asked.recipes}
    runtime.start(settings.seed)
    report.say(facts)
    results: dict[str, list[Result]] = {name: [] for name in recipes}
    with project.temporary() as folder:
        project.link_data(folder)
        with contextlib.chdir(folder):
            train = tuner(settings) if asked.strategy == "finetune" else trainer(asked.strategy)
            for seed in range(settings.seed, settings.seed + asked.seeds):
                for name, changed in recipes.items():
                    results[name].append(train(changed, seed))
                    report.say([line(name, seed, results[name][-1])])
    report.show(
        f"Validation of {asked.strategy}, the best epoch each; {asked.seeds} seeds, mean (lowest–highest)",
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
    parser.add_argument("--strategy", choices=list(SECTIONS), default="finetune", help="whose recipes they are")
    parser.add_argument("--seeds", type=arguments.whole(1), default=1, metavar="N", help="trainings of each")
    parser.add_argument(
        "--epochs", type=arguments.whole(1), metavar="N", help="of each, instead of what params.yaml says"
    )
    return parser.parse_args(argv)


def recipe(section: Optimization, changes: str, epochs: int | None) -> Optimization:
    """Return the section with a recipe's changes.

    Raises:
        InputError: the recipe is no list of changes, or the section has no such parameters or values.
    """
    values: dict[str, Any] = section.model_dump() | ({"epochs": epochs} if epochs else {})
    for change in [] if changes == AS_IT_IS else changes.split(","):
        name, equals, value = change.partition("=")
        if not equals:
            raise InputError(f"{changes}: found {change!r}, expected NAME=VALUE as in schedule=cosine")
        holder = values["recipe"] if name.strip() in values["recipe"] else values
        holder[name.strip()] = params.parse(value)
    return params.check(values, type(section), Path(changes))


def trainer(strategy_name: str) -> Train:
    """Return what trains a classifier on the features of the current folder."""
    frame, how = manifest.read(paths.MANIFEST), extraction.read()
    train = examples(frame, "images" if strategy_name == "head" else "views", "train")
    validation = examples(frame, "images", "validation")
    classes = len(manifest.class_names(frame))
    return lambda section, seed: train_classifier(train, validation, section, how, classes, seed)


def tuner(settings: Params) -> Train:
    """Return what fine-tunes the base in the current folder.

    What is the same in every epoch is computed once for all recipes that unfreeze as much.
    """
    prepared: dict[int | str, tuple[Prepared, Resumable]] = {}
    # Mirrored images play no part in validating an epoch.
    settings = settings.model_copy(update={"test_time_flip": False})

    def train(section: Finetune, seed: int) -> Result:
        context = begin("finetune", settings.model_copy(update={"finetune": section}), [])
        if section.unfreeze not in prepared:
            kept = Resumable(f"unfreeze_{section.unfreeze}", (), [])
            prepared[section.unfreeze] = finetune.prepare(context._replace(state=kept), section), kept
        state = Resumable("recipes", (section, seed), [])
        assignment = context.trainings[0]._replace(seed=seed)
        start = prepared[section.unfreeze][0]
        trained = finetune.train(context, start, finetune.join(start, section), assignment, state)
        state.discard()
        return best_of(trained)

    return train


def line(name: str, seed: int, result: Result) -> str:
    """Return what is said of one training."""
    return (
        f"{name}, seed {seed}: accuracy {result.accuracy:.4f}, log loss {result.loss:.4f}, best epoch {result.epoch}, "
        f"{result.seconds / result.epochs:.1f} s an epoch"
    )


def row(name: str, results: Sequence[Result]) -> list[str]:
    """Return a line of the table."""
    return [
        name,
        spread([result.accuracy for result in results]),
        spread([result.loss for result in results]),
        f"{statistics.mean(result.epoch for result in results):.0f}",
        f"{statistics.mean(result.seconds / result.epochs for result in results):.1f} s",
    ]


def spread(values: Sequence[float]) -> str:
    """Return the mean, and the lowest and highest where there are several."""
    mean = f"{statistics.mean(values):.4f}"
    return mean if len(values) == 1 else f"{mean} ({min(values):.4f}–{max(values):.4f})"


if __name__ == "__main__":
    entry.run(main)
