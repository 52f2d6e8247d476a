"""The verdicts in words: which strategy to use, which differences are real, what more images would gain."""

from collections.abc import Mapping

from headstart.foundation.wording import count, p_value, points, points_range
from headstart.page.strategy_names import strategy_in_words
from headstart.statistics.intervals import Share
from headstart.statistics.paired import ALPHA, Answers, Comparison, Revision, decidable, with_strategy


def headline(winner: str, answers: Mapping[str, Answers], comparisons: list[Comparison]) -> str:
    """Which strategy to use, in one sentence without a full stop: the first thing a reader wants.

    Args:
        winner: the strategy that validation images chose.
        answers: of every strategy, one at least.
        comparisons: what :func:`compare_all` made of them.
    """
    images = count(len(answers[winner].images), "test image")
    chosen = strategy_in_words(winner) + (", the best on validation images," if comparisons else "")
    score = f"{chosen} classifies {100 * answers[winner].accuracy:.1f} % of {images} correctly"
    if not comparisons:
        return f"{score}; no other strategy was evaluated"
    if not comparisons[0].decidable:
        return f"{score}, but with so few images no difference can be significant"
    duels = with_strategy(winner, comparisons)
    if all(duel.real and duel.first == winner for duel in duels):
        return f"{score} and beats {'the other strategy' if len(answers) == 2 else 'every other strategy'}"
    # The next best first: it is the one a reader would choose instead.
    duels.sort(key=lambda duel: -answers[_other(winner, duel)].accuracy)
    better = [_other(winner, duel) for duel in duels if duel.real and duel.second == winner]
    equals = [_other(winner, duel) for duel in duels if not duel.real]
    reservations = [f"is beaten by {_listed(better, 'and')}"] if better else []
    reservations += [f"is not significantly different from {_listed(equals, 'or')}"] if equals else []
    return f"{score}, but {' and '.join(reservations)}"


def detectable(comparisons: list[Comparison]) -> str:
    """The smallest differences that the test split could have detected, in one sentence without a full stop.

    Args:
        comparisons: at least one.
    """
    images = comparisons[0].images
    tested = count(images, "test image")
    sizes = [duel.detectable for duel in comparisons if duel.detectable is not None]
    if not sizes:
        return f"with {tested} no difference between strategies can be significant"
    smallest, largest = points(min(sizes), images), points(max(sizes), images)
    span = f"{smallest} points" if smallest == largest else f"{smallest} to {largest} points, depending on the pair"
    return f"the smallest difference that {tested} would detect with 80 % power is {span}"


def comparison(duel: Comparison) -> str:
    """The comparison in one sentence, without a full stop."""
    first, second = strategy_in_words(duel.first), strategy_in_words(duel.second)
    images = count(duel.images, "image")
    size = f"{points(duel.difference, duel.images)} points"
    span = _interval(duel.low, duel.high, duel.images)
    if not duel.decidable:
        least = next(n for n in range(duel.images, 1000) if decidable(n, duel.pairs))
        return f"{first} and {second}: with {images} no difference can be significant; at least {least} are needed"
    if duel.real:
        return f"{first} beats {second} by {size} ({span}, {p_value(duel.p_holm)})"
    same = f"{first} and {second} are not significantly different ({size}, {span}, {p_value(duel.p_holm)}"
    if duel.p_value < ALPHA:
        return f"{same} after correction for {duel.pairs} pairs, {p_value(duel.p_value)} before)"
    return f"{same})"


def revision(change: Revision) -> str:
    """The change in one sentence, without a full stop."""
    images = count(change.images, "image")
    size = f"{points(abs(change.difference), change.images)} points"
    changed = f"{len(change.fixed):,} fixed, {len(change.broken):,} broken"
    span = f"{_interval(change.low, change.high, change.images)}, {p_value(change.p_value)}"
    if not decidable(change.images, pairs=1):
        return f"{changed}: with {images} no difference can be significant"
    if change.p_value < ALPHA:
        return f"{changed}: {'better' if change.difference > 0 else 'worse'} by {size} ({span})"
    return f"{changed}: no significant difference ({span})"


def doubling(gain: Share | None, images: int) -> str:
    """What doubling the training images would gain, in one sentence without a full stop.

    Args:
        gain: in accuracy; None where the learning curve has too few points to extrapolate.
        images: in the test split.
    """
    if gain is None:
        return "too few training images to draw a learning curve"
    value = f"{points(gain.value, images)} points"
    span = _interval(gain.low, gain.high, images)
    if gain.low > 0:
        return f"doubling the training images would gain about {value} ({span})"
    return f"doubling the training images would bring no significant gain ({value}, {span})"


def _interval(low: float, high: float, images: int) -> str:
    return f"95 % interval {points_range(low, high, images)}"


def _other(name: str, duel: Comparison) -> str:
    return duel.second if duel.first == name else duel.first


def _listed(names: list[str], word: str) -> str:
    """Strategies in a sentence: "a", "a or b", "a, b or c"."""
    *others, last = map(strategy_in_words, names)
    return f"{', '.join(others)} {word} {last}" if others else last
