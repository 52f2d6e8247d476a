"""Every command that a document shows is run, in the document's order, in a clone where everything is small.

Pictures are generated, where the documents say that a reader has some; weights are random, trainings take an epoch.
"""

import re
import shlex
import shutil
import subprocess
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from headstart.settings import params
from headstart.settings.schema import Params
from tests import clones, documents
from tests.documents import Command
from tests.once import made_once
from tests.pictures import encode, fill, jpeg
from tests.pipeline import ROOT

DOCUMENTS = ["README.md", *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md")))]

# Commands that can't be run here, to the letter, each with the reason.
NOT_RUN = {
    "make test    # set up, check style and types, run the tests": "runs this test",
    "dvc exp run -S prepare.source=data/catalog/tf_flowers.yaml": "downloads 229 MB",
    "python -m benchmarks.protocol --images data/sources/dogs-vs-cats.zip --train 128 --validation 64 --test 128 \\\n"
    "    --precision auto float32 --repeats 3": "takes an hour; tests/test_benchmarks.py runs it",
    "python -m benchmarks.presets --images ~/pictures/ants-bees/train \\\n"
    "    --all 'prepare.train=0.6 prepare.validation=0.39 prepare.test=0.01' \\\n"
    "    'as it is' 'train_head.scaling=none train_augmented.scaling=none' extract_features.fit=crop "
    "extract_features.image_size=224": "takes many minutes; tests/test_benchmarks.py runs it",
}

# What is another place, or a smaller number, here. In the order in which it is replaced.
REPLACED = {
    "https://example.org/team/birds.git": "{home}/birds.git",
    "explain.filters=24": "explain.filters=2",
    "explain.steps=60": "explain.steps=2",
    # The layers whose filters are shown here are of VGG16.
    "extract_features.image_size=160": "extract_features.image_size=72 -S explain.layers=auto",
}

# What a reader has done before a command, by how that begins; {last} is its last word.
_COMMITTED = "git add --all && git commit --quiet --allow-empty --message 'a run'"
BEFORE = {
    "headstart compare HEAD some-exp": f"{_COMMITTED} && git branch --force {{last}}",
    # What is in the file decides, not its name.
    "dvc exp run -S backbone.weights=retina": "cp data/weights/base.npz retina.weights.h5",
    "git clone ": f"{_COMMITTED} && git push --quiet origin HEAD",
}

# Of every preset, so that a copy of one is small as well.
SMALL: Mapping[str, Mapping[str, Any]] = {
    "prepare": {"source": "data/sources/clothes.zip", "train": 4, "validation": 3, "test": 3},
    "backbone": {"weights": "random"},
    "extract_features": {"image_size": 32, "views": 1},
    "train_scratch": {"architecture": "convnet_small", "image_size": 20, "epochs": 1},
    "train_scratch_augmented": {"architecture": "convnet_small", "image_size": 20, "epochs": 1},
    "train_head": {"units": 4, "epochs": 1},
    "train_augmented": {"units": 4, "epochs": 1},
    "finetune": {"epochs": 1},
    "evaluate": {"learning_curve": [1.0], "curve_repeats": 1},
    "explain": {"layers": ["block1_conv1"], "channels": 2, "filters": 1, "steps": 1, "answers": 1},
}
CLASSES = ("bag", "coat")
CATS = ("manx", "siamese")
XRAYS = ("NORMAL", "PNEUMONIA")
SECONDS = 600
SETTLED = 300


def pictures(folder: Path, first: int = 1368, count: int = 10) -> Path:
    """Pictures of two classes, of the numbers that the documents name."""
    random = np.random.default_rng(seed=first)
    for place, name in enumerate(CLASSES):
        (folder / name).mkdir(parents=True)
        for number in range(first, first + count):
            picture = random.integers(0, 120, (28, 28, 3), np.uint8)
            picture[..., place] += 120
            (folder / name / f"{number:05}.png").write_bytes(encode(picture, "PNG"))
    return folder


def shrink(preset: Path) -> None:
    values = params.read(preset)
    for section, changes in SMALL.items():
        values[section] |= changes
    preset.write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")


class Reader:
    """Someone who follows the documents, at home in a folder of their own.

    Attributes:
        home: their home folder, with pictures in it.
        clone: their clone of the project.
    """

    def __init__(self, home: Path, path: str) -> None:
        self.home = home
        self.clone = home / "headstart"
        self._path = path

    @property
    def environment(self) -> dict[str, str]:
        surroundings = clones.environment(self.clone)
        return {
            **surroundings,
            "PATH": self._path,
            "HOME": str(self.home),
            "PAGER": "cat",
            "COLUMNS": "200",
        }

    def run(self, command: str) -> str:
        """Run a line of bash in the clone."""
        done = self.attempt(command)
        assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}"
        return done.stdout.rpartition("\n")[0].rpartition("\n")[0] + "\n"

    def attempt(self, command: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run a line of bash, in the clone or another folder; the last line of the output is where it ended."""
        return subprocess.run(
            ["bash", "-c", f"trap pwd EXIT\n{command}"],
            cwd=folder or self.clone,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=SECONDS,
        )

    def queued(self) -> list[str]:
        """Revisions of what waits in DVC's queue."""
        return re.findall(r"^([0-9a-f]{7,}) .*Queued", self.run("dvc queue status"), re.MULTILINE)


@pytest.fixture(scope="session")
def finished(warm_path: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a reader whose clone has been run and committed."""
    return made_once(tmp_path_factory, "documented", partial(_finish, path=warm_path)) / "home"


def _finish(folder: Path, path: str) -> None:
    reader = Reader(folder / "home", path)
    clones.make(reader.clone)
    for preset in (reader.clone / "presets").glob("*.yaml"):
        shrink(preset)
    shutil.copy(reader.clone / "presets" / "quick.yaml", reader.clone / "params.yaml")
    # Of ten of each class there would be folds, with six trainings of each strategy.
    pictures(reader.home / "pictures" / "birds", first=0, count=9)
    pictures(reader.home / "pictures" / "new", first=50, count=2)
    cats = {f"{kind}_{n}.jpg": jpeg(n + 9 * len(kind)) for kind in CATS for n in range(9)}
    fill(reader.home / "pictures" / "cats", cats)
    x_rays = {f"{kind}/person{n // 3}_{n}.jpg": jpeg(n + 100 * len(kind)) for kind in XRAYS for n in range(24)}
    fill(reader.home / "pictures" / "x-rays", x_rays)
    clothes = pictures(reader.home / "clothes")
    shutil.copy(clothes / CLASSES[0] / "01377.png", reader.clone / "photo.jpg")
    (reader.clone / ".git" / "info" / "exclude").write_text(".venv\nphoto.jpg\n", encoding="utf-8")
    reader.run("git add --all && git commit --quiet --message 'as it is'")
    reader.run(f"headstart add {clothes}")
    reader.run(f"git init --quiet --bare {reader.home}/birds.git && git remote add origin {reader.home}/birds.git")
    reader.run(f"dvc remote add --default mine {reader.home}/mine")
    reader.run("dvc repro && git add --all && git commit --quiet --message 'a run' && git push --quiet origin HEAD")


@pytest.fixture
def reader(finished: Path, warm_path: str, tmp_path: Path) -> Reader:
    """A reader in a copy of that home."""
    home = tmp_path / "home"
    # The environment of the copied clone belongs to the worker that made it.
    shutil.copytree(finished, home, symlinks=True, ignore=shutil.ignore_patterns(".venv"))
    found = Reader(home, warm_path)
    found.run(f"make setup && git remote set-url origin {home}/birds.git && dvc remote modify mine url {home}/mine")
    found.run("git commit --quiet --all --message 'moved'")
    return found


def here(command: Command, home: Path) -> str:
    """A command with what is another place or a smaller number here."""
    text = command.text
    for old, new in REPLACED.items():
        text = text.replace(old, new.format(home=home))
    return text


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_command_of_a_document_works(reader: Reader, document: str) -> None:
    place, block = reader.clone, 0
    for command in documents.commands(ROOT / document, document):
        if command.block != block:
            place, block = reader.clone, command.block
        if command.text in NOT_RUN:
            continue
        text = here(command, reader.home)
        for beginning, preparation in BEFORE.items():
            if text.startswith(beginning):
                reader.run(preparation.replace("{last}", shlex.split(text, comments=True)[-1]))
        waiting = reader.queued() if "--queue" in text else []
        if text.startswith("dvc queue start"):
            keep_one(reader)
        done = reader.attempt(text, place)
        assert done.returncode == 0, f"{command}\nended with {done.returncode}:\n{done.stdout[-3000:]}"
        place = Path(done.stdout.splitlines()[-1])
        if "--queue" in text:
            check_queued(reader, command, [name for name in reader.queued() if name not in waiting])
        if text.startswith("dvc queue start"):
            settle(reader, command)


def check_queued(reader: Reader, command: Command, names: list[str]) -> None:
    """What was queued has parameters that a run would take; the first of it is run with `dvc queue start`."""
    assert names, f"{command}\nqueued nothing"
    for name in names:
        values = params.parse(reader.run(f"git show {name}:params.yaml"))
        params.check(values, Params, Path(str(command)))


def keep_one(reader: Reader) -> None:
    """Take all but one out of the queue: one run shows that the queue works."""
    if others := reader.queued()[1:]:
        reader.run(f"dvc queue remove {' '.join(others)}")


def settle(reader: Reader, command: Command) -> None:
    """Wait until what was started from the queue has ended, and well."""
    deadline = time.monotonic() + SETTLED
    while re.search("Queued|Running", status := reader.run("dvc queue status")):
        assert time.monotonic() < deadline, f"{command}\n{status}"
        time.sleep(1)
    assert "Success" in status, f"{command}\n{status}"
    assert "Failed" not in status, f"{command}\n{status}"


def test_what_is_not_run_is_in_a_document() -> None:
    shown = {command.text for document in DOCUMENTS for command in documents.commands(ROOT / document, document)}
    assert set(NOT_RUN) <= shown
    for old in REPLACED:
        assert any(old in text for text in shown), old
    for beginning in BEFORE:
        assert any(text.startswith(beginning) for text in shown), beginning
