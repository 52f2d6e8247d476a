"""Predictions come back from their file as they were, whatever the classes are called."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.foundation.errors import InputError
from headstart.scoring import predictions
from headstart.scoring.predictions import Predictions

AGAIN = "run `dvc repro` to have it written"
HOSTILE = (
    "nan",
    "1e3",
    "=cmd()",
    "",
    " ",
    "a,b",
    'a"b',
    "a\nb",
    "a\rb",
    "NULL",
    "001",
    "probability of x",
    "été",
    "🐱",
)

texts = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=8)


def example(classes: tuple[str, ...] = ("cat", "dog", "emu"), images: int = 7, seed: int = 0) -> Predictions:
    random = np.random.default_rng(seed)
    rows = random.random((images, len(classes)))
    return Predictions(
        images=tuple(f"test/{number}.jpg" for number in range(images)),
        classes=classes,
        labels=random.integers(0, len(classes), images),
        probabilities=rows / rows.sum(axis=1, keepdims=True),
    )


def same(one: Predictions, other: Predictions) -> None:
    assert (one.images, one.classes) == (other.images, other.classes)
    np.testing.assert_array_equal(one.labels, other.labels)
    np.testing.assert_allclose(one.probabilities, other.probabilities, atol=2e-9)


def test_the_file_is_for_people_too(tmp_path: Path) -> None:
    few = Predictions(("a.jpg", "b.jpg"), ("cat", "dog"), np.array([0, 1]), np.array([[0.25, 0.75], [0, 1]]))
    predictions.write(tmp_path / "p.csv", few)
    assert (tmp_path / "p.csv").read_bytes() == (
        b'"path","class","predicted","probability of cat","probability of dog"\n'
        b'"a.jpg","cat","dog",0.25,0.75\n'
        b'"b.jpg","dog","dog",0.0,1.0\n'
    )


def test_hostile_names_come_back(tmp_path: Path) -> None:
    written = example(HOSTILE, images=40)
    predictions.write(tmp_path / "p.csv", written)
    same(predictions.read(tmp_path / "p.csv"), written)


@given(st.lists(texts, min_size=2, max_size=5, unique=True), st.lists(texts, min_size=1, max_size=6, unique=True))
def test_any_names_come_back(tmp_path_factory: pytest.TempPathFactory, classes: list[str], images: list[str]) -> None:
    path = tmp_path_factory.mktemp("predictions") / "p.csv"
    drawn = example(tuple(classes), len(images))
    written = Predictions(tuple(images), drawn.classes, drawn.labels, drawn.probabilities)
    predictions.write(path, written)
    same(predictions.read(path), written)


def test_the_same_predictions_are_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one.csv", "two.csv"):
        predictions.write(tmp_path / name, example())
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()


def test_the_file_of_another_revision_can_be_read(tmp_path: Path) -> None:
    predictions.write(tmp_path / "p.csv", example(HOSTILE, images=40))
    content = (tmp_path / "p.csv").read_bytes().decode()
    same(predictions.read(Path("p.csv of main"), content), example(HOSTILE, images=40))
    with pytest.raises(InputError, match=r"^p\.csv of main: not a file of predictions "):
        predictions.read(Path("p.csv of main"), "")


def test_mistakes_come_the_surest_first() -> None:
    rows = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.3, 0.7], [0.05, 0.95]])
    drawn = Predictions(tuple("abcde"), ("cat", "dog"), np.array([1, 1, 1, 0, 0]), rows)
    assert drawn.surest_mistakes.tolist() == [4, 0, 3, 1]


def test_answers_are_the_likeliest_classes() -> None:
    drawn = example()
    np.testing.assert_array_equal(drawn.predicted, drawn.probabilities.argmax(axis=1))
    assert drawn.answers.images == drawn.images
    np.testing.assert_array_equal(drawn.answers.right, drawn.predicted == drawn.labels)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=rf"^{tmp_path}/none\.csv: no such file: {AGAIN}$"):
        predictions.read(tmp_path / "none.csv")


HEADER = "path,class,predicted,probability of cat,probability of dog\n"


@pytest.mark.parametrize(
    "content",
    [
        "",
        "path,class\na.jpg,cat\n",
        HEADER.replace("path", "patch") + "a.jpg,cat,cat,0.5,0.5\n",
        HEADER + "a.jpg,emu,cat,0.5,0.5\n",
        HEADER + "a.jpg,cat,cat,high,low\n",
        HEADER + '"a.jpg,cat,cat,0.5,0.5\n',
        HEADER + "a.jpg,cat,cat,0.5,0.5\na.jpg,cat,cat,0.5,0.5,1,1\n",
    ],
)
def test_what_is_no_such_file_is_told(tmp_path: Path, content: str) -> None:
    (tmp_path / "p.csv").write_text(content)
    with pytest.raises(InputError) as caught:
        predictions.read(tmp_path / "p.csv")
    assert str(caught.value).startswith(f"{tmp_path}/p.csv: not a file of predictions (")
    assert str(caught.value).endswith(f"): {AGAIN}")


def test_impossible_probabilities_are_told(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text(HEADER + "a.jpg,cat,cat,0.9,0.9\n")
    with pytest.raises(InputError, match=r"p\.csv: image 0 has the probabilities \[0\.9, 0\.9\], expected 2 numbers"):
        predictions.read(tmp_path / "p.csv")
