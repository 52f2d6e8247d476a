"""Large arrays are written row by row, read without loading them, and never half there."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.foundation.arrays import ArrayFile, check_space, create_array, open_array
from headstart.foundation.errors import InputError


def test_a_new_array_is_zeros_that_take_no_space(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "a.npy"
    create_array(path, (1000, 100, 100), np.float16)
    assert path.stat().st_blocks * 512 < 100_000 < path.stat().st_size
    found = open_array(path)
    assert found.shape == (1000, 100, 100)
    assert found.dtype == np.float16
    assert not found[::100].any()


def test_the_file_is_what_numpy_itself_writes(tmp_path: Path) -> None:
    values = np.arange(24, dtype=np.float16).reshape(4, 3, 2)
    create_array(tmp_path / "ours.npy", values.shape, values.dtype)
    file = ArrayFile(tmp_path / "ours.npy")
    file.write(0, values)
    file.close()
    np.save(tmp_path / "numpy.npy", values)
    assert (tmp_path / "ours.npy").read_bytes() == (tmp_path / "numpy.npy").read_bytes()


@given(
    views=st.integers(1, 4),
    images=st.integers(1, 9),
    row_shape=st.lists(st.integers(1, 3), max_size=3),
    block=st.integers(1, 5),
    seed=st.integers(0, 1000),
)
def test_rows_come_to_their_places_in_any_order(
    tmp_path_factory: pytest.TempPathFactory,
    views: int,
    images: int,
    row_shape: list[int],
    block: int,
    seed: int,
) -> None:
    shape = (views, images, *row_shape)
    random = np.random.default_rng(seed)
    values = random.normal(size=shape).astype(np.float32)
    path = tmp_path_factory.mktemp("array") / "a.npy"
    create_array(path, shape, np.float32)
    file = ArrayFile(path)
    pieces = [(v, start) for v in range(views) for start in range(0, images, block)]
    for view, start in random.permutation(pieces):
        file.write(view * images + start, values[view, start : start + block])
    file.close()
    np.testing.assert_array_equal(open_array(path), values)


def test_what_is_flushed_is_in_the_file(tmp_path: Path) -> None:
    create_array(tmp_path / "a.npy", (2, 3), np.int64)
    file = ArrayFile(tmp_path / "a.npy")
    file.write(1, np.array([[1, 2, 3]]))
    file.flush()
    assert open_array(tmp_path / "a.npy").tolist() == [[0, 0, 0], [1, 2, 3]]
    file.close()


@pytest.mark.parametrize(
    "rows", [np.zeros((1, 3), np.float32), np.zeros((1, 4), np.float16), np.zeros((1, 1, 3), np.float16)]
)
def test_rows_of_another_kind_are_refused(tmp_path: Path, rows: npt.NDArray[np.generic]) -> None:
    create_array(tmp_path / "a.npy", (2, 3), np.float16)
    file = ArrayFile(tmp_path / "a.npy")
    with pytest.raises(ValueError, match=r"^rows are .*, not float16 rows of \(2, 3\)$"):
        file.write(0, rows)
    file.close()


def test_an_array_of_no_views_can_be_had(tmp_path: Path) -> None:
    create_array(tmp_path / "a.npy", (0, 5, 2), np.float16)
    ArrayFile(tmp_path / "a.npy").close()
    assert open_array(tmp_path / "a.npy").shape == (0, 5, 2)


def test_arrays_are_read_only_memory_maps(tmp_path: Path) -> None:
    create_array(tmp_path / "a.npy", (2, 3), np.float16)
    found = open_array(tmp_path / "a.npy")
    assert isinstance(found, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        found[0] = 1


def test_no_pickle_is_read(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([{}]), allow_pickle=True)
    with pytest.raises(ValueError, match="Python objects"):
        open_array(tmp_path / "a.npy")


def test_too_little_space_is_told_before_any_work(tmp_path: Path) -> None:
    check_space(tmp_path, 1, "extract_features.views")
    expected = (
        rf"^{tmp_path}: 1000000000\.0 GB are needed and \d+\.\d GB are free: free some space, "
        r"or lower extract_features\.views in params\.yaml$"
    )
    with pytest.raises(InputError, match=expected):
        check_space(tmp_path, 10**18, "extract_features.views")
