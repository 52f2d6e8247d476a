"""What the documents name is there: files, rooms, pages that are linked, and the length that a person reads."""

import re
from pathlib import Path

import pytest

from tests.pipeline import ROOT
from tests.test_rooms import ORDER

DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted(ROOT.glob("docs/*.md"))]
# A path of this project in backticks, without placeholders.
NAMED = re.compile(r"`((?:stages|headstart|tests|docs|benchmarks|presets|data/catalog|\.github)/[\w./-]+\.\w+)`")


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    targets = [target for target in re.findall(r"\]\(([^)#]+)[^)]*\)", text) if "://" not in target]
    assert [target for target in targets if not (path.parent / target).exists()] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_files_that_are_named_exist(path: Path) -> None:
    named = NAMED.findall(path.read_text(encoding="utf-8"))
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_the_readme_is_short_and_links_every_page() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 170
    assert [page.name for page in DOCUMENTS[3:] if f"(docs/{page.name})" not in text] == []


def test_contributors_see_every_room_in_the_order_of_imports() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    table = text[text.index("| room |") : text.index("After adding")]
    assert tuple(re.findall(r"^\| `(\w+)`", table, re.MULTILINE)) == ORDER


def test_contributors_find_what_the_map_names() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    table = text[text.index("Where is …?") : text.index("## Adding things")]
    named = re.findall(r"`([\w/]+\.py)`, `(?:\w+\.)?(\w+)`", table)
    assert len(named) >= 7
    assert [(file, name) for file, name in named if f"def {name}(" not in (ROOT / file).read_text("utf-8")] == []
