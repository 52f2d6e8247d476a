"""The verdicts in words: which strategy to use, which differences are real, what more images would gain."""

from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any

from headstart.foundation.wording import count, p_value, percent, points, points_range
from headstart.models.strategies import WITHOUT_CHANCE
from headstart.page.strategy_names import strategy_in_words
from headstart.statistics.comparisons import Comparison, between, with_strategy
from headstart.statistics.decisions import at_most_worse
from headstart.statistics.differences import Scope
from headstart.statistics.intervals import Share
from headstart.statistics.paired import ALPHA, decidable
from headstart.statistics.revisions import Change

# How many classes a sentence names.
_NAMED = 3

Rows = Mapping[str, Mapping[str, Any]]


def headline(winner: str, metrics: Rows, images: int, comparisons: Sequence[Comparison]) -> str:
    """Which strategy to use, in one sentence without a full stop: the first thing a reader wants.

    Args:
        winner: the strategy that validation images chose.
        metrics: metrics/evaluation.json.
        images: how many were tested.
        comparisons: of every two strategies.
    """
    chosen = strategy_in_words(winner) + (", the best on validation images," if comparisons else "")
    tested = count(images, "image" if in_folds(metrics[winner]) else "test image")
    score = f"{chosen} classifies {100 * metrics[winner]['accuracy']:.1f} % of {tested} correctly"
    if not comparisons:
        return f"{score}; no other strategy was evaluated"
    duels = [duel.of(winner) for duel in with_strategy(winner, comparisons)]
    if not duels[0].decidable:
        return f"{score}, but with so few {_units(duels[0])} no difference can be significant"
    if all(duel.real and duel.difference > 0 for duel in duels):
        return f"{score} and beats {'the other strategy' if len(duels) == 1 else 'every other strategy'}"
    # The next best first: it is the one a reader would choose instead.
    duels.sort(key=lambda duel: duel.difference)
    better = [duel.second for duel in duels if duel.real and duel.difference < 0]
    equals = [duel.second for duel in duels if not duel.real]
    reservations = [f"is beaten by {_listed(better, 'and')}"] if better else []
    reservations += [f"is not significantly different from {_listed(equals, 'or')}"] if equals else []
    return f"{score}, but {' and '.join(reservations)}"


def never_recognised(classes: Sequence[str]) -> str:
    """That no strategy got a single image of some classes right, without a full stop; "" where there is none."""
    if not classes:
        return ""
    named = [f"“{one}”" for one in classes[:_NAMED]]
    more = f" or {len(classes) - _NAMED} other classes" if len(classes) > _NAMED else ""
    return f"no image of {_joined(named, 'or') if not more else ', '.join(named) + more} was recognised by any strategy"


def cheaper(winner: str, metrics: Rows, comparisons: Sequence[Comparison], margin: float) -> str:
    """The cheapest strategy that will do in the winner's place, without a full stop; "" if that can't be said of any.

    Only where the interval excludes a loss of more than the margin. A strategy is cheaper if it trains fewer weights.

    Args:
        winner: the strategy that validation images chose.
        metrics: metrics/evaluation.json.
        comparisons: of every two strategies.
        margin: the loss of accuracy that doesn't matter.
    """
    found = cheapest(winner, metrics, comparisons, margin)
    if found is None:
        return ""
    duel, most = found
    ratio = metrics[winner]["trained_parameters"] / max(1, metrics[duel.first]["trained_parameters"])
    # Rounded up, since it is the most.
    loss = f"at most {points(ceil(1000 * most) / 1000, duel.images)} points worse than" if most > 0 else "no worse than"
    return (
        f"{strategy_in_words(duel.first)} is {loss} {strategy_in_words(winner)} and trains "
        f"{_fraction(ratio)} of its weights: the cheaper one will do"
    )


def cheapest(
    winner: str, metrics: Rows, comparisons: Sequence[Comparison], margin: float
) -> tuple[Comparison, float] | None:
    """The cheapest strategy that will do minus the winner, and the most that it may be worse by; None if none will."""
    weights = {name: row["trained_parameters"] for name, row in metrics.items()}
    for name in sorted(weights, key=lambda name: weights[name]):
        duel = between(name, winner, comparisons) if weights[name] < weights[winner] else None
        if duel and (most := at_most_worse(duel.low, margin)) is not None:
            return duel, most
    return None


def guessing(majority: Mapping[str, Any], images: int) -> str:
    """What guessing would reach, in one sentence without a full stop."""
    return f"always answering “{majority['class']}” would be right in {percent(majority['accuracy'], images)}"


def worst_class(recalls: Sequence[Mapping[str, Any]]) -> str:
    """Which class fares worst, in one sentence without a full stop.

    Args:
        recalls: of the winner, the worst first.
    """
    worst = recalls[0]
    images = worst["images"]
    span = f"95 % interval {percent(worst['low'], images)} to {percent(worst['high'], images)}"
    number = count(images, "image")
    return f"its worst class is “{worst['class']}”: {percent(worst['value'], images)} of {number} recognised ({span})"


def sure(selective: Mapping[str, Any] | None, target: float, images: int) -> str:
    """For how many images the winner is sure enough, in one sentence without a full stop.

    Args:
        selective: what the threshold from validation images did; None where there was none.
        target: the accuracy wanted.
        images: how many were tested.
    """
    wanted = f"{100 * target:g} %"
    if selective is None:
        return f"no threshold on its confidence made {wanted} of the validation images right"
    coverage = percent(selective["coverage"]["value"], images)
    if selective["accuracy"] is None:
        return f"from the confidence on that made {wanted} of the validation images right it is sure of no other image"
    right = selective["accuracy"]
    answered = max(1, round(selective["coverage"]["value"] * images))
    span = f"95 % interval {percent(right['low'], answered)} to {percent(right['high'], answered)}"
    return (
        f"it is sure (probability {selective['threshold']:.2f} or more) on {coverage} of the images, and of those "
        f"{percent(right['value'], answered)} are right ({span})"
    )


def line(found: Mapping[str, Any], positive: str, images: int) -> str:
    """What the threshold for the positive class does, in one sentence without a full stop."""
    parts = [f"counted as “{positive}” from a probability of {found['threshold']:.3f} on"]
    for name, words in (
        ("recall", f"of the “{positive}” images are found"),
        ("specificity", "of the others are left alone"),
        ("precision", "of those found are really of the class"),
    ):
        if row := found[name]:
            span = f"{percent(row['low'], images)} to {percent(row['high'], images)}"
            parts.append(f"{percent(row['value'], images)} {words} (95 % interval {span})")
    return ", ".join(parts)


def scope(winner: str, metrics: Rows) -> list[str]:
    """What the numbers are about, sentences without a full stop.

    Args:
        winner: the strategy that validation images chose.
        metrics: metrics/evaluation.json.
    """
    row = metrics[winner]
    runs, images = row["runs"], row["images"]
    said = []
    if in_folds(row):
        times = "once" if runs == 1 else f"{runs} times"
        said.append(
            f"every image was tested {times}, by models that had not seen it ({row['trainings'] // runs} folds): these "
            "numbers are a cross-validated estimate of the strategies, with the luck of images and of training in "
            "their intervals"
        )
        said.append("the model that is kept was trained on all images afterwards, so it has no test of its own")
    elif runs > 1 and winner in WITHOUT_CHANCE:
        said.append(
            f"nothing in the training of {strategy_in_words(winner)} is random: its {runs} trainings are the same, and "
            "its intervals hold the luck of the test images alone; those of differences hold the luck of the other "
            "strategy's training as well"
        )
    elif runs > 1:
        said.append(
            f"{strategy_in_words(winner)} was trained {runs} times; its numbers are means over the trainings, with the "
            "luck of the test images and of training in their intervals"
        )
        kept = percent(row["kept_accuracy"], images)
        said.append(f"the training with the lowest validation loss is kept: it reaches {kept}")
    else:
        said.append(
            "one training of each strategy is compared: the verdicts are about these trained models; "
            "another training of the same strategy may come out differently"
        )
    if others := [name for name in metrics if metrics[name]["runs"] < runs]:
        alone = not in_folds(row) and all(metrics[name]["runs"] == 1 for name in others)
        said.append(
            f"{_listed(others, 'and')}: trained less often; a pair is compared over the runs that both have"
            + (", here one, so that its verdict is about these trained models" if alone else "")
        )
    if row["groups"] < images:
        said.append(f"the images come in {row['groups']:,} groups; intervals and tests count groups, not images")
    return said


def in_folds(row: Mapping[str, Any]) -> bool:
    """Whether a strategy was cross-validated, by its row of metrics/evaluation.json."""
    return row["kept_accuracy"] is None


def detectable(comparisons: Sequence[Comparison]) -> str:
    """The smallest differences that the images could have detected, in one sentence without a full stop.

    Args:
        comparisons: with the winner, at least one.
    """
    first = comparisons[0]
    tested = count(first.groups, _unit(first))
    sizes = [duel.detectable for duel in comparisons if duel.detectable is not None and duel.decidable]
    if not sizes:
        return f"with {tested} no difference between strategies can be significant"
    smallest, largest = points(min(sizes), first.images), points(max(sizes), first.images)
    span = f"{smallest} points" if smallest == largest else f"{smallest} to {largest} points, depending on the pair"
    return f"the smallest difference that {tested} would detect with 80 % power is {span}"


def comparison(duel: Comparison) -> str:
    """The comparison in one sentence, without a full stop."""
    first, second = strategy_in_words(duel.first), strategy_in_words(duel.second)
    size = f"{points(duel.difference, duel.images)} points"
    span = _interval(duel.low, duel.high, duel.images)
    if not duel.decidable:
        units, needed = count(duel.groups, _unit(duel)), max(1, duel.planned)
        least = next(n for n in range(duel.groups, 1000) if decidable(n, needed))
        return f"{first} and {second}: with {units} no difference can be significant; at least {least} are needed"
    if duel.exploratory:
        return f"exploratory: {first} minus {second}, {size} ({span}, {p_value(duel.p_value)} before any correction)"
    if duel.real:
        return f"{first} beats {second} by {size} ({span}, {p_value(duel.p_holm)})"
    same = f"{first} and {second} are not significantly different ({size}, {span}, {p_value(duel.p_holm)}"
    if duel.p_value < ALPHA:
        pairs = f"after correction for {duel.planned} pairs, {p_value(duel.p_value)} before"
        return f"{same} {pairs}; the interval is for this pair alone)"
    return f"{same})"


def revision(change: Change) -> str:
    """The change in one sentence, without a full stop."""
    size = f"{points(abs(change.difference), change.images)} points"
    changed = f"{len(change.fixed):,} fixed, {len(change.broken):,} broken"
    span = f"{_interval(change.low, change.high, change.images)}, {p_value(change.p_holm)}"
    if not change.decidable:
        units = count(change.groups, "group" if change.groups < change.images else "image")
        return f"{changed}: with {units} no difference can be significant"
    if change.p_value < ALPHA <= change.p_holm:
        span += f" after correction for {change.strategies} strategies, {p_value(change.p_value)} before"
    if change.real:
        return f"{changed}: {'better' if change.difference > 0 else 'worse'} by {size} ({span})"
    return f"{changed}: no significant difference ({span})"


def doubling(gain: Share | None, images: int) -> str:
    """What doubling the training images would gain, in one sentence without a full stop.

    Args:
        gain: in accuracy; None where the learning curve has too few points to extrapolate.
        images: how many were tested.
    """
    if gain is None:
        return "too few training images, or draws of them, to extrapolate the learning curve"
    value = f"{points(gain.value, images)} points"
    span = _interval(gain.low, gain.high, images)
    if gain.low > 0:
        return f"doubling the training images would gain about {value} ({span})"
    return f"doubling the training images may gain nothing (about {value}, {span})"


def _unit(duel: Comparison) -> str:
    """What is counted: groups where there are some."""
    if duel.groups < duel.images:
        return "group"
    return "test image" if duel.scope == Scope.MODELS else "image"


def _units(duel: Comparison) -> str:
    return "groups" if duel.groups < duel.images else "images"


def _interval(low: float, high: float, images: int) -> str:
    return f"95 % interval {points_range(low, high, images)}"


def _fraction(ratio: float) -> str:
    """A part of a whole that is ``ratio`` times as large: "half", "a fortieth" reads "1/40"."""
    return f"1/{ratio:,.0f}" if ratio >= 2 else f"{100 / ratio:.0f} %"


def _listed(names: Sequence[str], word: str) -> str:
    """Strategies in a sentence: "a", "a or b", "a, b or c"."""
    return _joined([strategy_in_words(name) for name in names], word)


def _joined(names: Sequence[str], word: str) -> str:
    *others, last = names
    return f"{', '.join(others)} {word} {last}" if others else last
