"""Fixtures around plans; test modules get them by ``pytest_plugins = ["tests.planning.fixtures"]``."""

import contextlib

import pytest

from headstart.planning import counts, measuring
from headstart.settings import params
from tests.pipeline import Finished
from tests.planning.small import Small

pytest_plugins = ["tests.pipeline_fixtures"]


@pytest.fixture(scope="session")
def small(finished: Finished) -> Small:
    """Everything that a plan for the finished pipeline is made of."""
    with contextlib.chdir(finished.folder):
        settings = params.load()
        found = counts.count(settings, prepared=False)
        with pytest.MonkeyPatch.context() as patch:
            # There are no stages in the pipeline's folder.
            patch.setattr(measuring, "_start_python", lambda: None)
            return Small(finished, settings, found, measuring.measure(settings, found))
