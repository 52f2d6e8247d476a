"""Numbers as results are written: to as many digits as every run of the same work agrees on."""

from typing import Any

# Of sums of floats, the last digits depend on the order of summing, and that on the number of threads and on where in
# memory the numbers lie: of sixteen digits two or three. The rest is left as a margin, since whatever is rounded may
# lie right at an edge. It is as many digits as any two different float32 need to differ.
DIGITS = 9


def rounded(value: Any) -> Any:
    """Return ``value`` with every float in it, at any depth of dictionaries and lists, to DIGITS significant digits."""
    match value:
        case float():
            return float(f"{value:.{DIGITS}g}")
        case dict():
            return {key: rounded(item) for key, item in value.items()}
        case list() | tuple():
            return [rounded(item) for item in value]
        case _:
            return value
