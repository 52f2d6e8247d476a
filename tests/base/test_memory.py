"""Limits that TensorFlow would break on are found before it starts."""

import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from headstart.base.memory import control_group_limit

ROOT = Path(__file__).parents[2]
CODE = (
    "from headstart.foundation import entry; from headstart.base import runtime;"
    " entry.run(lambda: runtime.start(0) or 0)"
)
GROUPS = Path("/sys/fs/cgroup/memory")


def start(**options: object) -> tuple[int, str]:
    """Exit code and stderr of a process that starts TensorFlow."""
    done = subprocess.run(
        [sys.executable, "-c", CODE], cwd=ROOT, capture_output=True, text=True, check=False, **options
    )  # type: ignore[call-overload]
    return done.returncode, done.stderr


def test_too_little_address_space_is_told() -> None:
    limit = 1_500_000_000
    assert start(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit))) == (
        1,
        "error: the address space of this process is limited to 1.5 GB and TensorFlow with the base takes 2.6 GB at "
        "the least: raise the limit of `ulimit -v`\n",
    )


@pytest.fixture
def group() -> Iterator[Path]:
    """A control group that limits memory."""
    folder = GROUPS / "headstart-test"
    try:
        folder.mkdir()
    except OSError:
        pytest.skip("control groups of the first version are not permitted here")
    try:
        (folder / "memory.limit_in_bytes").write_text("300000000")
        yield folder
    finally:
        folder.rmdir()


def test_too_little_memory_is_told(group: Path) -> None:
    def join() -> None:
        (group / "cgroup.procs").write_text("0")

    code, told = start(preexec_fn=join)
    assert (code, told) == (
        1,
        "error: the memory of this process is limited to 0.3 GB and TensorFlow with the base takes 0.6 GB at the "
        "least: raise the limit of the control group, such as a container's\n",
    )


@pytest.mark.parametrize(
    ("names", "limits", "expected"),
    [
        ("0::/user/me\n", {"user/memory.max": "4000", "user/me/memory.max": "max"}, 4000),
        ("0::/user/me\n", {"user/memory.max": "4000", "user/me/memory.max": "3000"}, 3000),
        # A container, which is told its path on the host.
        ("0::/docker/abc\n", {"memory.max": "2000"}, 2000),
        ("5:cpu:/a\n4:memory,rdma:/a\n0::/\n", {"memory/a/memory.limit_in_bytes": "1000"}, 1000),
        ("4:memory:/\n", {"memory/memory.limit_in_bytes": str(2**63 - 4096)}, 2**63 - 4096),
        ("5:cpu:/a:b\n0::/\n", {}, None),
        ("", {"memory.max": "1"}, None),
    ],
)
def test_the_smallest_limit_counts(tmp_path: Path, names: str, limits: dict[str, str], expected: int | None) -> None:
    (tmp_path / "names").write_text(names)
    for name, limit in limits.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"{limit}\n")
    assert control_group_limit(tmp_path, tmp_path / "names") == expected


def test_systems_without_control_groups_have_no_limit(tmp_path: Path) -> None:
    assert control_group_limit(tmp_path, tmp_path / "none") is None
