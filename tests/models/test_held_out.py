"""What trainings say of images they never saw: the file, and probabilities from logits."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from headstart.foundation.errors import InputError
from headstart.models import held_out
from headstart.models.held_out import HeldOut


def made() -> HeldOut:
    generator = np.random.default_rng(0)
    return HeldOut(
        images=np.arange(6),
        logits=generator.normal(size=(2, 6, 3)),
        folds=np.array([[0, 0, 0, 1, 1, 1], [1, 0, 1, 0, 1, 0]], np.int16),
        validation_run=np.array([0, 0, 1, 1], np.int16),
        validation_fold=np.array([0, 1, 0, 1], np.int16),
        validation_image=np.array([4, 1, 2, 3]),
        validation_logits=generator.normal(size=(4, 3)),
        kept_image=np.array([0, 5]),
        kept_logits=generator.normal(size=(2, 3)),
        train_sizes=np.full((2, 2), 2),
    )


def test_comes_back_as_it_was_written_in_the_same_bytes(tmp_path: Path) -> None:
    held_out.save(tmp_path / "first.npz", made())
    held_out.save(tmp_path / "second.npz", made())
    found = held_out.load(tmp_path / "first.npz")
    for name, expected in made()._asdict().items():
        assert getattr(found, name).dtype == expected.dtype, name
        np.testing.assert_array_equal(getattr(found, name), expected)
    assert (tmp_path / "first.npz").read_bytes() == (tmp_path / "second.npz").read_bytes()
    # In headers that every release of Python writes alike.
    assert (tmp_path / "first.npz").read_bytes()[:6] == b"PK\x03\x04\x14\x00"


def test_validation_of_one_training() -> None:
    images, logits = made().validation(run=1, fold=0)
    assert images.tolist() == [2]
    np.testing.assert_array_equal(logits, made().validation_logits[2:3])


@pytest.mark.parametrize("content", [None, b"", b"PK nonsense"])
def test_says_what_to_do_about_a_file_that_is_none(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / held_out.NAME
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"held_out\.npz: .*dvc repro"):
        held_out.load(path)


LOGITS = arrays.arrays(np.float32, (4, 3), elements=st.floats(-900, 900, width=32))


@given(LOGITS)
def test_probabilities_sum_to_one_and_follow_the_logits(logits: np.ndarray) -> None:
    found = held_out.probabilities(logits)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found.sum(axis=1), 1)
    order = np.argsort(logits, axis=1, kind="stable")
    assert (np.diff(np.take_along_axis(found, order, axis=1), axis=1) >= 0).all()


def test_probabilities_tell_the_most_confident_apart() -> None:
    found = held_out.probabilities(np.array([[0.0, 20.0], [0.0, 30.0]], np.float32))
    assert found[0, 1] < found[1, 1] < 1
