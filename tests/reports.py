"""A report made up from nothing, so that pages can be tested without a run."""

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from headstart.base.extraction import Extraction
from headstart.base.origin import Origin
from headstart.drawing.explanation import Answer, Explanation, HeatMap, Inside, Panel
from headstart.models.description import Description
from headstart.models.strategies import STRATEGIES
from headstart.page import advice
from headstart.page.advice import Evidence
from headstart.page.report import Report
from headstart.page.reproduction import Reproduction
from headstart.scoring import evaluation, results, review
from headstart.scoring.predictions import Predictions
from headstart.settings import params
from headstart.statistics import calibration, curves
from headstart.statistics.comparisons import between, compare
from headstart.statistics.intervals import Share
from headstart.statistics.suspects import CONTRADICTED, FAR, UNPLACED
from tests.outcomes import scored
from tests.pictures import encode, pixels
from tests.pipeline import ROOT

DESCRIPTION = Description(
    strategy="head",
    extraction=Extraction(
        origin=Origin(base="vgg16", weights="imagenet"),
        image_size=96,
        batch_size=32,
        fit="stretch",
        white_level=65535,
        policy="float32",
        blocks=[4, 8],
        feature_rms=1.0,
        versions={"tensorflow": "2.21.0"},
    ),
    classifier=params.load(ROOT / "presets" / "quick.yaml").train_head,
    network=None,
    classes=["cat", "dog"],
    unfreeze=0,
    trained_parameters=46_090,
    epochs=7,
    best_epoch=3,
    versions={"tensorflow": "2.21.0"},
)


def predicted(classes: tuple[str, ...], images: int, right: float, seed: int) -> Predictions:
    """Predictions of which about the share ``right`` is right, of varying sureness."""
    random = np.random.default_rng(seed)
    labels = np.arange(images) % len(classes)
    sureness = np.where(random.random(images) < right, 3.0, -1.0) * random.random(images)
    logits = random.normal(size=(images, len(classes))) * 0.3
    logits[np.arange(images), labels] += 2 * sureness
    rows = np.exp(logits)
    return Predictions(
        tuple(f"test/{label}/{number}.jpg" for number, label in enumerate(labels)),
        classes,
        labels,
        rows / rows.sum(axis=1, keepdims=True),
    )


def suspects(classes: tuple[str, ...]) -> pd.DataFrame:
    """A table with some suspicions of every kind."""
    rows = [
        (CONTRADICTED, f"train/{n}.jpg", "train", classes[0], 0.9 - n / 100, classes[1], "yes", "") for n in range(3)
    ]
    rows += [(FAR, f"test/far{n}.jpg", "test", classes[1], 2.0 - n / 100, "", "", "") for n in range(8)]
    rows += [(UNPLACED, f"test/un{n}.jpg", "test", classes[0], 0.5 - n / 100, "", "", "") for n in range(8)]
    rows.append((review.TWICE, "test/b.jpg", "test", classes[0], 0.999, "", "", "train/a.jpg"))
    return pd.DataFrame(rows, columns=list(review.COLUMNS))


def history(epochs: int, start: float) -> pd.DataFrame:
    """A training that gets better."""
    steps = np.arange(1, epochs + 1)
    return pd.DataFrame(
        {
            "epoch": steps,
            "loss": start / steps,
            "accuracy": 1 - 0.5 / steps,
            "val_loss": start / steps + 0.1,
            "val_accuracy": 0.95 - 0.4 / steps,
        }
    )


def on_validation(predicted: Predictions) -> dict[str, float]:
    """Validation metrics of a strategy, better where it does better when tested."""
    wrong = float((predicted.labels != predicted.predicted).mean())
    return {"validation_accuracy": 1 - wrong, "validation_log_loss": 2 * wrong}


def described(strategy: str) -> Description:
    """The strategies train more weights one after the other."""
    trained = DESCRIPTION.trained_parameters * 10 ** list(STRATEGIES).index(strategy)
    return DESCRIPTION.model_copy(update={"strategy": strategy, "trained_parameters": trained})


def compared(given: Mapping[str, Predictions], winner: str, **changes: Any) -> dict[str, Any]:
    """What ``evaluate`` would write of strategies trained once, beside what it finds in the images."""
    strategies = {name: scored(one) for name, one in given.items()}
    comparisons = compare({name: one.calibrated for name, one in strategies.items()}, winner, 0)
    settings = params.load(ROOT / "presets" / "quick.yaml").evaluate.model_copy(update=changes)
    found = review.Review(suspects(next(iter(given.values())).classes), 0.8)
    labels = next(iter(given.values())).labels
    decisions = {name: evaluation.decision(one, settings) for name, one in strategies.items()}
    return evaluation.compared(comparisons, strategies, decisions, {}, found, labels, settings)


@functools.cache
def usual() -> Report:
    """A report of every strategy, made once."""
    shares = dict(zip(STRATEGIES, (0.6, 0.65, 0.7, 0.75, 0.8, 0.97), strict=True))
    return example(
        predicted={
            name: predicted(("cat", "dog"), 200, share, seed) for seed, (name, share) in enumerate(shares.items())
        }
    )


def example(classes: tuple[str, ...] = ("cat", "dog"), images: int = 200, **changes: Any) -> Report:
    """A whole report, of three strategies unless told otherwise: each takes time to draw.

    Args:
        classes: two names at least.
        images: of the test split.
        **changes: fields of the report that are to be otherwise.
    """
    shares = {"head": 0.75, "augmented": 0.8, "finetune": 0.97}
    given = changes.pop("predicted", None) or {
        name: predicted(classes, images, share, seed) for seed, (name, share) in enumerate(shares.items())
    }
    metrics = {
        name: {
            **evaluation.measure(scored(one), described(name), seed=0),
            **on_validation(one),
            "flip": False,
            "log_loss_uncalibrated": 0.9,
            "calibration_error_uncalibrated": 0.2,
            "bytes": 4_700_000,
        }
        for name, one in given.items()
    }
    told = compared(given, results.winner(metrics))
    comparisons = results.comparisons(told)
    table = suspects(classes)
    winner = given[results.winner(metrics)]
    learnt = pd.DataFrame(
        {
            "images": [30, 75, 300],
            "accuracy": [0.6, 0.7, 0.8],
            "accuracy_low": [0.5, 0.65, 0.77],
            "accuracy_high": [0.7, 0.75, 0.83],
        }
    )
    doubling = Share(0.03, 0.02, 0.04)
    evidence = Evidence(
        train_images=300,
        test_images=images,
        guessing=told["majority"]["accuracy"],
        margin=0.01,
        doubling=doubling,
        detectable=0.02,
        frozen_accuracy=0.8,
        adapting=between("finetune", "augmented", comparisons),
        pretraining=between("augmented", "scratch_augmented", comparisons),
        unfreeze=4,
        blocks=[4, 8, 12, 15, 18],
        usual_side=224,
        labels_counted_wrong=3,
        image_size=96,
        typical_side=200,
    )
    report = Report(
        source="pets",
        dataset={"train": 300, "validation": 100, "test": images},
        metrics=metrics,
        predicted=given,
        comparisons=comparisons,
        compared=told,
        settings=params.load(ROOT / "presets" / "quick.yaml").evaluate.model_dump(),
        histories={name: history(6, 1.0 + number) for number, name in enumerate(given)},
        kept=dict.fromkeys(given, 4),
        repeats={},
        roc={name: curves.roc(one.labels, one.probabilities) for name, one in given.items()},
        reliability={name: curves.reliability(one.labels, one.probabilities) for name, one in given.items()},
        reliability_uncalibrated={
            name: curves.reliability(one.labels, calibration.apply_temperature(one.probabilities, 0.5))
            for name, one in given.items()
        },
        learning={name: learnt for name in ("head", "augmented") if name in given},
        readings={"head": "doubling the training images would be worth about 3.0 points: 2.0 to 4.0"},
        suspects=table,
        mistakes=6,
        shown=12,
        pictures=pictures(
            [*(winner.images[i] for i in winner.surest_mistakes[:6]), *table["path"], "train/a.jpg", winner.images[0]]
        ),
        inside=inside(classes, winner.images[0]),
        preview=pictures(["sheet"])["sheet"],
        previewed=(classes[0], classes[1], classes[0], classes[1]),
        doubling=doubling,
        reading=advice.read(evidence),
        reproduction=Reproduction(
            settings={"seed": 42, "prepare": {"source": "data/pets.zip", "train": 30}},
            base=Origin(base="vgg16", weights="imagenet"),
            data="f" * 64,
            versions={"tensorflow": "2.21.0", "keras": "3.15.1"},
        ),
    )
    return dataclasses.replace(report, **changes)


def inside(classes: tuple[str, ...], image: str) -> Inside:
    """What ``explain`` would leave: two layers, one layer's filters, a right and a wrong answer of one strategy."""
    panels = [
        Panel(file=f"{kind}.webp", layer=layer, shape=[48, 48, 64], shown=32, silent=silent)
        for kind, layer, silent in (("one", "block1_conv1", 0), ("two", "block2_pool", 7), ("three", "block5_conv1", 0))
    ]
    answers = [
        Answer(
            path=f"test/{said}.jpg",
            actual=classes[0],
            predicted=said,
            probability=0.987,
            file=f"answer{number}.webp",
            maps=[
                HeatMap(file=f"answer{number}-{turn}.webp", of_class=of_class)
                for turn, of_class in enumerate(classes[:2])
            ],
        )
        for number, said in enumerate(classes[:2])
    ]
    record = Explanation(
        settings=params.load(ROOT / "presets" / "quick.yaml").explain,
        strategy="finetune",
        image=image,
        layers=2,
        activations=panels[:2],
        filters=panels[2:],
        answers={"head": answers},
    )
    return Inside(record, pictures(record.files, "WEBP"))


def pictures(paths: list[str], kind: str = "JPEG") -> dict[str, bytes]:
    """A small picture for each path."""
    small = (Image.fromarray(pixels(number)).resize((64, 64)) for number in range(len(paths)))
    return {path: encode(picture, kind) for path, picture in zip(paths, small, strict=True)}
