"""What several tests need."""

import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests import clones, warm_python

_NOBODY = 65534
_LONGEST = {"test_documented_commands", "test_end_to_end", "test_kill_stages", "test_road_of_own_images"}

# A shell has its background jobs ignore it, and what the tests start would do so as well.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# In every new repository, DVC would start a process that asks the internet for its newest version.
os.environ["DVC_TEST"] = "true"

# How long an example takes says how busy the machine is, and nothing about the code.
settings.register_profile("headstart", deadline=None)
settings.load_profile("headstart")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what takes minutes, unless it is asked for with ``-m slow``; begin with what takes longest.

    The last minutes of a run then have only short tests, which two workers can share.
    """
    if "slow" not in config.option.markexpr:
        slow = [item for item in items if item.get_closest_marker("slow")]
        config.hook.pytest_deselected(items=slow)
        items[:] = [item for item in items if item not in slow]
    items.sort(key=lambda item: item.path.stem not in _LONGEST)


@pytest.fixture
def as_nobody() -> Iterator[Path]:
    """A folder to fill, and from then on the rights of an ordinary user: root may read everything."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        root = os.geteuid() == 0
        if root:
            os.chown(folder, _NOBODY, _NOBODY)
            os.seteuid(_NOBODY)
        try:
            yield Path(folder)
        finally:
            if root:
                os.seteuid(0)
            for path in [Path(folder), *Path(folder).rglob("*")]:
                path.chmod(0o755)


@pytest.fixture(scope="session")
def warm_path(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PATH with a Python that has imported TensorFlow already, for what runs many stages."""
    with warm_python.running(tmp_path_factory.mktemp("warm")) as tools:
        yield os.pathsep.join([str(tools), clones.environment(tools)["PATH"]])
