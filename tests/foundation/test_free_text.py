import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.foundation.free_text import shown

# Whatever a name may hold, half of a surrogate pair included.
texts = st.text(st.characters(codec=None), max_size=80)


@given(texts, st.none() | st.integers(2, 30))
def test_it_is_one_line_that_can_be_written_and_no_longer_than_asked(text: str, most: int | None) -> None:
    found = shown(text, most)
    assert not found.encode() or len(found.splitlines()) == 1
    assert len(found) <= (len(text) if most is None else most)


@pytest.mark.parametrize("text", ["tabby cat", "猫", "Übergröße", "👩‍🚀", "<b>&amp;</b>"])
def test_what_can_be_shown_stays(text: str) -> None:
    assert shown(text) == text


def test_what_can_not_be_shown_is_marked() -> None:
    assert shown("a\nb\tc\x00\x1b[31m\u202e") == "a b c��[31m�"


def test_what_is_too_long_keeps_its_beginning_and_its_end() -> None:
    assert shown("abcdefghijklmnopqrstuvwxyz", 10) == "abcdef…xyz"
