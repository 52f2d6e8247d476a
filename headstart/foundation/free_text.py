"""Text that comes from outside, such as the name of a class or a file, made fit to be shown."""

# Holds the parts of an emoji together.
_JOINER = "\N{ZERO WIDTH JOINER}"


def shown(text: str, most: int | None = None) -> str:
    """Free text such as a class's name, fit to be shown: on one line, with a mark for what can't be printed.

    What is longer than ``most`` characters keeps its beginning and its end.
    """
    spaced = "".join(" " if letter.isspace() else letter for letter in text)
    clean = "".join(
        letter if letter.isprintable() or letter == _JOINER else "\N{REPLACEMENT CHARACTER}" for letter in spaced
    )
    if most is None or len(clean) <= most:
        return clean
    kept = most - 1
    return f"{clean[: kept - kept // 3]}…{clean[len(clean) - kept // 3 :]}"
