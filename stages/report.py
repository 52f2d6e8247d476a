"""Print the comparison, and write it as one page, plots/report.html, to read and to send to a colleague.

It computes nothing: everything comes from what the other stages left.
"""

from headstart.foundation import paths
from headstart.foundation.entry import run_stage
from headstart.models.strategies import STRATEGIES
from headstart.page import page, provenance, summary
from headstart.scoring import cost, predictions, results


def main() -> None:
    """Print the table and the verdicts, write the page and say where it is."""
    metrics = results.read()
    predicted = {name: predictions.read(paths.METRICS / name / "predictions.csv") for name in metrics}
    seconds = {name: cost.training_seconds(name) for name in metrics}
    summary.show(metrics, predicted, seconds, results.repeats(metrics))
    provenance.show(provenance.of_run(STRATEGIES))
    print(f"The page: {page.write()}")


if __name__ == "__main__":
    run_stage(main, __doc__)
