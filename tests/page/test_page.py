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
from tests.reports import compared, example, predicted, usual

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
    said = verdicts.headline(report.winner, report.metrics, 200, report.comparisons)
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
            "brier",
            "average_precision",
            "balanced_accuracy",
            "calibration_error",
            "calibration_error_by_chance",
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


def test_what_an_epoch_of_the_probe_is_is_said(parsed: Parsed) -> None:
    assert "For the linear probe, an epoch is one strength of its penalty" in parsed.text
    assert "linear probe" not in rendered(predicted={"head": predicted(("cat", "dog"), 50, 0.9, 0)}).text


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


def test_exploratory_pairs_look_like_it(report: Report, parsed: Parsed) -> None:
    marks = [attributes.get("class") for attributes in parsed.of("li")]
    exploratory = [duel for duel in report.comparisons if report.winner not in (duel.first, duel.second)]
    assert len(exploratory) == marks.count("exploratory") == 10
    assert "The other 10 pairs, exploratory" in parsed.text
    assert parsed.text.count("Exploratory: ") == 10


def test_a_class_that_nobody_recognised_is_said_first() -> None:
    labels = np.repeat([0, 1], [90, 10])
    blind = Predictions(tuple(map(str, range(100))), ("fine", "defect"), labels, np.tile([0.9, 0.1], (100, 1)))
    parsed = rendered(predicted={"head": blind, "augmented": blind})
    body = parsed.text[parsed.text.index("Headstart ·") :]
    assert body.index("No image of “defect” was recognised by any strategy.") < body.index("classifies 90.0 %")
    assert "Always answering “fine” would be right in 90.0 %." in parsed.text


def test_what_the_cheaper_strategy_may_lose_is_said_and_only_where_the_images_show_it() -> None:
    same = predicted(("cat", "dog"), 4000, 0.97, 0)
    once = rendered(predicted={"head": same, "finetune": same})
    # Equal on validation images: the first of equals is the winner, and it is the cheapest.
    assert "the cheaper one will do" not in once.text
    report = example(predicted={"head": same, "finetune": same})
    metrics = {
        name: {**row, "validation_log_loss": {"head": 1.0, "finetune": 0.5}[name]}
        for name, row in report.metrics.items()
    }
    parsed = Parsed(page.render(dataclasses.replace(report, metrics=metrics)))
    assert "The plain head is at most 0.1 points worse than fine-tuning and trains 1/100 of its weights" in parsed.text


def of_runs(row: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {**row, "runs": 2, "trainings": 10, "kept_accuracy": None, **changes}


def test_a_cross_validation_says_which_number_belongs_to_what() -> None:
    metrics = {name: of_runs(row) for name, row in usual().metrics.items()}
    parsed = rendered(metrics=metrics)
    for part in (
        "200 images, each tested by models that had not seen it",
        "Its cross-validated accuracy",
        "Every image was tested 2 times, by models that had not seen it (5 folds)",
        "a cross-validated estimate of the strategies",
        "The model that is kept was trained on all images afterwards, so it has no test of its own.",
        "Nadeau and Bengio 2003",
    ):
        assert part in parsed.text
    assert "these trained models" not in parsed.text


def test_several_trainings_are_about_strategies_and_one_about_models() -> None:
    assert "the verdicts are about these trained models" in rendered().text
    metrics = {name: of_runs(row, trainings=3, runs=3, kept_accuracy=0.9) for name, row in usual().metrics.items()}
    parsed = rendered(metrics=metrics)
    assert "Fine-tuning was trained 3 times; its numbers are means over the trainings" in parsed.text
    assert "The training with the lowest validation loss is kept: it reaches 90.0 %" in parsed.text
    fewer = {name: {**row, "runs": 1} if name.startswith("scratch") else row for name, row in metrics.items()}
    assert (
        "Training from scratch and training from scratch with augmentation: trained less often; a pair is compared "
        "over the runs that both have, here one, so that its verdict is about these trained models."
    ) in rendered(metrics=fewer).text


def test_of_a_probe_no_luck_of_training_is_claimed() -> None:
    metrics = {name: of_runs(row, trainings=3, runs=3, kept_accuracy=0.9) for name, row in usual().metrics.items()}
    metrics["probe"] = {**metrics["probe"], "validation_log_loss": 0.0}
    parsed = rendered(metrics=metrics, mistakes=0)
    assert (
        "Nothing in the training of the linear probe is random: its 3 trainings are the same, and its intervals hold "
        "the luck of the test images alone;"
    ) in parsed.text
    assert "was trained 3 times" not in parsed.text
    assert "at each of 7 strengths" in parsed.text


def test_groups_are_told_and_counted() -> None:
    metrics = {name: {**row, "groups": 40} for name, row in usual().metrics.items()}
    parsed = rendered(metrics=metrics)
    assert "The images come in 40 groups; intervals and tests count groups, not images." in parsed.text
    assert "Swapping two strategies in a group of images at a time" in parsed.text


def test_the_worst_class_comes_first_in_the_table_of_classes(report: Report, parsed: Parsed) -> None:
    worst = report.compared["classes"][report.winner][0]
    assert f"Its worst class is “{worst['class']}”" in parsed.text
    table = parsed.text[parsed.text.index("the worst class first") :]
    assert f"{100 * worst['value']:.1f} %" in table
    many = rendered(classes=tuple(f"class {number:02}" for number in range(20)), images=100)
    assert "the worst class first; 8 more are in metrics/comparison.json" in many.text


def test_the_threshold_of_the_class_that_must_not_be_missed_is_told(report: Report) -> None:
    told = compared(report.predicted, report.winner, positive_class="dog", positive_recall=0.95)
    settings = {**report.settings, "positive_class": "dog"}
    parsed = rendered(compared=told, settings=settings)
    assert "Counted as “dog” from a probability of 0." in parsed.text
    assert "of the “dog” images are found" in parsed.text
