"""Fit a logistic regression to the frozen base's features, averaged over positions and standardised: a linear probe."""

from headstart.foundation.entry import run_stage
from headstart.settings.params import load
from headstart.training import heads, probe
from headstart.training.context import begin


def main() -> None:
    """Read params.yaml and the features, fit, write the model and its history."""
    params = load()
    probe.train(begin("probe", params, heads.files(params.test_time_flip)))


if __name__ == "__main__":
    run_stage(main, __doc__)
