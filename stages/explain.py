"""Show what the networks look at and respond to: activations, filters, and where they find what speaks for a class.

It scores nothing. Writes its pictures to plots/explain.
"""

from pathlib import Path

import numpy as np

from headstart.base import base, extraction, runtime, weights
from headstart.base.lazy import keras
from headstart.drawing import explanation
from headstart.drawing.explanation import Answer, Explanation, Panel
from headstart.explaining import activation_maps, choice, filter_patterns, grad_cam, layers, sheets
from headstart.foundation import paths
from headstart.foundation.atomic import replacing_folder
from headstart.foundation.entry import run_stage
from headstart.foundation.progress import bar, track
from headstart.foundation.wording import count
from headstart.images import images, manifest
from headstart.models import models
from headstart.models.description import describe
from headstart.models.strategies import TRANSFER
from headstart.scoring import predictions, results
from headstart.scoring.predictions import Predictions
from headstart.settings.params import load
from headstart.settings.schema import Explain


def main() -> None:
    """Choose strategy and image, draw, print where the pictures are."""
    params = load()
    settings = params.explain
    predicted = {name: predictions.read(paths.METRICS / name / "predictions.csv") for name in TRANSFER}
    metrics = results.read()
    winner = results.winner({name: metrics[name] for name in TRANSFER})
    image = choice.image(settings.image, predicted[winner], manifest.read(paths.MANIFEST))
    runtime.start(params.seed)
    networks = Networks()
    with replacing_folder(paths.EXPLANATION) as folder:
        (folder / explanation.PARTS).mkdir()
        filters = draw_filters(folder, networks, winner, settings, params.seed)
        layers_seen, activations = draw_activations(folder, networks, winner, image, settings.channels)
        answers = {
            name: draw_answers(folder, networks, name, predicted[name], settings.answers)
            for name in track(TRANSFER, "draw heat maps", len(TRANSFER), " strategies")
        }
        shown = Explanation(
            settings=settings,
            strategy=winner,
            image=image,
            layers=layers_seen,
            activations=activations,
            filters=filters,
            answers=answers,
        )
        explanation.write(folder, shown)
    maps = sum(len(of_strategy) for of_strategy in shown.answers.values())
    print(
        f"Of {winner}: activations of {count(len(activations), 'layer')} for {image}, and filters of "
        f"{count(len(filters), 'layer')}. Heat maps: {count(maps, 'answer')} of {', '.join(shown.answers)}.\n"
        f"The pictures: {paths.EXPLANATION}, or `dvc plots show`"
    )


class Networks:
    """The networks of all strategies that have a base; those that leave it as it is share one."""

    def __init__(self) -> None:
        """Begin without any."""
        self._frozen: dict[str, keras.Model] = {}

    def of(self, strategy: str, policy: str = "float32") -> tuple["keras.Model", "keras.Model"]:
        """Return a strategy's base and classifier; by default without the roundings of bfloat16."""
        runtime.set_policy(policy)
        trains = describe(paths.MODELS / strategy).unfreeze > 0
        if not trains and policy not in self._frozen:
            self._frozen[policy] = self._build()
        whole = self._build() if trains else self._frozen[policy]
        return whole, models.classifier_of(models.load(paths.MODELS / strategy, whole))

    def _build(self) -> "keras.Model":
        how = extraction.read()
        return base.build(how.base, weights.load(paths.WEIGHTS), how.image_size)


def draw_filters(folder: Path, networks: Networks, strategy: str, settings: Explain, seed: int) -> list[Panel]:
    """Draw the patterns that filters respond to most."""
    whole, _ = networks.of(strategy, extraction.read().policy)
    chosen = layers.chosen(whole, settings.layers)
    with bar("look for the filters' patterns", len(chosen) * settings.steps, " steps") as progress:
        found = [
            filter_patterns.patterns(
                whole, layer, settings.filters, settings.steps, settings.rate, seed, progress.update
            )
            for layer in chosen
        ]
    title = f"{strategy}: the pattern that each filter responds to most, by gradient ascent"
    return sheets.draw_filters(folder, title, found)


def draw_activations(
    folder: Path, networks: Networks, strategy: str, image: str, channels: int
) -> tuple[int, list[Panel]]:
    """Draw what each layer makes of an image; return how many layers there are, and those that are drawn."""
    whole, _ = networks.of(strategy)
    pixels = images.load(paths.PREPARED / image, extraction.read().framing)
    every = layers.seen(whole)
    found = activation_maps.activations(whole, layers.thinned(every), pixels, channels)
    title = (
        f"{strategy}: what its layers output for {image}; up to {channels} channels of each, each on a scale of its own"
    )
    return len(every), sheets.draw_activations(folder, title, found)


def draw_answers(folder: Path, networks: Networks, strategy: str, predicted: Predictions, most: int) -> list[Answer]:
    """Draw where a strategy finds evidence for the classes, in its most confident correct and wrong predictions."""
    places = np.concatenate([choice.surest(predicted, right, most) for right in (True, False)])
    classes = choice.contested(predicted, places)
    whole, classifier = networks.of(strategy)
    framing = extraction.read().framing
    pixels = np.stack([images.load(paths.PREPARED / predicted.images[place], framing) for place in places])
    heat = grad_cam.heat_maps(whole, classifier, pixels, classes)
    return sheets.draw_answers(folder, strategy, predicted, places, classes, heat, framing)


if __name__ == "__main__":
    run_stage(main, __doc__)
