"""The page says what the metrics say, escapes what came from outside, and needs nothing but itself."""

import dataclasses
import re
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pandas as pd
import pytest

from headstart.models.strategies import STRATEGIES
from headstart.page import page, verdicts
from headstart.page.report import Report
from headstart.scoring.predictions import Predictions
from tests.reports import example, predicted, usual

# Pictures of the section on layers and heat maps: two answers of three views, filters, an image and two layers.
INSIDE = 2 * 3 + 1 + 1 + 2

HOSTILE = (
    "<script>alert(1)</script>",
    "=cmd()|'/c calc'!A1",
    "nan",
    "x" * 300,
    "猫 🐱",
    "a\nb\tc\x00\x1b[31m",
    "\u202eevil",
    "$\\frac{1}{0}$",
    "{{ 7 * 7 }}",
    "<img src=x onerror=alert(1)>",
    "\"quoted' & co",
    "--> ]]>",
)


class Parsed(HTMLParser):
    """A page's elements and its text."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data.replace("\N{NO-BREAK SPACE}", " ")

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def rendered(**changes: Any) -> Parsed:
    made_anew = changes.keys() & {"classes", "images", "predicted"}
    return Parsed(page.render(example(**changes) if made_anew else dataclasses.replace(usual(), **changes)))


@pytest.fixture(scope="module")
def report() -> Report:
    return usual()


@pytest.fixture(scope="module")
def source(report: Report) -> str:
    return page.render(report)


@pytest.fixture(scope="module")
def parsed(source: str) -> Parsed:
    return Parsed(source)


def test_the_verdict_comes_first(report: Report, parsed: Parsed) -> None:
    answers = {name: one.answers for name, one in report.predicted.items()}
    said = verdicts.headline(report.winner, answers, report.comparisons)
    body = parsed.text[parsed.text.index("Headstart") :]
    assert body.index(said[1:]) < body.index("Verdict")
    for duel in report.comparisons:
        assert verdicts.comparison(duel)[1:] in parsed.text


def test_its_numbers_are_those_of_the_metrics(report: Report, parsed: Parsed) -> None:
    values = [float(str(attributes["value"])) for attributes in parsed.of("data")]
    for row in report.metrics.values():
        for metric in (
            "accuracy",
            "log_loss",
            "roc_auc",
            "f1",
            "calibration_error",
            "temperature",
            "validation_log_loss",
        ):
            assert row[metric] in values
        shown = f"{100 * row['accuracy']:.1f} %{100 * row['accuracy_low']:.1f} – {100 * row['accuracy_high']:.1f} %"
        assert shown in parsed.text


def test_every_section_is_in_the_contents_and_the_other_way_round(parsed: Parsed) -> None:
    sections = [attributes["id"] for attributes in parsed.of("section")]
    links = [attributes["href"] for attributes in parsed.of("a")]
    assert links == [f"#{section}" for section in sections]
    assert len(sections) == 12


def test_no_two_elements_have_one_id_and_no_reference_leads_nowhere(source: str, parsed: Parsed) -> None:
    ids = [str(attributes["id"]) for _, attributes in parsed.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    used = re.findall(r"url\(#([^)]+)\)", source)
    used += [str(attributes["href"])[1:] for attributes in parsed.of("use")]
    assert used
    assert set(used) <= set(ids)


def test_every_picture_says_what_it_shows(parsed: Parsed) -> None:
    pictures, drawings = parsed.of("img"), parsed.of("svg")
    assert len(pictures) == 6 + 3 + 12 + 2 + 1 + INSIDE
    assert all(picture["alt"] for picture in pictures)
    # Accuracies, differences, two of training, ROC, learning curve and costs; two of each strategy.
    assert len(drawings) == 7 + 2 * len(STRATEGIES)
    assert all(drawing["role"] == "img" and drawing["aria-label"] for drawing in drawings)


def test_nothing_is_loaded_and_no_script_is_there(source: str, parsed: Parsed) -> None:
    tags = {tag for tag, _ in parsed.elements}
    assert not tags & {"script", "iframe", "object", "embed", "form", "base"}
    assert not [name for _, attributes in parsed.elements for name in attributes if name.startswith("on")]
    for _, attributes in parsed.elements:
        for name in ("src", "href", "xlink:href"):
            assert str(attributes.get(name) or "#").startswith(("#", "data:"))
    (policy,) = [meta["content"] for meta in parsed.of("meta") if meta.get("http-equiv") == "Content-Security-Policy"]
    assert str(policy).startswith("default-src 'none';")
    assert "script" not in str(policy)
    assert "@import" not in source


@pytest.mark.parametrize("count", [2, 12])
def test_names_of_classes_are_text_and_nothing_else(parsed: Parsed, count: int) -> None:
    source = page.render(example(classes=HOSTILE[:count], images=120))
    hostile = Parsed(source)
    assert {tag for tag, _ in hostile.elements} == {tag for tag, _ in parsed.elements}
    assert "<script>alert(1)</script>" in hostile.text
    for unprintable in ("\x00", "\x1b", "\u202e", "x" * 100):
        assert unprintable not in source


def test_many_classes_are_drawn_without_their_names() -> None:
    parsed = rendered(classes=tuple(f"class {number:03}" for number in range(60)), images=120)
    assert "predicted class (60, by name)" in parsed.text


def test_a_strategy_by_itself_is_compared_with_nothing() -> None:
    parsed = rendered(predicted={"head": predicted(("cat", "dog"), 50, 0.9, 0)})
    assert "no other strategy was evaluated" in parsed.text
    assert "Differences, image by image" not in parsed.text


def test_where_nothing_is_wrong_it_is_said() -> None:
    perfect = Predictions(("a", "b"), ("cat", "dog"), np.array([0, 1]), np.eye(2))
    parsed = rendered(predicted={"head": perfect, "augmented": perfect}, suspects=usual().suspects[:0])
    assert "No test image was misclassified." in parsed.text
    assert "No label is in doubt." in parsed.text
    assert "No picture appears in two splits." in parsed.text


def test_what_the_test_split_leaves_open_is_undefined() -> None:
    labels = np.zeros(6, np.int64)
    rows = np.array([[1.0, 0.0], [0.6, 0.4], [0.5, 0.5]] * 2)
    cats = Predictions(tuple("abcdef"), ("cat", "dog"), labels, rows)
    parsed = rendered(predicted={"head": cats, "augmented": cats})
    assert "undefined" in parsed.text
    assert "nan" not in parsed.text.lower()


def test_it_shows_what_explain_left(parsed: Parsed) -> None:
    for part in (
        "cat, 98.7 %",
        "cat, predicted as dog, 98.7 %",
        "evidence for dog",
        "block2_pool",
        "48 × 48 × 64, 7 silent",
    ):
        assert part in parsed.text
    assert "32 of 64 filters" in parsed.text
    assert "Channels of every convolution and pooling layer" in parsed.text


def test_where_not_every_layer_is_shown_it_says_so() -> None:
    inside = usual().inside
    many = inside._replace(record=inside.record.model_copy(update={"layers": 120}))
    assert "Channels of 2 of the 120 convolution and pooling layers" in rendered(inside=many).text


def test_without_a_learning_curve_the_page_says_why() -> None:
    parsed = rendered(learning={}, readings={}, doubling=None)
    assert "evaluate.learning_curve is empty" in parsed.text
    assert "twice the training images" not in parsed.text


def test_several_trainings_show_their_spread() -> None:
    table = pd.DataFrame({"repeat": [1, 2, 3], "val_accuracy": [0.9, 0.94, 0.95]})
    parsed = rendered(repeats={"head": table})
    assert "Plain head: validation accuracy 93.0 % on average over 3 trainings" in parsed.text
    assert "90.0 % to 95.0 %" in parsed.text


def test_it_tells_how_to_run_it_again(parsed: Parsed) -> None:
    for part in ("git log dvc.lock", "f" * 64, "keras 3.15.1", "source: data/pets.zip"):
        assert part in parsed.text


def test_the_same_report_is_the_same_page(report: Report, source: str) -> None:
    assert page.render(report) == source


def test_confusions_are_counted_by_class() -> None:
    labels = np.array([0, 0, 0, 0, 1, 1, 2, 2])
    said = np.array([1, 1, 0, 2, 1, 0, 2, 2])
    one = Predictions(tuple("abcdefgh"), ("a", "b", "c"), labels, np.eye(3)[said])
    found = page.confusions(example(predicted={"head": one}, classes=("a", "b", "c")))
    assert found[0] == ("a", "b", 2, 0.5)
    assert {(row.actual, row.predicted, row.images) for row in found[1:]} == {("a", "c", 1), ("b", "a", 1)}
