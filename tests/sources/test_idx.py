import gzip
import math
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from headstart.foundation.errors import InputError
from headstart.sources.idx import opened, read_images, read_labels

SOME = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)
READERS = {1: read_labels, 3: read_images}


def idx_bytes(array: np.ndarray) -> bytes:
    """An array of bytes as the format's authors describe it, written without the code under test."""
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    array=hnp.arrays(np.uint8, st.sampled_from([(7,), (1, 1, 1), (2, 3, 4), (5, 28, 28)])),
    compressed=st.booleans(),
)
def test_arrays_come_back(tmp_path: Path, array: np.ndarray, compressed: bool) -> None:
    file = tmp_path / "file"
    file.write_bytes(gzip.compress(idx_bytes(array)) if compressed else idx_bytes(array))
    found = READERS[array.ndim](file)
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, array)


def test_content_is_unpacked_on_the_way(tmp_path: Path) -> None:
    for name, content in (("plain", idx_bytes(SOME)), ("gz", gzip.compress(idx_bytes(SOME)))):
        (tmp_path / name).write_bytes(content)
        with opened(tmp_path / name) as file:
            assert file.read() == idx_bytes(SOME)


@pytest.mark.parametrize("compressed", [False, True])
def test_file_cut_short_anywhere_is_refused(tmp_path: Path, compressed: bool) -> None:
    whole = gzip.compress(idx_bytes(SOME)) if compressed else idx_bytes(SOME)
    file = tmp_path / "file"
    for length in range(len(whole)):
        file.write_bytes(whole[:length])
        with pytest.raises(InputError):
            read_images(file)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(start=st.sampled_from([b"", b"\0\0\x08\x03", b"\0\0\x08\x01", b"\x1f\x8b"]), rest=st.binary(max_size=60))
def test_any_bytes_are_an_array_or_bad_input(tmp_path: Path, start: bytes, rest: bytes) -> None:
    file = tmp_path / "file"
    file.write_bytes(start + rest)
    for dimensions, read in READERS.items():
        try:
            array = read(file)
        except InputError:
            continue
        assert array.ndim == dimensions
        assert array.size == math.prod(array.shape) == len(rest) - 4 * dimensions


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "starts with , expected 00000803: not this kind of idx file"),
        (b"\x89PNG\r\n", "starts with 89504e47, expected 00000803"),
        (idx_bytes(np.zeros(3, np.uint8)), "starts with 00000801, expected 00000803"),
        (b"\0\0\x0d\x03" + bytes(12), "starts with 00000d03, expected 00000803"),
        (b"\0\0\x08\x03" + bytes(11), "ends within its header: get the file again"),
        (b"\0\0\x08\x03" + struct.pack(">3I", 5, 0, 3), "is empty (5 x 0 x 3): get the file again"),
        (
            b"\0\0\x08\x03" + b"\xff" * 12,
            "claims 79,228,162,458,924,105,385,300,197,375 bytes, expected at most 6,442,450,944: get",
        ),
        (idx_bytes(SOME)[:-1], "holds 23 bytes after its header, expected 24: get the file again"),
        (
            idx_bytes(SOME) + b"!",
            "holds more than 24 bytes after its header, expected 24: get the file again",
        ),
        (gzip.compress(idx_bytes(SOME), mtime=0)[:-9], "broken gzip data: get the file again"),
        (gzip.compress(idx_bytes(SOME), mtime=0)[:-8] + bytes(8), "broken gzip data: get the file again"),
        (b"\x1f\x8b" + b"!" * 30, "broken gzip data: get the file again"),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, content: bytes, message: str) -> None:
    file = tmp_path / "file"
    file.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_images(file)
    assert str(caught.value).startswith(f"{file}: {message}")


def test_images_are_no_labels(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(idx_bytes(SOME))
    with pytest.raises(InputError, match="starts with 00000803, expected 00000801"):
        read_labels(tmp_path / "file")
