"""Work counts as long as the code of its own stage and the libraries are the same."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from headstart.foundation import code, versions
from headstart.foundation.resume import Resumable
from tests.pipeline import ROOT


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the project's code, which may be changed."""
    for name in ("headstart", "stages"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "dvc.yaml", tmp_path)
    monkeypatch.setattr(code, "_PROJECT", tmp_path)
    monkeypatch.chdir(tmp_path)
    code.digest.cache_clear()
    yield tmp_path
    code.digest.cache_clear()


def digests() -> dict[str, str]:
    """What a new process finds of some stages, and of what is none."""
    code.digest.cache_clear()
    return {
        stage: code.digest(stage) for stage in ("extract_features", "train_head", "finetune", "evaluate", "benchmark")
    }


def changed_by(file: Path, text: str) -> set[str]:
    before = digests()
    file.parent.mkdir(exist_ok=True)
    with file.open("a", encoding="utf-8") as opened:
        opened.write(text)
    after = digests()
    return {stage for stage, found in after.items() if found != before[stage]}


def test_a_comment_in_the_wording_of_the_page_throws_nothing_away(project: Path) -> None:
    changed = changed_by(project / "headstart/page/verdicts.py", "# A comment.\n")
    assert changed == {"benchmark"}


def test_a_change_of_the_loop_throws_trainings_away_and_nothing_else(project: Path) -> None:
    changed = changed_by(project / "headstart/training/training.py", "# A comment.\n")
    assert changed == {"train_head", "finetune", "benchmark"}


def test_a_stage_depends_on_its_own_module(project: Path) -> None:
    assert changed_by(project / "stages/finetune.py", "# A comment.\n") == {"finetune"}


def test_a_room_counts_with_all_that_lies_in_it_but_what_python_compiles(project: Path) -> None:
    text = (project / "dvc.yaml").read_text(encoding="utf-8")
    defined = yaml.safe_load(text)
    defined["stages"]["finetune"]["deps"] = ["data/prepared", "headstart/training", "stages/finetune.py"]
    (project / "dvc.yaml").write_text(yaml.safe_dump(defined), encoding="utf-8")
    assert "finetune" in changed_by(project / "headstart/training/new.py", "")
    assert "finetune" in changed_by(project / "headstart/training/text.j2", "words")
    assert changed_by(project / "headstart/training/__pycache__/new.cpython-311.pyc", "compiled") == set()
    assert "finetune" not in changed_by(project / "headstart/page/page.py", "# A comment.\n")


@pytest.mark.parametrize("package", versions.PACKAGES)
def test_an_upgrade_throws_everything_away(project: Path, monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    state = Resumable("train_head", (), [])
    state.write({"steps": 3})
    before = code.digest("train_head")
    installed = project / "site" / f"{package.replace('-', '_')}-99.1.dist-info"
    installed.mkdir(parents=True)
    (installed / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 99.1\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(project / "site"))
    assert versions.installed([package]) == {package: "99.1"}
    code.digest.cache_clear()
    assert code.digest("train_head") != before
    assert Resumable("train_head", (), []).read() == {}


def test_a_process_computes_with_the_code_that_it_began_with(project: Path) -> None:
    before = code.digest("finetune")
    with (project / "stages/finetune.py").open("a", encoding="utf-8") as file:
        file.write("# A comment.\n")
    assert code.digest("finetune") == before
