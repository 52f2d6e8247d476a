"""The page in a real browser, at a phone's and a desk's width, light and dark.

Where no Chromium is installed these tests are skipped, except in CI, where it must be.
"""

import io
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from headstart.page import page
from tests import chromium
from tests.reports import example, usual

pytestmark = pytest.mark.skipif(
    chromium.find() is None and not os.environ.get("CI"), reason="no Chromium: apt-get install chromium"
)

WIDTHS = (360, 1200)


@pytest.fixture(scope="module")
def browser() -> Iterator[chromium.Browser]:
    with chromium.browser() as running:
        yield running


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(page.render(usual()), encoding="utf-8")
    return path


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", WIDTHS)
def test_it_loads_without_a_complaint_and_fits(
    browser: chromium.Browser, written: Path, width: int, dark: bool
) -> None:
    browser.complaints.clear()
    browser.open(written, width, dark)
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    assert browser.evaluate("[...document.images].every(image => image.complete && image.naturalWidth > 0)")
    assert browser.evaluate(
        "[...document.querySelectorAll('svg')].every(one => one.getBoundingClientRect().height > 90)"
    )
    assert browser.complaints == []


def test_its_numbers_are_those_of_the_metrics(browser: chromium.Browser, written: Path) -> None:
    browser.open(written, WIDTHS[1])
    for name, row in usual().metrics.items():
        for metric in ("accuracy", "log_loss", "roc_auc", "f1", "calibration_error"):
            cell = f"document.getElementById('{name}-{metric}')"
            assert float(browser.evaluate(f"{cell}.querySelector('data').value")) == row[metric]
            shown = browser.evaluate(f"{cell}.querySelector('data').innerText")
            expected = f"{100 * row[metric]:.1f}\N{NO-BREAK SPACE}%" if metric == "accuracy" else f"{row[metric]:.3f}"
            assert shown == expected


@pytest.mark.parametrize("width", WIDTHS)
def test_charts_stay_legible(browser: chromium.Browser, written: Path, width: int) -> None:
    """Letters of a chart grow and shrink with it: 7.5 pixels is the least, as high as the smallest print."""
    browser.open(written, width)
    sizes = browser.evaluate(
        "[...document.querySelectorAll('svg')].flatMap(one => [...one.querySelectorAll('text')].map("
        "text => parseFloat(getComputedStyle(text).fontSize) * one.getScreenCTM().a))"
    )
    assert len(sizes) > 100
    assert min(sizes) >= 7.5
    assert max(sizes) <= 16


def test_letters_stand_out_from_what_is_behind_them(browser: chromium.Browser, written: Path) -> None:
    """WCAG 2.1, 1.4.3: a contrast of 4.5, light and dark, for text on the page and on its cards."""
    for dark in (False, True):
        browser.open(written, WIDTHS[0], dark)
        colours = browser.evaluate(
            "['page', 'card', 'ink', 'muted', 'accent'].map(name => {"
            "const probe = document.createElement('i'); probe.style.color = `var(--${name})`;"
            "document.body.append(probe); return getComputedStyle(probe).color.match(/\\d+/g).map(Number)})"
        )
        page_colour, card, *letters = (_luminance(colour) for colour in colours)
        for behind in (page_colour, card):
            for ink in letters:
                light, dim = max(behind, ink), min(behind, ink)
                assert (light + 0.05) / (dim + 0.05) >= 4.5


def test_dark_is_dark_and_light_is_light(browser: chromium.Browser, written: Path) -> None:
    means = []
    for dark in (False, True):
        browser.open(written, WIDTHS[0], dark)
        with Image.open(io.BytesIO(browser.screenshot())) as image:
            means.append(np.asarray(image.convert("L")).mean())
    assert means[0] > 180 > 90 > means[1]


def test_hostile_names_do_not_break_the_layout_or_run(browser: chromium.Browser, tmp_path: Path) -> None:
    names = ("<script>document.title='run'</script>", "x" * 300, "<img src=x onerror=\"document.title='run'\">", "猫")
    path = tmp_path / "report.html"
    path.write_text(page.render(example(classes=names, images=120)), encoding="utf-8")
    browser.complaints.clear()
    browser.open(path, WIDTHS[0])
    assert browser.evaluate("document.title") == "pets: strategies compared"
    assert browser.evaluate("document.documentElement.scrollWidth") <= WIDTHS[0]
    assert browser.complaints == []


def test_no_script_would_run(browser: chromium.Browser, tmp_path: Path) -> None:
    """That the policy holds, even if something had slipped through."""
    path = tmp_path / "report.html"
    source = page.render(usual()).replace("</body>", "<script>document.title = 'run'</script></body>")
    path.write_text(source, encoding="utf-8")
    browser.open(path, WIDTHS[0])
    assert browser.evaluate("document.title") == "pets: strategies compared"
    assert any("Content Security Policy" in complaint for complaint in browser.complaints)
    browser.complaints.clear()


def _luminance(colour: list[int]) -> float:
    """Relative luminance of an sRGB colour, 0 to 255 a channel (WCAG 2.1)."""
    channels = [value / 255 for value in colour]
    linear = [value / 12.92 if value <= 0.03928 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return float(np.dot([0.2126, 0.7152, 0.0722], linear))
