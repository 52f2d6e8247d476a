"""The regular expression of ``prepare.pattern``: which ones are valid."""

import re

_GROUPS = frozenset({"class", "group", "split"})


def compiled(text: str) -> re.Pattern[str]:
    """Return the expression.

    Raises:
        ValueError: it is invalid, or names neither ``class`` nor ``group``; the text says what is expected.
    """
    example = r"such as (?P<class>[^/]+)_[0-9]+[.]jpg"
    try:
        pattern = re.compile(text)
    except re.error as error:
        raise ValueError(f"a regular expression ({error}), {example}") from None
    named = set(pattern.groupindex)
    if not named & {"class", "group"} or named - _GROUPS:
        raise ValueError(f"a regular expression with the named group class or group, and perhaps split, {example}")
    return pattern
