"""A full disk, limits, lost rights and lost mounts: one line, what was there stays, mending is all that it takes.

Stages run in this process, in a project on a small disk of its own, which takes the right to mount one.
"""

import contextlib
import os
import re
import resource
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from headstart.foundation import entry, paths
from headstart.images import manifest
from tests.pictures import encode, fill, pixels
from tests.pipeline import STAGES, Finished, outputs, run, write_params
from tests.test_kill_stages import contents, take_away

pytest_plugins = ["tests.pipeline_fixtures"]

SIDES = (("cat", 300), ("dog", 301))
RESULTS = ("data", "metrics", "models", "plots")
FULL = r"(.*: )?the disk is full: free some space and run it again"
SHORT = r"data/.*: .* GB are needed and 0\.0 GB are free: free some space, or lower extract_features\.views .*"
TOO_LARGE = r"(.*: )?a file is too large for its disk or for a limit: use another disk, or raise the limit"
READ_ONLY = r".*: the file system is read-only: make it writable and run it again"
DENIED = r".*: permission denied: make it accessible and run it again"

# A stage as its command runs it: its exit code, and what it says on stderr.
End = Callable[[str], tuple[int | str | None, str]]


@contextmanager
def mounted(folder: Path) -> Iterator[Path]:
    """A small disk at ``folder``."""
    folder.mkdir()
    try:
        subprocess.run(["mount", "-t", "tmpfs", "none", folder], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("mounting is not permitted")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=False, capture_output=True)


def remount(disk: Path, options: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{options}", disk], check=True)


@pytest.fixture
def disk(finished: Finished, tmp_path: Path) -> Iterator[Path]:
    """A disk with the finished project, which is the current folder."""
    with mounted(tmp_path / "disk") as folder:
        shutil.copytree(finished.folder, folder / "project")
        with contextlib.chdir(folder / "project"):
            yield folder


@pytest.fixture
def end(capsys: pytest.CaptureFixture[str]) -> End:
    def ended(stage: str) -> tuple[int | str | None, str]:
        def main() -> int:
            run(stage)
            return 0

        capsys.readouterr()
        with pytest.raises(SystemExit) as caught:
            entry.run(main)
        return caught.value.code, capsys.readouterr().err

    return ended


def check(stage: str, end: End, trouble: Callable[[int], contextlib.AbstractContextManager[None]], line: str) -> None:
    """Run a stage in trouble, which is made from the size of its results, and once more without.

    It must say the line, leave all else as it was and no half result, and go on to the same bytes.
    """
    here = Path()
    expected = contents(stage, here)
    take_away(stage, here)
    before = outputs(*RESULTS)
    with trouble(sum(map(len, expected.values()))):
        code, told = end(stage)
    assert code == 1, told
    assert "Traceback" not in told
    errors = [part for part in re.split(r"[\r\n]+", told) if part.startswith("error: ")]
    assert len(errors) == 1, told
    assert told.endswith(f"{errors[0]}\n")
    assert re.fullmatch(f"error: {line}", errors[0])
    after = {name: content for name, content in outputs(*RESULTS).items() if not name.startswith("data/working/")}
    assert not [name for name in after if ".partial" in name]
    assert {name: content for name, content in after.items() if name in before} == before
    assert all(expected[name] == content for name, content in after.items() if name in expected)
    assert end(stage)[0] == 0
    assert contents(stage, here) == expected


def check_full_disk(disk: Path, stage: str, end: End, part: float) -> None:
    @contextmanager
    def full(size: int) -> Iterator[None]:
        remount(disk, f"size={shutil.disk_usage(disk).used + int(part * size)}")
        yield
        remount(disk, "size=10G")

    check(stage, end, full, f"({FULL}|{SHORT})")


@pytest.mark.parametrize("stage", ["prepare", "extract_features", "train_head", "report"])
def test_a_full_disk(disk: Path, stage: str, end: End) -> None:
    # Each stage at another moment.
    check_full_disk(disk, stage, end, part=STAGES.index(stage) / len(STAGES))


@pytest.mark.slow
@pytest.mark.parametrize("part", [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.99])
@pytest.mark.parametrize("stage", STAGES)
def test_a_disk_that_is_full_at_any_moment(disk: Path, stage: str, end: End, part: float) -> None:
    check_full_disk(disk, stage, end, part)


@pytest.mark.slow
@pytest.mark.parametrize("part", [0.01, 0.3, 0.7])
@pytest.mark.parametrize("stage", STAGES)
def test_a_limit_to_the_size_of_files(disk: Path, stage: str, end: End, part: float) -> None:
    largest = max(map(len, contents(stage, Path()).values()))

    @contextmanager
    def limited(size: int) -> Iterator[None]:
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(part * largest), hard))
        yield
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    check(stage, end, limited, TOO_LARGE)


def check_read_only(disk: Path, stage: str, end: End) -> None:
    @contextmanager
    def read_only(size: int) -> Iterator[None]:
        remount(disk, "ro")
        yield
        remount(disk, "rw")

    check(stage, end, read_only, READ_ONLY)


@pytest.mark.parametrize("stage", ["prepare", "train_head"])
def test_a_read_only_disk(disk: Path, stage: str, end: End) -> None:
    check_read_only(disk, stage, end)


@pytest.mark.slow
@pytest.mark.parametrize("stage", STAGES)
def test_a_read_only_disk_for_every_stage(disk: Path, stage: str, end: End) -> None:
    check_read_only(disk, stage, end)


def test_folders_that_may_not_be_written(finished: Finished, as_nobody: Path, end: End) -> None:
    """With the rights of an ordinary user, in folders of somebody else."""

    @contextmanager
    def locked(size: int) -> Iterator[None]:
        for folder in folders:
            folder.chmod(0o555)
        yield
        for folder in folders:
            folder.chmod(0o755)

    # Read with the rights of root, if that is who runs the tests, written with those of nobody.
    with _as_root():
        shutil.copytree(finished.folder, as_nobody / "project")
        for path in [as_nobody / "project", *(as_nobody / "project").rglob("*")]:
            os.chown(path, *os.stat(as_nobody)[4:6])
    with contextlib.chdir(as_nobody / "project"):
        folders = [Path("metrics"), *Path("metrics").iterdir(), Path("models")]
        folders = [folder for folder in folders if folder.is_dir()]
        check("train_head", end, locked, DENIED)


@contextmanager
def _as_root() -> Iterator[None]:
    user = os.geteuid()
    if os.getuid() == 0:
        os.seteuid(0)
    yield
    os.seteuid(user)


def test_a_source_that_is_unmounted_while_it_is_read(pipeline: Path, tmp_path: Path, end: End) -> None:
    staging = paths.PREPARED.with_name(".prepared.partial") / ".staging"
    with mounted(tmp_path / "stick") as stick:
        # So large that reading them takes a second.
        pictures = {f"{name}/{n}.png": encode(pixels(n, 300, side), "PNG") for n in range(200) for name, side in SIDES}
        fill(stick, pictures)
        write_params(prepare__source=str(stick), prepare__train=180, prepare__validation=10, prepare__test=10)

        def pull_out() -> None:
            while not staging.exists() or len(list(staging.iterdir())) < 10:
                time.sleep(0.005)
            subprocess.run(["umount", "--lazy", stick], check=True)

        before = outputs(*RESULTS)
        with ThreadPoolExecutor() as pool:
            pulled = pool.submit(pull_out)
            code, told = end("prepare")
            pulled.result()
        assert code == 1
        line = rf"{stick}: can't read .* \(No such file or directory\): check that it is there, mounted and readable"
        assert re.fullmatch(f"error: {line}", told.splitlines()[-1])
        assert outputs(*RESULTS) == before
        subprocess.run(["mount", "-t", "tmpfs", "none", stick], check=True)
        fill(stick, pictures)
        assert end("prepare")[0] == 0
        assert len(manifest.read(paths.MANIFEST)) == len(pictures)


def test_memory_that_tensorflow_does_not_get(tensorflow: None, capsys: pytest.CaptureFixture[str]) -> None:
    import tensorflow as tf

    def main() -> int:
        tf.zeros((1 << 20, 1 << 20))
        return 0

    with pytest.raises(SystemExit) as caught:
        entry.run(main)
    assert caught.value.code == 1
    line = "error: out of memory: free some, or lower the batch_size of this stage in params.yaml\n"
    assert capsys.readouterr().err == line
