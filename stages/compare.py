"""Print the comparison again: the table of strategies, and which differences between them are real."""

from stages.core import evaluation, paths, predictions, strategy, summary, timing
from stages.core.entry import run


def main() -> int:
    """Read what evaluate wrote and print it."""
    metrics = evaluation.read()
    answers = {name: predictions.read(paths.METRICS / name / "predictions.csv") for name in metrics}
    seconds = {name: timing.recall(name, strategy.digest(paths.MODELS / name)) for name in metrics}
    summary.show(metrics, answers, seconds)
    return 0


if __name__ == "__main__":
    run(main)
