"""One's own pictures, as the README says: from a folder to predictions elsewhere, with real git and DVC."""

import contextlib
import csv
import re
import shlex
from pathlib import Path

from tests import clones
from tests.clones import ran, run
from tests.pipeline import CLASSES, STAGES, TEST, TRAIN, VALIDATION, write_params, write_source

ARCHIVE = "data/sources/birds.zip"
POINTERS = ["A  data/sources/.gitignore", f"A  {ARCHIVE}.dvc"]


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def staged(folder: Path) -> list[str]:
    return [line for line in run(folder, "git", "status", "--porcelain").splitlines() if line.startswith("A ")]


def test_from_a_folder_to_predictions_elsewhere(tmp_path: Path, warm_path: str) -> None:
    clone = clones.make(tmp_path / "clone")
    run(clone, "make", "setup", PATH=warm_path)
    with contextlib.chdir(clone):
        write_params()
    clones.commit(clone)
    pictures = tmp_path / "my pictures"
    write_source(pictures)
    before = contents(pictures)
    (clone / "mine.txt").write_text("staged", encoding="utf-8")
    run(clone, "git", "add", "mine.txt")

    told = run(clone, "headstart", "add", str(pictures), "--name", "birds")
    archive = (clone / ARCHIVE).read_bytes()
    assert staged(clone) == [*POINTERS, "A  mine.txt"]
    # The settings are the test's own, so that they stay: what is printed then runs them on these pictures.
    committing, running = re.findall(r"^  ((?:git|dvc) .+)$", told, re.MULTILINE)
    run(clone, *shlex.split(committing))
    assert staged(clone) == ["A  mine.txt"]
    assert set(ran(run(clone, *shlex.split(running)))) == set(STAGES)
    assert (clone / ARCHIVE).read_bytes() == archive
    assert (clone / "mine.txt").read_text(encoding="utf-8") == "staged"
    assert "birds.zip" in (clone / "params.yaml").read_text(encoding="utf-8")

    # In the queue's folder, an experiment finds what git and DVC know.
    clones.experiments_at_once(clone, {"queued": "explain.filters=3"})
    assert ran(run(clone, "dvc", "queue", "logs", "queued")) == ["explain", "report"]
    compared = run(clone, "headstart", "compare", "queued", "--strategy", "head")
    assert compared.startswith("head: ")
    assert (clone / ARCHIVE).read_bytes() == archive

    run(clone, "dvc", "remote", "add", "--default", "store", str(tmp_path / "store"))
    clones.commit(clone)
    run(clone, "dvc", "push")
    run(clone, "dvc", "gc", "--workspace", "--force")
    (clone / ARCHIVE).unlink()
    run(clone, "dvc", "checkout", f"{ARCHIVE}.dvc")
    assert (clone / ARCHIVE).read_bytes() == archive
    assert contents(pictures) == before

    elsewhere = tmp_path / "elsewhere" / "clone"
    run(tmp_path, "git", "clone", "--quiet", str(clone), str(elsewhere))
    run(elsewhere, "make", "setup", PATH=warm_path)
    run(elsewhere, "dvc", "pull")
    assert (elsewhere / ARCHIVE).read_bytes() == archive
    assert run(elsewhere, "dvc", "status") == "Data and pipelines are up to date.\n"
    run(elsewhere, "headstart", "predict", str(pictures), "--output", "said.csv")
    with (elsewhere / "said.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(CLASSES) * (TRAIN + VALIDATION + TEST)
    assert {row["predicted"] for row in rows} <= set(CLASSES)
    assert contents(pictures) == before
