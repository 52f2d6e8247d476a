"""The verdicts in words: which strategy to use, which differences are real, what more images would be worth."""

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
    score = f"{chosen} places {100 * answers[winner].accuracy:.1f} % of {images} right"
    if not comparisons:
        return f"{score}; no other strategy was scored"
    if not comparisons[0].decidable:
        return f"{score}, but so few can't tell any two strategies apart"
    duels = with_strategy(winner, comparisons)
    if all(duel.real and duel.first == winner for duel in duels):
        return f"{score} and beats {'the other strategy' if len(answers) == 2 else 'every other strategy'}"
    # The next best first: it is the one a reader would choose instead.
    duels.sort(key=lambda duel: -answers[_other(winner, duel)].accuracy)
    better = [_other(winner, duel) for duel in duels if duel.real and duel.second == winner]
    equals = [_other(winner, duel) for duel in duels if not duel.real]
    reservations = [f"is beaten by {_listed(better, 'and')}"] if better else []
    reservations += [f"can't be told from {_listed(equals, 'or')} by this test"] if equals else []
    return f"{score}, but {' and '.join(reservations)}"


def detectable(comparisons: list[Comparison]) -> str:
    """The smallest differences that the test split could have shown, in one sentence without a full stop.

    Args:
        comparisons: at least one.
    """
    images = comparisons[0].images
    shown = count(images, "test image")
    sizes = [duel.detectable for duel in comparisons if duel.detectable is not None]
    if not sizes:
        return f"{shown} can show no difference between strategies"
    smallest, largest = points(min(sizes), images), points(max(sizes), images)
    span = smallest if smallest == largest else f"{smallest} to {largest}"
    return f"the smallest difference that {shown} would show in four tests of five: {span} points, by pair"


def comparison(duel: Comparison) -> str:
    """The comparison in one sentence, without a full stop."""
    first, second = strategy_in_words(duel.first), strategy_in_words(duel.second)
    images = count(duel.images, "image")
    size = f"{points(duel.difference, duel.images)} points"
    span = points_range(duel.low, duel.high, duel.images)
    if not duel.decidable:
        least = next(n for n in range(duel.images, 1000) if decidable(n, duel.pairs))
        return (
            f"{first} and {second}: {images} can show no difference, whatever the answers; at least {least} are needed"
        )
    if duel.real:
        return f"{first} beats {second} by {size}, {span}, {p_value(duel.p_holm)}"
    if duel.p_value < ALPHA:
        return (
            f"{first} and {second}: no difference that {images} can show once all {duel.pairs} pairs "
            f"are counted ({size}, {span}, {p_value(duel.p_holm)}; {p_value(duel.p_value)} by itself)"
        )
    return f"{first} and {second}: no difference that {images} can show ({size}, {span}, {p_value(duel.p_holm)})"


def revision(change: Revision) -> str:
    """The change in one sentence, without a full stop."""
    images = count(change.images, "image")
    size = f"{points(abs(change.difference), change.images)} points"
    changed = f"{len(change.fixed):,} fixed, {len(change.broken):,} broken"
    span = f"{points_range(change.low, change.high, change.images)}, {p_value(change.p_value)}"
    if not decidable(change.images, pairs=1):
        return f"{changed}: {images} can show no difference, whatever the answers"
    if change.p_value < ALPHA:
        return f"{changed}: {'better' if change.difference > 0 else 'worse'} by {size}, {span}"
    return f"{changed}: no difference that {images} can show ({span})"


def doubling(gain: Share | None, images: int) -> str:
    """What twice the training images would be worth, in one sentence without a full stop.

    Args:
        gain: in accuracy; None where one point of the learning curve says nothing of the next.
        images: in the test split.
    """
    if gain is None:
        return "too few training images to draw a learning curve"
    value = f"{points(gain.value, images)} points"
    span = points_range(gain.low, gain.high, images)
    if gain.low > 0:
        return f"doubling the training images would be worth about {value}: {span}"
    shown = count(images, "test image")
    return f"doubling the training images: no gain that {shown} can show ({value}: {span})"


def _other(name: str, duel: Comparison) -> str:
    return duel.second if duel.first == name else duel.first


def _listed(names: list[str], word: str) -> str:
    """Strategies in a sentence: "a", "a or b", "a, b or c"."""
    *others, last = map(strategy_in_words, names)
    return f"{', '.join(others)} {word} {last}" if others else last
