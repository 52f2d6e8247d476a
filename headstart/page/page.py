"""The page that a person reads from top to bottom and sends to a colleague: one HTML file that needs no other.

It only lays out what :mod:`headstart.page.report` gathered. Everything that comes from outside, such as a
class's name, is escaped by Jinja2; the page has no script and its content-security policy allows none.
"""

import base64
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from headstart.drawing import explanation
from headstart.drawing.explanation import Inside
from headstart.foundation import paths, wording
from headstart.foundation.atomic import write_text
from headstart.foundation.free_text import shown
from headstart.page import charts, strategy_names, verdicts
from headstart.page.report import Report, gather
from headstart.scoring import review
from headstart.statistics.comparisons import Comparison, with_strategy
from headstart.statistics.suspects import CONTRADICTED, FAR

_TEMPLATES = Path(__file__).resolve().parent / "templates"

# Rows of the table of confusions, and of that of classes.
_CONFUSIONS = 8
_CLASSES = 12

# Characters of a class's name: beyond that it says no more and takes the page's width.
_LONGEST_NAME = 60


class Picture(NamedTuple):
    """An image of a gallery."""

    source: Markup  # a data URI
    alternative: str  # what it shows, for readers who can't see it
    caption: tuple[str, ...]  # the lines below it; the last one is the image's path


class Answer(NamedTuple):
    """A test image and the evidence for the classes in question."""

    title: str  # the prediction
    path: str  # of the image
    views: list[Picture]  # the image, and a heat map over it for each class


class Confusion(NamedTuple):
    """How many images of one class are predicted as another, and their share of the class."""

    actual: str
    predicted: str
    images: int
    share: float


def write() -> Path:
    """Write the page from what the stages left; return its path.

    Raises:
        InputError: something is missing.
    """
    write_text(paths.PAGE, render(gather()))
    return paths.PAGE


def render(report: Report) -> str:
    """Return the page."""
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_fit_to_show,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "sentence": wording.sentence,
        "count": wording.count,
        "gain": wording.gain,
        "in_words": strategy_names.strategy_in_words,
        "title_of": strategy_names.strategy_title,
        "large": wording.large,
        "size": wording.size,
        "points": wording.points,
        "verdict": verdicts.comparison,
        "percent": wording.percent,
        "lines": _lines,
        "class_name": _name,
    }
    shown_first = with_strategy(report.winner, report.comparisons)
    won = report.metrics[report.winner]
    recalls = report.compared["classes"][report.winner]
    return environment.get_template("page.html.j2").render(
        report=report,
        metrics=report.metrics,
        images=won["images"],
        in_folds=verdicts.in_folds(won),
        classes=next(iter(report.predicted.values())).classes,
        missed=verdicts.never_recognised(report.compared["never_recognised"]),
        headline=verdicts.headline(report.winner, report.metrics, won["images"], report.comparisons),
        lead=_lead(report),
        scope=verdicts.scope(report.winner, report.metrics),
        recalls=recalls[:_CLASSES],
        classes_left=len(recalls) - len(recalls[:_CLASSES]),
        verdicts=shown_first,
        further=[duel for duel in report.comparisons if duel not in shown_first],
        detectable=verdicts.detectable(shown_first) if shown_first else "",
        doubling=report.doubling,
        spreads={name: _spread(table) for name, table in report.repeats.items()},
        charts=_charts(report, shown_first),
        confusions=confusions(report),
        galleries=_galleries(report),
        preview=_preview(report),
        inside=_inside(report.inside, report),
        counted_wrong=int((report.suspects["counted_wrong"] == "yes").sum()),
        contradicted=int((report.suspects["reason"] == CONTRADICTED).sum()),
        twice=int((report.suspects["reason"] == review.TWICE).sum()),
        settings=yaml.safe_dump(report.reproduction.settings, sort_keys=False, allow_unicode=True),
    )


def _lead(report: Report) -> list[str]:
    """What a reader wants to know after the headline, sentences without a full stop."""
    winner, won, compared, settings = report.winner, report.metrics[report.winner], report.compared, report.settings
    images = won["images"]
    said = [
        verdicts.cheaper(winner, report.metrics, report.comparisons, compared["margin"]),
        verdicts.guessing(compared["majority"], images),
        verdicts.worst_class(compared["classes"][winner]),
    ]
    if found := compared["lines"][winner]:
        said.append(verdicts.line(found, settings["positive_class"], images))
    said.append(verdicts.sure(compared["selective"][winner], settings["target_accuracy"], images))
    return list(filter(None, said))


def confusions(report: Report) -> list[Confusion]:
    """Which classes the winner confuses, the most frequent confusion first."""
    winner = report.predicted[report.winner]
    wrong = winner.labels != winner.predicted
    pairs, counts = np.unique(np.stack([winner.labels[wrong], winner.predicted[wrong]]), axis=1, return_counts=True)
    of_class = np.bincount(winner.labels, minlength=len(winner.classes))
    order = np.argsort(-counts, kind="stable")[:_CONFUSIONS]
    return [
        Confusion(
            _name(winner.classes[actual]),
            _name(winner.classes[predicted]),
            int(number),
            float(number / of_class[actual]),
        )
        for actual, predicted, number in zip(*pairs[:, order], counts[order], strict=True)
    ]


def _charts(report: Report, duels: list[Comparison]) -> dict[str, Any]:
    images = len(report.predicted[report.winner].labels)
    order = list(report.metrics)
    return {
        "accuracies": charts.accuracies(report.metrics, images),
        "differences": charts.differences(duels) if duels else "",
        "loss": charts.histories(report.histories, "loss", "cross-entropy, nats", report.kept),
        "accuracy": charts.histories(report.histories, "accuracy", "accuracy", report.kept),
        "confusion": {
            name: charts.confusion(name, one.labels, one.predicted, one.classes)
            for name, one in report.predicted.items()
        },
        "roc": charts.roc(report.roc, report.metrics),
        "reliability": {
            name: charts.reliability(name, report.reliability_uncalibrated[name], table, order)
            for name, table in report.reliability.items()
        },
        "learning": charts.learning(report.learning, order, images) if report.learning else "",
        "costs": charts.costs(report.metrics, images),
    }


def _galleries(report: Report) -> dict[str, list[Picture]]:
    winner = report.predicted[report.winner]
    mistakes = []
    for place in winner.surest_mistakes[: report.mistakes]:
        actual, said = _name(winner.classes[winner.labels[place]]), _name(winner.classes[winner.predicted[place]])
        sure = wording.percent(winner.probabilities[place, winner.predicted[place]], 1)
        path = winner.images[place]
        mistakes.append(
            _picture(report, path, f"Labelled {actual}, predicted as {said}", (f"{actual}, predicted as {said}", sure))
        )
    return {
        "mistakes": mistakes,
        "labels": [
            _picture(
                report,
                row.path,
                f"Labelled {row.label}, looks like {row.looks_like}",
                (
                    f"{row.label}, looks like {row.looks_like}",
                    "probably mislabelled" if row.counted_wrong == "yes" else "",
                ),
            )
            for row in _rows(review.contradicted(report.suspects, report.shown))
        ],
        "foreign": [
            _picture(
                report,
                row.path,
                f"Labelled {row.label}: {row.reason}",
                (row.label, f"{row.score:.2f} × the usual distance" if row.reason == FAR else row.reason),
            )
            for row in _rows(review.foreign(report.suspects, report.shown))
        ],
        "twins": [
            picture
            for row in _rows(review.twins(report.suspects, report.shown))
            for picture in (
                _picture(report, row.path, f"{row.label}, in {row.split}", (f"{row.label}, {row.split}",)),
                _picture(report, row.twin, "Its near-duplicate", ("its near-duplicate",)),
            )
        ],
    }


def _preview(report: Report) -> Picture:
    names = [_name(of_class) for of_class in report.previewed]
    alternative = f"Training images of {', '.join(dict.fromkeys(names))}, each beside nine random changes of it"
    return Picture(_data("jpeg", report.preview), alternative, ())


def _inside(inside: Inside, report: Report) -> dict[str, Any]:
    """What the section on the layers and heat maps shows."""
    record, pictures = inside

    def picture(file: str, alternative: str, *caption: str) -> Picture:
        return Picture(_data("webp", pictures[file]), alternative, caption)

    def answer(one: explanation.Answer) -> Answer:
        actual, said = _name(one.actual), _name(one.predicted)
        title = f"{actual}, {wording.percent(one.probability, 1)}"
        if actual != said:
            title = f"{actual}, predicted as {said}, {wording.percent(one.probability, 1)}"
        image = picture(one.file, f"{'Labelled' if actual != said else 'Correct:'} {actual}", "the image")
        maps = [
            picture(each.file, f"Evidence for {_name(each.of_class)}", f"evidence for {_name(each.of_class)}")
            for each in one.maps
        ]
        return Answer(title, one.path, [image, *maps])

    def size(panel: explanation.Panel) -> str:
        silent = f", {panel.silent} silent" if panel.silent else ""
        return " × ".join(str(number) for number in panel.shape) + silent

    return {
        "record": record,
        "answers": {name: [answer(one) for one in answers] for name, answers in record.answers.items()},
        "filters": [
            picture(
                panel.file,
                f"Patterns that filters of {panel.layer} respond to",
                panel.layer,
                f"{panel.shown} of {panel.shape[2]} filters",
            )
            for panel in record.filters
        ],
        "image": _picture(report, record.image, "The image given to the layers", ("the image",)),
        "activations": [
            picture(panel.file, f"Channels of {panel.layer}", panel.layer, size(panel)) for panel in record.activations
        ],
    }


def _rows(table: pd.DataFrame) -> Iterable[Any]:
    """The table's rows with attributes, ``class`` called ``label``, names of classes shortened."""
    named = table.assign(label=table["class"].map(_name), looks_like=table["looks_like"].map(_name))
    return named.drop(columns="class").itertuples(index=False)


def _name(of_class: str) -> str:
    return shown(of_class, _LONGEST_NAME)


def _picture(report: Report, path: str, alternative: str, caption: tuple[str, ...]) -> Picture:
    return Picture(_data("jpeg", report.pictures[path]), alternative, (*filter(None, caption), path))


def _data(kind: str, picture: bytes) -> Markup:
    return Markup(f"data:image/{kind};base64,{base64.b64encode(picture).decode('ascii')}")  # noqa: S704


def _spread(repeats: pd.DataFrame) -> dict[str, float]:
    """The spread of validation accuracy over several trainings of one strategy."""
    values = repeats["val_accuracy"]
    return {"trainings": len(values), "mean": values.mean(), "low": values.min(), "high": values.max()}


def _fit_to_show(value: Any) -> Any:
    """Drop unprintable characters and keep numbers with their units; markup stays as it is."""
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    kept = shown(value).replace(" %", "\N{NO-BREAK SPACE}%")
    for sign in "<=":
        kept = kept.replace(f"p {sign} 0", f"p\N{NO-BREAK SPACE}{sign}\N{NO-BREAK SPACE}0")
    return kept


def _lines(text: str) -> Markup:
    """Text of several lines, each fit to be shown."""
    return Markup("\n").join(escape(shown(line)) for line in text.splitlines())
