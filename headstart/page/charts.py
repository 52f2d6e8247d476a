"""The page's charts: matplotlib's drawings as SVG that takes its colours from the page.

Each function returns an ``<svg>`` element to be put into HTML as it is. Colours are names of the page's CSS
variables, so that a chart follows the reader's choice of dark or light; letters are letters, in the page's font.
"""

import io
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pandas as pd
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullFormatter, NullLocator, PercentFormatter

from headstart.foundation.array_types import IntArray
from headstart.foundation.free_text import shown
from headstart.foundation.wording import large, percent, points, points_range
from headstart.page.strategy_names import strategy_in_words, strategy_title
from headstart.statistics.comparisons import Comparison

# Inches. A chart is as wide as a phone, so that its letters stay legible there.
_WIDTH, _HEIGHT = 4.5, 3.0

# Stand-ins while matplotlib draws; each becomes a variable of the page's style sheet.
_INK, _MUTED, _GRID, _GOOD, _BAD, _ON_GOOD = "#0a0b01", "#0a0b02", "#0a0b03", "#0a0b04", "#0a0b05", "#0a0b06"
_SERIES = tuple(f"#0a0b1{number}" for number in range(6))
_VARIABLES = {
    _INK: "var(--ink)",
    _MUTED: "var(--muted)",
    _GRID: "var(--line)",
    _GOOD: "var(--good)",
    _BAD: "var(--bad)",
    _ON_GOOD: "var(--on-good)",
    **{colour: f"var(--series-{number + 1})" for number, colour in enumerate(_SERIES)},
}
# A second sign beside the colour, for readers who can't see it, and for print.
_MARKERS = "os^Dvp"

_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.size": 9.5,
    "axes.labelsize": 9.5,
    "legend.fontsize": 9,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "text.color": _INK,
    "axes.labelcolor": _INK,
    "axes.edgecolor": _MUTED,
    "xtick.color": _MUTED,
    "ytick.color": _MUTED,
    "xtick.labelcolor": _INK,
    "ytick.labelcolor": _INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": _GRID,
    "grid.linewidth": 0.8,
    "axes.axisbelow": True,
    "lines.linewidth": 1.8,
    "lines.markersize": 5.5,
    "legend.frameon": False,
    "text.parse_math": False,
}
_styled = mpl.rc_context(_STYLE)

# More classes than this have no room for their names, and more than the second for numbers.
_NAMED_CLASSES = 24
_COUNTED_CLASSES = 12
_LONGEST_NAME = 16
# Letters that fit side by side below a chart; more are turned upright.
_LETTERS_ABREAST = 40

# Marks text on a shaded cell, where the page must not outline the letters.
_ON_A_CELL = "on-a-cell"

_SVG = "http://www.w3.org/2000/svg"
_HREF = "{http://www.w3.org/1999/xlink}href"


@_styled
def accuracies(metrics: Mapping[str, Mapping[str, float]], images: int) -> Markup:
    """Each strategy's accuracy with its interval, one row each."""
    figure, axes = _rows(len(metrics))
    for row, (name, values) in enumerate(metrics.items()):
        value, low, high = values["accuracy"], values["accuracy_low"], values["accuracy_high"]
        _interval(axes, row, value, low, high, _series(metrics, name), _marker(metrics, name))
        label = f"{strategy_title(name)}: {percent(value, images)}"
        axes.annotate(label, (value, row), (0, 8), textcoords="offset points", ha="center")
    _percent_axis(axes, "accuracy, with 95 % intervals")
    described = [
        f"{strategy_title(name)} {percent(values['accuracy'], images)}, "
        f"interval {percent(values['accuracy_low'], images)} to {percent(values['accuracy_high'], images)}"
        for name, values in metrics.items()
    ]
    return _svg(figure, "accuracies", f"Accuracy of each strategy. {'. '.join(described)}.")


@_styled
def differences(comparisons: Sequence[Comparison]) -> Markup:
    """The difference of each pair of strategies with its interval; significant ones are filled."""
    figure, axes = _rows(len(comparisons))
    axes.axvline(0, color=_INK, linewidth=1)
    described = []
    for row, duel in enumerate(comparisons):
        colour = _GOOD if duel.real else _MUTED
        values = [100 * value for value in (duel.difference, duel.low, duel.high)]
        _interval(axes, row, values[0], values[1], values[2], colour, "o", filled=duel.real)
        label = f"{strategy_title(duel.first)} − {_lower(strategy_title(duel.second))}"
        # From the left edge: two names take most of the width, and over a marker at the side they would pass the other.
        at_the_left = axes.get_yaxis_transform()
        axes.annotate(label, (0, row), (0, 8), xycoords=at_the_left, textcoords="offset points", ha="left")
        span = points_range(duel.low, duel.high, duel.images)
        described.append(f"{label}: {points(duel.difference, duel.images)} points, {span}")
    axes.set_xlabel("difference in accuracy, points, with 95 % intervals")
    return _svg(figure, "differences", f"Differences between strategies. {'. '.join(described)}.")


@_styled
def histories(tables: Mapping[str, pd.DataFrame], column: str, label: str, best: Mapping[str, int]) -> Markup:
    """Training (dotted) and validation of every strategy, epoch by epoch, with the epoch that was kept marked.

    Args:
        tables: each strategy's history.
        column: ``loss`` or ``accuracy``.
        label: of the vertical axis.
        best: the epoch that each strategy kept.
    """
    figure, axes = _figure()
    described = []
    for name, table in tables.items():
        colour = _series(tables, name)
        axes.plot(table["epoch"], table[column], color=colour, linestyle=":", linewidth=1.3)
        axes.plot(table["epoch"], table[f"val_{column}"], color=colour, label=strategy_title(name))
        kept = table[table["epoch"] == best[name]]
        axes.plot(kept["epoch"], kept[f"val_{column}"], _marker(tables, name), color=colour)
        described += [
            f"{strategy_title(name)} kept epoch {best[name]} with {value:.3f}" for value in kept[f"val_{column}"]
        ]
    axes.set(xlabel="epoch (solid: validation, dotted: training)", ylabel=label)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if column == "loss":
        # The first epochs of training may be ten times as high as all that matters.
        highest = max(table["val_loss"].max() for table in tables.values())
        axes.set_ylim(0, min(1.25 * highest, axes.get_ylim()[1]))
    _legend(figure, axes)
    return _svg(figure, f"history-{column}", f"{label.capitalize()} by epoch. Validation: {'; '.join(described)}.")


@_styled
def confusion(name: str, labels: IntArray, predicted: IntArray, classes: Sequence[str]) -> Markup:
    """A confusion matrix: rows are actual classes, shaded by their share.

    Args:
        name: the strategy.
        labels: class numbers, shape (images,).
        predicted: class numbers, shape (images,).
        classes: their names.
    """
    counts = np.zeros((len(classes), len(classes)), dtype=np.int64)
    np.add.at(counts, (labels, predicted), 1)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure, axes = _figure(height=min(4.6, 1.8 + 0.3 * len(classes)))
    axes.grid(visible=False)
    for right, colour in ((True, _GOOD), (False, _BAD)):
        cells = [(i, j) for i, j in np.argwhere(counts) if (i == j) == right]
        # The square root lets a share of a few in a hundred be seen.
        shades = [(*mpl.colors.to_rgb(colour), shares[i, j] ** 0.5) for i, j in cells]
        squares = [Rectangle((j - 0.5, i - 0.5), 1, 1) for i, j in cells]
        axes.add_collection(PatchCollection(squares, facecolors=shades, linewidths=0))
    if len(classes) <= _COUNTED_CLASSES:
        for i, j in np.argwhere(counts):
            ink = _ON_GOOD if shares[i, j] > 0.4 else _INK
            axes.text(j, i, f"{counts[i, j]:,}", ha="center", va="center", color=ink, fontsize=8.5, gid=_ON_A_CELL)
    named = len(classes) <= _NAMED_CLASSES
    names = [shown(each, _LONGEST_NAME) for each in classes] if named else []
    axes.set(
        xlim=(-0.5, len(classes) - 0.5),
        ylim=(len(classes) - 0.5, -0.5),
        xlabel="predicted class" if named else f"predicted class ({len(classes)}, by name)",
        ylabel="actual class" if named else f"actual class ({len(classes)}, by name)",
        xticks=range(len(names)),
        yticks=range(len(names)),
        xticklabels=names,
        yticklabels=names,
    )
    axes.tick_params(length=0)
    axes.tick_params(axis="x", rotation=90 if sum(map(len, names)) > _LETTERS_ABREAST else 0)
    wrong = int((labels != predicted).sum())
    correct = f"{len(labels) - wrong:,} of {len(labels):,}"
    description = f"Confusion matrix of {strategy_in_words(name)}: {correct} images classified correctly."
    return _svg(figure, f"confusion-{name}", description)


@_styled
def roc(tables: Mapping[str, pd.DataFrame], metrics: Mapping[str, Mapping[str, float]]) -> Markup:
    """The ROC curve of every strategy."""
    figure, axes = _figure()
    axes.plot([0, 1], [0, 1], color=_MUTED, linewidth=1, linestyle=":")
    described = []
    for name, table in tables.items():
        axes.plot(
            table["false_positive_rate"],
            table["true_positive_rate"],
            color=_series(tables, name),
            label=strategy_title(name),
        )
        area = metrics[name]["roc_auc"]
        described.append(f"{strategy_title(name)}: area {'undefined' if area is None else f'{area:.3f}'}")
    axes.set(xlabel="false positive rate", ylabel="true positive rate", xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    _legend(figure, axes)
    return _svg(figure, "roc", f"ROC curves. {'. '.join(described)}.")


@_styled
def reliability(name: str, before: pd.DataFrame, after: pd.DataFrame, order: Iterable[str]) -> Markup:
    """How often predictions of some confidence are right, before and after calibration.

    Args:
        name: the strategy.
        before: its reliability diagram without calibration.
        after: and with it.
        order: the strategies, which decides the colour.
    """
    figure, axes = _figure()
    axes.plot([0, 1], [0, 1], color=_MUTED, linewidth=1, linestyle=":")
    colour = _series(order, name)
    axes.plot(before["confidence"], before["accuracy"], "x--", color=_MUTED, linewidth=1.2, label="before calibration")
    bars = np.abs(after[["accuracy_low", "accuracy_high"]].to_numpy().T - after["accuracy"].to_numpy())
    axes.errorbar(
        after["confidence"],
        after["accuracy"],
        bars,
        fmt=f"{_marker(order, name)}-",
        color=colour,
        elinewidth=1,
        label="after calibration, with 95 % intervals",
    )
    start = min(0.5, *after["confidence"], *before["confidence"]) - 0.03
    axes.set(xlabel="confidence", ylabel="accuracy", xlim=(start, 1.02), ylim=(-0.03, 1.03))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))
    _legend(figure, axes)
    return _svg(figure, f"reliability-{name}", f"Reliability of {strategy_in_words(name)}: accuracy by confidence.")


@_styled
def learning(tables: Mapping[str, pd.DataFrame], order: Sequence[str], images: int) -> Markup:
    """Accuracy against the number of training images.

    Args:
        tables: each strategy's learning curve.
        order: all strategies, which decides the colours.
        images: how many were tested.
    """
    figure, axes = _figure()
    described = []
    for name, table in tables.items():
        colour = _series(order, name)
        axes.fill_between(
            table["images"], table["accuracy_low"], table["accuracy_high"], color=colour, alpha=0.18, linewidth=0
        )
        axes.plot(
            table["images"],
            table["accuracy"],
            f"{_marker(order, name)}-",
            color=colour,
            label=f"features of {strategy_in_words(name)}",
        )
        reached = [f"{percent(row['accuracy'], images)} with {row['images']:,.0f}" for _, row in table.iterrows()]
        described.append(f"{strategy_title(name)}: {', '.join(reached)}")
    axes.set_xscale("log")
    ticks = sorted({size for table in tables.values() for size in table["images"]})
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, place: f"{value:,.0f}"))
    axes.yaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))
    axes.set(xlabel="training images", ylabel="test accuracy")
    _legend(figure, axes, columns=1)
    return _svg(figure, "learning", f"Accuracy by number of training images. {'. '.join(described)}.")


@_styled
def costs(metrics: Mapping[str, Mapping[str, float]], images: int) -> Markup:
    """Accuracy against the number of weights that were trained."""
    figure, axes = _figure()
    described = []
    for name, row in metrics.items():
        bars = [[row["accuracy"] - row["accuracy_low"]], [row["accuracy_high"] - row["accuracy"]]]
        axes.errorbar(
            [row["trained_parameters"]],
            [row["accuracy"]],
            bars,
            fmt=_marker(metrics, name),
            color=_series(metrics, name),
            markersize=8,
            elinewidth=1.4,
            label=strategy_title(name),
        )
        trained = large(int(row["trained_parameters"]))
        described.append(f"{strategy_title(name)}: {percent(row['accuracy'], images)} with {trained} weights trained")
    axes.set_xscale("log")
    axes.margins(x=0.15)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, place: large(round(value))))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.yaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))
    axes.set(xlabel="weights trained", ylabel="accuracy, 95 % interval")
    _legend(figure, axes)
    return _svg(figure, "costs", f"Accuracy against the number of weights trained. {'. '.join(described)}.")


def _figure(height: float = _HEIGHT) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(_WIDTH, height), layout="constrained")
    return figure, figure.subplots()


def _rows(count: int) -> tuple[Figure, Axes]:
    """A chart of ``count`` horizontal intervals, the first on top, with room for a label above each."""
    figure, axes = _figure(height=0.7 + 0.52 * max(1, count))
    axes.set(ylim=(count - 0.65, -0.75), yticks=[])
    axes.spines["left"].set_visible(False)
    axes.margins(x=0.18)
    return figure, axes


def _interval(
    axes: Axes, row: int, value: float, low: float, high: float, colour: str, marker: str, filled: bool = True
) -> None:
    axes.plot([low, high], [row, row], color=colour, solid_capstyle="round", linewidth=2.2)
    face = colour if filled else "none"
    axes.plot([value], [row], marker, color=colour, markersize=7.5, markerfacecolor=face, markeredgewidth=1.6)


def _percent_axis(axes: Axes, label: str) -> None:
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.xaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))
    axes.set_xlabel(label)


def _legend(figure: Figure, axes: Axes, columns: int = 2) -> None:
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper left", ncols=columns, handlelength=1.6, columnspacing=1.2)


def _series(names: Iterable[str], name: str) -> str:
    return _SERIES[list(names).index(name) % len(_SERIES)]


def _marker(names: Iterable[str], name: str) -> str:
    return _MARKERS[list(names).index(name) % len(_MARKERS)]


def _lower(title: str) -> str:
    return title[:1].lower() + title[1:]


def _svg(figure: Figure, name: str, description: str) -> Markup:
    """The figure as an SVG element.

    Args:
        figure: what was drawn, under the style above.
        name: keeps the chart's internal references apart from those of the page's other charts.
        description: what it shows, for readers who can't see it.
    """
    file = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": name}), warnings.catch_warnings():
        # The letters of a class's name that matplotlib's font lacks are in the reader's.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(
            file, format="svg", transparent=True, metadata={"Date": None, "Creator": None, "Format": None, "Type": None}
        )
    root = ElementTree.fromstring(file.getvalue())  # noqa: S314 - matplotlib wrote it a line above
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in (f"{{{_SVG}}}style", f"{{{_SVG}}}metadata"):
                parent.remove(child)
    for element in root.iter():
        if element.tag == f"{{{_SVG}}}g" and (group := element.attrib.pop("id", "")) == _ON_A_CELL:
            element.set("class", group)
        if style := element.get("style"):
            element.set("style", _themed(style))
        element.tag = element.tag.removeprefix(f"{{{_SVG}}}")
        if _HREF in element.attrib:
            element.set("href", element.attrib.pop(_HREF))
    for attribute in ("width", "height", "version"):
        del root.attrib[attribute]
    root.set("role", "img")
    root.set("aria-label", description)
    return Markup(ElementTree.tostring(root, encoding="unicode"))  # noqa: S704 - it escapes what it writes


def _themed(style: str) -> str:
    """A style attribute with the page's colours in place of the stand-ins, and without the font's name."""
    kept = [part for part in style.split("; ") if not part.startswith("font-family")]
    text = "; ".join(kept)
    for colour, variable in _VARIABLES.items():
        text = text.replace(colour, variable)
    return text
