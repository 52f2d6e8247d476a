"""How numbers read inside a sentence."""

# From here on one image is a hundredth of a point or less, so that a second decimal means something.
_SECOND_DECIMAL_FROM = 10_000

# No p-value below this one is worth a digit of its own.
_SMALLEST_P = 0.0001


def points(share: float, images: int) -> str:
    """A difference between two shares of ``images`` images in percentage points: 0.013 reads "1.3".

    A negative number carries a true minus sign, and what rounds to nought carries none.
    """
    decimals = 2 if images >= _SECOND_DECIMAL_FROM else 1
    rounded = round(100 * share, decimals)
    return ("\N{MINUS SIGN}" if rounded < 0 else "") + f"{abs(rounded):.{decimals}f}"


def gain(share: float, images: int) -> str:
    """A difference as :func:`points` gives it, with its sign: "+3.3"."""
    text = points(share, images)
    return text if text.startswith("\N{MINUS SIGN}") else f"+{text}"


def points_range(low: float, high: float, images: int) -> str:
    """An interval of differences in percentage points, for example "0.7 to 1.9"."""
    return f"{points(low, images)} to {points(high, images)}"


def p_value(p: float) -> str:
    """A p-value as a sentence shows it: "p = 0.0003", "p = 0.024", "p = 0.31" or "p < 0.0001"."""
    if p < _SMALLEST_P:
        return f"p < {_SMALLEST_P}"
    decimals = 4 if p < 0.001 else 3 if p < 0.1 else 2
    return f"p = {p:.{decimals}f}"


def count(number: int, noun: str) -> str:
    """A number with its noun: "2,000 images", "1 image"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def percent(share: float, images: int) -> str:
    """A share of ``images`` images as a percentage: 0.811 reads "81.1 %"."""
    return f"{100 * share:.{2 if images >= _SECOND_DECIMAL_FROM else 1}f} %"


def sentence(text: str) -> str:
    """Words as a sentence: with a capital and a full stop."""
    return text[:1].upper() + text[1:] + "."


def duration(seconds: float | None) -> str:
    """A time as people say it: "2.4 s", "3 min 20 s", "1 h 5 min", "35 ms", "0.14 ms"; "not timed" for None."""
    if seconds is None:
        return "not timed"
    if seconds < 0.01:
        return f"{1000 * seconds:.2g} ms"
    if seconds < 1:
        return f"{1000 * seconds:.0f} ms"
    if seconds < 100:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def large(number: int) -> str:
    """A count that may be in the millions: "16,419", "8.3 M"."""
    return f"{number / 1e6:.1f} M" if number >= 1e6 else f"{number:,}"


def size(number: int) -> str:
    """Bytes as people say them: "4.7 MB"."""
    return f"{number / 1e6:.1f} MB" if number >= 1e6 else f"{number / 1e3:.0f} kB"
