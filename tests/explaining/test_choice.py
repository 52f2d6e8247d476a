"""The surest answers are shown, of every class, and the image asked for."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.explaining import choice
from headstart.foundation.errors import InputError
from headstart.scoring.predictions import Predictions

FRAME = pd.DataFrame({"path": ["train/cat/1.jpg", "test/0.jpg", "test/1.jpg"]})


def predictions(labels: list[int], said: list[int], sureness: list[float], classes: int = 3) -> Predictions:
    """Answers ``said``, each with its probability."""
    rows = np.full((len(labels), classes), 0.0)
    for row, answer, sure in zip(rows, said, sureness, strict=True):
        row[:] = (1 - sure) / (classes - 1)
        row[answer] = sure
    names = tuple("abcdefgh"[:classes])
    return Predictions(tuple(f"test/{i}.jpg" for i in range(len(labels))), names, np.array(labels, np.int64), rows)


ONE = predictions([0, 0, 0, 1, 1, 2], [0, 0, 0, 1, 2, 1], [0.99, 0.9, 0.95, 0.7, 0.8, 0.6])


def test_each_class_has_its_turn() -> None:
    assert choice.surest(ONE, right=True, most=9).tolist() == [0, 3, 2, 1]
    assert choice.surest(ONE, right=True, most=2).tolist() == [0, 3]
    assert choice.surest(ONE, right=False, most=9).tolist() == [4, 5]


@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, 2), st.sampled_from([0.5, 0.7, 0.9])), min_size=1, max_size=30
    ),
    st.integers(1, 8),
)
def test_right_and_wrong_are_told_apart(rows: list[tuple[int, int, float]], most: int) -> None:
    labels, said, sureness = (list(column) for column in zip(*rows, strict=True))
    one = predictions(labels, said, sureness)
    for right in (True, False):
        places = choice.surest(one, right, most)
        of_kind = [place for place in range(len(rows)) if (labels[place] == said[place]) == right]
        assert len(places) == min(most, len(of_kind))
        assert set(places) <= set(of_kind)
        # Within a class nobody surer was left out.
        for place in places:
            surer = [i for i in of_kind if labels[i] == labels[place] and sureness[i] > sureness[place]]
            assert set(surer) <= set(places.tolist())


def test_of_two_classes_both_are_explained() -> None:
    two = predictions([0, 1], [0, 0], [0.9, 0.8], classes=2)
    assert choice.contested(two, np.array([1, 0])).tolist() == [[0, 1], [0, 1]]


def test_of_more_what_is_said_and_what_is_so() -> None:
    assert choice.contested(ONE, np.array([0, 4, 5])).tolist() == [[0, 0], [2, 1], [1, 2]]


def test_by_itself_the_surest_right_answer_is_taken() -> None:
    assert choice.image("auto", ONE, FRAME) == "test/0.jpg"
    none_right = predictions([0, 1], [1, 2], [0.6, 0.9])
    assert choice.image("auto", none_right, FRAME) == "test/1.jpg"


def test_any_image_of_the_manifest_can_be_asked_for() -> None:
    assert choice.image("train/cat/1.jpg", ONE, FRAME) == "train/cat/1.jpg"


@pytest.mark.parametrize("wanted", ["test/9.jpg", "data/prepared/test/0.jpg", str(Path("/etc/passwd")), "Auto"])
def test_an_image_that_is_not_there_is_told_in_one_line(wanted: str) -> None:
    message = f"params.yaml: explain.image: found {wanted!r}, expected auto or a path in data/prepared/manifest.csv"
    with pytest.raises(InputError, match=re.escape(message)):
        choice.image(wanted, ONE, FRAME)
