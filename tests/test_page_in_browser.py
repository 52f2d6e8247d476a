"""The page in a real browser: a phone's, a tablet's and a desk's width, light and dark.

Where no Chromium is installed these tests are skipped, except in CI, where it must be.
"""

import contextlib
import dataclasses
import io
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

from headstart.page import page, strategy_names
from tests.reports import example, usual

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
# A quiet browser: nothing is fetched, updated or asked. Containers give shared memory too small for a long page.
OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)
PHONE, TABLET, DESK = WIDTHS = (390, 800, 1200)
# What sticks out of the window, or what its own box doesn't hold; half a pixel is rounding.
OVERFLOWING = """
() => [...document.body.querySelectorAll("*")].filter(element => !element.closest("svg")).filter(element =>
  element.getBoundingClientRect().right > innerWidth + 0.5 ||
  (element.clientWidth > 0 && element.scrollWidth > element.clientWidth)
).map(element => `${element.closest("section")?.id}: ${element.outerHTML.slice(0, 60)}`)
"""

pytestmark = pytest.mark.skipif(
    CHROMIUM is None and not os.environ.get("CI"), reason="no Chromium: apt-get install chromium"
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        yield running
        running.close()


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(page.render(usual()), encoding="utf-8")
    return path


class Shown:
    """A page that a browser shows, and what the browser had to complain about."""

    def __init__(self, tab: Page) -> None:
        self.tab = tab
        self.complaints: list[str] = []
        tab.on("console", self._console)
        tab.on("pageerror", lambda error: self.complaints.append(str(error)))
        tab.on("requestfailed", lambda request: self.complaints.append(f"did not load {request.url[:80]}"))
        tab.on("request", self._request)
        audits = tab.context.new_cdp_session(tab)
        audits.on("Audits.issueAdded", lambda issue: self.complaints.append(json.dumps(issue)))
        audits.send("Audits.enable")

    def evaluate(self, expression: str) -> Any:
        return self.tab.evaluate(expression)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("warning", "error"):
            self.complaints.append(message.text)

    def _request(self, request: Request) -> None:
        if not request.url.startswith(("file:", "data:")):
            self.complaints.append(f"asks for {request.url}")


@contextlib.contextmanager
def shown(browser: Browser, path: Path, width: int, dark: bool = False) -> Iterator[Shown]:
    """Show a file in a window of this width in CSS pixels, once all of it has loaded."""
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme="dark" if dark else "light")
    try:
        found = Shown(context.new_page())
        found.tab.goto(path.resolve().as_uri())
        yield found
    finally:
        context.close()


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", WIDTHS)
def test_it_loads_without_a_complaint(browser: Browser, written: Path, width: int, dark: bool) -> None:
    with shown(browser, written, width, dark) as found:
        assert found.evaluate("[...document.images].every(image => image.complete && image.naturalWidth > 0)")
        assert found.evaluate(
            "[...document.querySelectorAll('svg')].every(one => one.getBoundingClientRect().height > 90)"
        )
        assert found.complaints == []


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [*WIDTHS, 640, 896, 897, 900, 1024])
def test_nothing_is_wider_than_its_place(browser: Browser, written: Path, width: int, dark: bool) -> None:
    with shown(browser, written, width, dark) as found:
        assert found.evaluate(OVERFLOWING) == []


@pytest.mark.parametrize("width", WIDTHS)
def test_large_numbers_are_not_wider_either(browser: Browser, tmp_path: Path, width: int) -> None:
    large = {"trained_parameters": 1_234_567_890, "epochs": 100_000, "bytes": 987_654_321_000, "temperature": 1234.5}
    metrics = {name: {**row, **large} for name, row in usual().metrics.items()}
    path = tmp_path / "report.html"
    path.write_text(page.render(dataclasses.replace(usual(), metrics=metrics)), encoding="utf-8")
    with shown(browser, path, width) as found:
        assert found.evaluate(OVERFLOWING) == []


def test_on_a_phone_every_number_has_the_name_of_its_strategy(browser: Browser, written: Path) -> None:
    with shown(browser, written, PHONE) as found:
        for name in usual().metrics:
            label = f"getComputedStyle(document.getElementById('{name}-f1'), '::before').content"
            assert found.evaluate(label) == f'"{strategy_names.strategy_title(name)}"'
        assert found.evaluate("getComputedStyle(document.querySelector('.stacks thead')).display") == "none"
    with shown(browser, written, DESK) as found:
        assert found.evaluate("getComputedStyle(document.querySelector('.stacks thead')).display") != "none"


def test_its_numbers_are_those_of_the_metrics(browser: Browser, written: Path) -> None:
    with shown(browser, written, DESK) as found:
        for name, row in usual().metrics.items():
            for metric in ("accuracy", "log_loss", "roc_auc", "f1", "calibration_error"):
                cell = f"document.getElementById('{name}-{metric}')"
                assert float(found.evaluate(f"{cell}.querySelector('data').value")) == row[metric]
                said = found.evaluate(f"{cell}.querySelector('data').innerText")
                percent = f"{100 * row[metric]:.1f}\N{NO-BREAK SPACE}%"
                assert said == (percent if metric == "accuracy" else f"{row[metric]:.3f}")


@pytest.mark.parametrize("width", WIDTHS)
def test_charts_stay_legible(browser: Browser, written: Path, width: int) -> None:
    """Letters of a chart grow and shrink with it: 7.5 pixels is the least, as high as the smallest print."""
    with shown(browser, written, width) as found:
        sizes = found.evaluate(
            "[...document.querySelectorAll('svg')].flatMap(one => [...one.querySelectorAll('text')].map("
            "text => parseFloat(getComputedStyle(text).fontSize) * one.getScreenCTM().a))"
        )
    assert len(sizes) > 100
    assert min(sizes) >= 7.5
    assert max(sizes) <= 16


def test_letters_stand_out_from_what_is_behind_them(browser: Browser, written: Path) -> None:
    """WCAG 2.1, 1.4.3: a contrast of 4.5, light and dark, for text on the page and on its cards."""
    for dark in (False, True):
        with shown(browser, written, PHONE, dark) as found:
            colours = found.evaluate(
                "['page', 'card', 'ink', 'muted', 'accent'].map(name => {"
                "const probe = document.createElement('i'); probe.style.color = `var(--${name})`;"
                "document.body.append(probe); return getComputedStyle(probe).color.match(/\\d+/g).map(Number)})"
            )
        page_colour, card, *letters = (_luminance(colour) for colour in colours)
        for behind in (page_colour, card):
            for ink in letters:
                light, dim = max(behind, ink), min(behind, ink)
                assert (light + 0.05) / (dim + 0.05) >= 4.5


def test_dark_is_dark_and_light_is_light(browser: Browser, written: Path) -> None:
    means = []
    for dark in (False, True):
        with (
            shown(browser, written, PHONE, dark) as found,
            Image.open(io.BytesIO(found.tab.screenshot(full_page=True))) as image,
        ):
            means.append(np.asarray(image.convert("L")).mean())
    assert means[0] > 180 > 90 > means[1]


@pytest.mark.parametrize("width", WIDTHS)
def test_hostile_names_do_not_break_the_layout_or_run(browser: Browser, tmp_path: Path, width: int) -> None:
    names = ("<script>document.title='run'</script>", "x" * 300, "<img src=x onerror=\"document.title='run'\">", "猫")
    path = tmp_path / "report.html"
    path.write_text(page.render(example(classes=names, images=120)), encoding="utf-8")
    with shown(browser, path, width) as found:
        assert found.evaluate("document.title") == "pets: strategies compared"
        assert found.evaluate(OVERFLOWING) == []
        assert found.complaints == []


def test_no_script_would_run(browser: Browser, tmp_path: Path) -> None:
    """That the policy holds, even if something had slipped through."""
    path = tmp_path / "report.html"
    source = page.render(usual()).replace("</body>", "<script>document.title = 'run'</script></body>")
    path.write_text(source, encoding="utf-8")
    with shown(browser, path, PHONE) as found:
        assert found.evaluate("document.title") == "pets: strategies compared"
        assert any("Content Security Policy" in complaint for complaint in found.complaints)


def _luminance(colour: list[int]) -> float:
    """Relative luminance of an sRGB colour, 0 to 255 a channel (WCAG 2.1)."""
    channels = [value / 255 for value in colour]
    linear = [value / 12.92 if value <= 0.03928 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return float(np.dot([0.2126, 0.7152, 0.0722], linear))
