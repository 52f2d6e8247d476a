"""What was found out counts for the very same settings, inputs and code, and comes back as it was."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.foundation import memo


class Inner(NamedTuple):
    """A named tuple inside a dataclass."""

    share: float
    name: str


@dataclass(frozen=True)
class Found:
    """A result."""

    rows: list[Inner]
    best: Inner | None


INPUT = Path("input.bin")


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    INPUT.write_bytes(b"content")


def found(number: int, settings: object = 1) -> int:
    return memo.recall("stage/part", settings, [INPUT], int, lambda: number)


def test_it_is_found_out_once() -> None:
    assert [found(1), found(2)] == [1, 1]


def test_other_settings_or_inputs_find_out_anew() -> None:
    assert [found(1), found(2, settings=2)] == [1, 2]
    INPUT.write_bytes(b"changed")
    assert found(3, settings=2) == 3


def test_what_failed_is_not_remembered() -> None:
    def fail() -> int:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        memo.recall("stage/part", 1, [INPUT], int, fail)
    assert found(4) == 4


@given(
    st.builds(
        Found,
        st.lists(st.builds(Inner, st.floats(allow_nan=False, allow_infinity=False), st.text())),
        st.none() | st.builds(Inner, st.just(math.pi), st.just("0.5")),
    )
)
def test_it_comes_back_as_it_was(result: Found) -> None:
    for _ in range(2):
        assert memo.recall("stage/found", repr(result), [], Found, lambda: result) == result
